/** Observers of bytes in bulk: on the native engine they get them from the kernel's pipes, until they fall behind. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { runtime } from "#runtime";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Arrivals, ENGINES, finish, linux, MEGABYTE, pingPong, type Session, Stage } from "./observer-world.ts";

let kit: Kit;
beforeEach(() => {
  kit = new Kit(runtime);
});
afterEach(() => kit.clean());

/** Pipes of a process of which it has both ends. */
function pipes(pid: number): number {
  const ends = new Map<string, number>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const name = link(`/proc/${pid}/fd/${fd}`);
    if (name.startsWith("pipe:")) ends.set(name, (ends.get(name) ?? 0) + 1);
  }
  return [...ends.values()].filter((count) => count === 2).length;
}

/** Empty for a descriptor that was closed meanwhile. */
function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** The most memory that a process has had, in bytes. */
function peak(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1_024;
}

/** Sends in bulk: the other end does not read until what is between them is full. */
async function bulk(from: Session["client"], to: Session["client"], total: number): Promise<void> {
  to.pause();
  const sending = from.send(total);
  await from.until(() => from.socket.buffered > 0 || from.sent >= total, "a full way");
  to.resume();
  await sending;
  await to.until(() => to.closed || to.received === from.sent, "all that was sent");
}

describe.each([...ENGINES])("on the %s engine", (engine) => {
  const observe = async (options = "") => {
    const watchers = await Arrivals.at(kit, LOOPBACK);
    return { watchers, observer: watchers.address + options };
  };

  test("what the client sends arrives in full, bulk between small writes", async () => {
    const { watchers, observer } = await observe();
    await using stage = await Stage.tcp(kit, engine, [`${observer},when_full=block`]);
    const before = linux ? pipes(stage.weir.pid) : 0;
    const session = await stage.session();
    const watcher = await watchers.next();
    for (let round = 0; round < 3; round++) {
      await bulk(session.client, session.target, 6 * MEGABYTE);
      await pingPong(session, 30);
      await session.client.send(300_000, 7_000);
    }
    await finish(session);
    await watcher.untilEnd();
    expect(watcher.received).toBe(session.client.sent);
    // One to the target, and one to the observer.
    if (linux && engine === "native") expect(pipes(stage.weir.pid) - before).toBe(2);
    expect(await stage.observer()).toMatchObject({ bytes: session.client.sent, bytesLost: 0, gaps: 0 });
  });

  test("both directions at once, each with observers of its own", async () => {
    const up = [await observe(), await observe()];
    const down = [await observe(",copies=downstream"), await observe(",copies=downstream,when_full=disconnect")];
    const all = [...up, ...down].map(({ observer }) => `${observer},buffer=64MiB`);
    await using stage = await Stage.tcp(kit, engine, all);
    const session = await stage.session();
    const watchers = await Promise.all([...up, ...down].map((each) => each.watchers.next()));
    // Who has nothing to say may say so: it is told everything all the same.
    for (const watcher of [watchers[0], watchers[2]]) watcher?.finish();
    const { client, target } = session;
    await Promise.all([client.send(16 * MEGABYTE), target.send(12 * MEGABYTE)]);
    await finish(session);
    await Promise.all(watchers.map((watcher) => watcher.untilEnd()));
    expect(watchers.map(({ received }) => received)).toEqual([16, 16, 12, 12].map((each) => each * MEGABYTE));
  });

  test("one that stalls in the middle gets from the buffer what it has missed, and then all as before", async () => {
    const slow = await observe(",when_full=block,buffer=256KiB");
    const fast = await observe(",when_full=block");
    await using stage = await Stage.tcp(kit, engine, [slow.observer, fast.observer]);
    const session = await stage.session();
    const [watcher, other] = [await slow.watchers.next(), await fast.watchers.next()];
    for (let round = 0; round < 3; round++) {
      await bulk(session.client, session.target, 2 * MEGABYTE);
      watcher.pause();
      const sending = session.client.send(16 * MEGABYTE);
      while ((await stage.observer()).bytesWaiting < 262_144);
      // Now the client is held back: no more than what was read at once is added.
      await kit.busy(200);
      expect((await stage.observer()).bytesWaiting).toBeLessThan(2 * MEGABYTE);
      watcher.resume();
      await sending;
      await session.target.until(() => session.target.received === session.client.sent, "all that was sent");
    }
    await finish(session);
    await Promise.all([watcher.untilEnd(), other.untilEnd()]);
    expect([watcher.received, other.received]).toEqual([session.client.sent, session.client.sent]);
    expect(await stage.observer()).toMatchObject({ bytes: session.client.sent, bytesLost: 0, gaps: 0 });
  });

  test("observers at unix sockets, as many as one likes", async () => {
    const paths = ["a", "b", "c", "d"].map((name) => join(kit.directory(), name));
    const arrivals = await Promise.all(paths.map((path) => Arrivals.at(kit, { kind: "unix", path })));
    const observers = paths.map((path) => `unix:${path},when_full=block`);
    await using stage = await Stage.tcp(kit, engine, observers);
    const session = await stage.session();
    const watchers = await Promise.all(arrivals.map((each) => each.next()));
    await bulk(session.client, session.target, 8 * MEGABYTE);
    await pingPong(session, 10);
    await finish(session);
    await Promise.all(watchers.map((watcher) => watcher.untilEnd()));
    for (const { received } of watchers) expect(received).toBe(session.client.sent);
  });

  test.skipIf(!linux)("one that never reads costs its buffer, and no more than that", async () => {
    const total = 48 * MEGABYTE;
    const most = async (...observers: string[]) => {
      await using stage = await Stage.tcp(kit, engine, observers);
      const session = await stage.session();
      await session.client.send(total);
      await finish(session);
      for (const { bytes, bytesLost, bytesWaiting, gaps } of (await stage.proxy()).observers) {
        expect(bytes + bytesLost + bytesWaiting).toBe(total);
        expect(bytesLost).toBeGreaterThan(total / 2);
        expect(gaps).toBeGreaterThan(0);
      }
      return peak(stage.weir.pid);
    };
    const deaf = await Promise.all(
      [",buffer=1MiB", ",buffer=1MiB,format=framed", ",when_full=disconnect"].map(
        async (options) => (await Arrivals.at(kit, LOOPBACK, false)).address + options,
      ),
    );
    const alone = await most();
    const watched = await most(...deaf);
    expect(watched - alone).toBeLessThan(total);
  });
});
