/** Observers of every kind, framed and raw; what a reload changes about them, and what they get of a weir that ends. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { type Frame, FrameReader } from "../../src/observe/frame-reader.ts";
import { open } from "../contract/datagram-probe.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { pattern } from "../contract/probe.ts";
import { joined, same } from "../observe/bytes.ts";
import { Arrivals, ENGINES, finish, MEGABYTE, pingPong, Stage } from "./observer-world.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-observers-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

let kit: Kit;
beforeEach(() => {
  kit = new Kit(runtime);
});
afterEach(() => kit.clean());

/** All frames of some bytes, none of which is cut short. */
function framesOf(bytes: Uint8Array): readonly Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  reader.push(bytes);
  expect(reader.pending).toBe(0);
  return frames;
}

/**
 * How far a direction of a session has come, by its frames, and how much of that is missing: what they have is at its
 * right place, and each gap is told.
 */
function course(frames: readonly Frame[], direction: string, session?: number): { length: number; missing: number } {
  let length = 0;
  let missing = 0;
  for (const frame of frames) {
    if (frame.event === "close" || frame.direction !== direction) continue;
    if (session !== undefined && frame.session !== session) continue;
    missing += frame.gap;
    expect(frame.offset).toBe(length + frame.gap);
    expect(same(frame.bytes, pattern(frame.offset, frame.length))).toBe(true);
    length = frame.offset + frame.length;
  }
  return { length, missing };
}

describe.each([...ENGINES])("on the %s engine", (engine) => {
  test("udp: datagrams with the bytes alone, and framed", async () => {
    const [raw, framed] = [await open(kit), await open(kit)];
    const at = (host: string, { socket }: typeof raw) => `udp://${host}:${socket.local.port}`;
    await using stage = await Stage.tcp(kit, engine, [
      at("127.0.0.1", raw),
      `${at("localhost", framed)},copies=both,format=framed`,
    ]);
    const session = await stage.session();
    await pingPong(session, 60, 3_000);
    await finish(session);
    const { client, target } = session;
    const sum = () => raw.received.reduce((bytes, each) => bytes + each.bytes.length, 0);
    await raw.until(() => sum() === client.sent, "all that the client has sent");
    expect(same(joined(raw.received.map(({ bytes }) => bytes)), pattern(0, client.sent))).toBe(true);
    const frames = () => framed.received.flatMap(({ bytes }) => framesOf(bytes));
    await framed.until(() => frames().some(({ event }) => event === "close"), "the end");
    expect(course(frames(), "upstream")).toEqual({ length: client.sent, missing: 0 });
    expect(course(frames(), "downstream")).toEqual({ length: target.sent, missing: 0 });
    await stage.until(({ bytesLost, gaps }) => bytesLost + gaps === 0);
  });

  test("file: one for all sessions, framed, and one for each", async () => {
    const place = kit.directory();
    const [all, each] = [`file:${join(place, "all")}`, `file:${join(place, "each-{session}")}`];
    await using stage = await Stage.tcp(kit, engine, [`${all},copies=both,format=framed`, each]);
    const sessions = [await stage.session(), await stage.session(), await stage.session()];
    const talks = sessions.map(async (session, index) => {
      await pingPong(session, 20);
      await session.client.send((index + 1) * MEGABYTE);
      await finish(session);
    });
    await Promise.all(talks);
    while ((await stage.proxy()).connections_active > 0);
    await stage.until(({ connections }) => connections === 0);
    const frames = framesOf(readFileSync(join(place, "all")));
    const closes = frames.filter(({ event }) => event === "close");
    const sent = (direction: string) => closes.map(({ session }) => course(frames, direction, session));
    const numbers = (a: { length: number }, b: { length: number }) => a.length - b.length;
    expect(sent("upstream").sort(numbers)).toEqual(sessions.map(({ client }) => ({ length: client.sent, missing: 0 })));
    expect(sent("downstream")).toEqual(sessions.map(({ target }) => ({ length: target.sent, missing: 0 })));
    const single = readdirSync(place).filter((name) => name.startsWith("each-"));
    expect(single.sort()).toEqual(closes.map(({ session }) => `each-${session}`).sort());
    const contents = single.map((name) => new Uint8Array(readFileSync(join(place, name)))).sort(numbers);
    expect(contents.map(({ length }) => length)).toEqual(sessions.map(({ client }) => client.sent));
    for (const content of contents) expect(same(content, pattern(0, content.length))).toBe(true);
  });

  test("framed, an observer that stalls is told of each gap, and of all that it has missed", async () => {
    const watchers = await Arrivals.at(kit, LOOPBACK, false);
    const observer = `${watchers.address},copies=both,format=framed,buffer=64KiB`;
    await using stage = await Stage.tcp(kit, engine, [observer]);
    const session = await stage.session();
    const watcher = await watchers.next();
    const parts: Uint8Array[] = [];
    watcher.raw = true;
    watcher.onData = (chunk) => {
      parts.push(chunk.slice());
      watcher.bytes = new Uint8Array(0);
    };
    for (let round = 1; round <= 2; round++) {
      while ((await stage.observer()).gaps < round) await session.client.send(MEGABYTE);
      watcher.resume();
      await stage.until(({ bytesWaiting }) => bytesWaiting === 0);
      await pingPong(session, 10);
      watcher.pause();
    }
    watcher.resume();
    await finish(session);
    await watcher.untilEnd();
    const frames = framesOf(joined(parts));
    const { bytes, bytesLost, gaps } = await stage.observer();
    const [up, down] = [course(frames, "upstream"), course(frames, "downstream")];
    expect([up.length, down.length]).toEqual([session.client.sent, session.target.sent]);
    expect(up.missing + down.missing).toBe(bytesLost);
    expect(bytes + bytesLost).toBe(up.length + down.length);
    expect(frames.filter((frame) => "gap" in frame && frame.gap > 0)).toHaveLength(gaps);
    expect(frames.at(-1)?.event).toBe("close");
  });

  test("observers that SIGHUP brings and takes are those of the sessions to come", async () => {
    const [first, second] = [await Arrivals.at(kit, LOOPBACK), await Arrivals.at(kit, LOOPBACK)];
    const path = join(directory, `${++files}.toml`);
    const table = (address: string, more = "") => `[[proxy.observer]]\naddress = "${address}"\n${more}`;
    let target = "";
    const write = (...observers: readonly string[]) => {
      const proxy = `[[proxy]]\nname = "a"\nlisten = "127.0.0.1:0"\ntarget = "${target}"\n`;
      writeFileSync(path, `[engine]\nmode = "${engine}"\n${proxy}${observers.join("")}`);
    };
    const flags = (to: string) => {
      target = to;
      write();
      return ["run", path];
    };
    await using stage = await Stage.run(kit, flags);
    const reload = async (...observers: readonly string[]) => {
      write(...observers);
      stage.weir.signal("SIGHUP");
      await stage.weir.stdout.next((line) => line === "weir: reloaded: a changed");
    };
    const without = await stage.session();
    await pingPong(without, 5);
    await reload(table(first.address));
    const one = await stage.session();
    const seen = [await first.next()];
    await pingPong(one, 5);
    await reload(table(first.address, 'copies = "downstream"\n'), table(second.address));
    const two = await stage.session();
    seen.push(await first.next(), await second.next());
    await reload();
    const none = await stage.session();
    for (const session of [without, one, two, none]) {
      await pingPong(session, 5);
      await finish(session);
    }
    await Promise.all(seen.map((watcher) => watcher.untilEnd()));
    expect(seen.map(({ received }) => received)).toEqual([one.client.sent, two.target.sent, two.client.sent]);
    expect([first.all.length, second.all.length]).toEqual([2, 1]);
    // What they have counted stays counted.
    const page = await stage.page();
    const sum = `weir_observer_bytes_total{proxy="a",observer="${first.address}"} ${one.client.sent + two.target.sent}`;
    expect(page).toContain(`${sum}\n`);
  });

  test("SIGTERM: an observer that has still to get something gets it", async () => {
    const watchers = await Arrivals.at(kit, LOOPBACK, false);
    await using stage = await Stage.tcp(kit, engine, [`${watchers.address},when_full=block,buffer=8MiB`]);
    const session = await stage.session();
    const watcher = await watchers.next();
    await session.client.send(8 * MEGABYTE);
    await finish(session);
    expect((await stage.observer()).bytesWaiting).toBeGreaterThan(0);
    stage.weir.signal("SIGTERM");
    while ((await stage.proxy()).state !== "draining");
    watcher.resume();
    await watcher.untilEnd();
    expect(watcher.received).toBe(session.client.sent);
    watcher.finish();
    expect(await stage.weir.exit()).toBe(0);
  });

  test("SIGTERM: a session that lives goes on, and so does its observer; a second signal waits for nobody", async () => {
    const [watchers, deaf] = [await Arrivals.at(kit, LOOPBACK), await Arrivals.at(kit, LOOPBACK, false)];
    await using stage = await Stage.tcp(kit, engine, [`${watchers.address},when_full=block`, deaf.address]);
    const session = await stage.session();
    const [watcher, silent] = [await watchers.next(), await deaf.next()];
    await session.client.send(8 * MEGABYTE);
    stage.weir.signal("SIGTERM");
    await stage.weir.stdout.next((line) => line.startsWith("weir: stopping"));
    await pingPong(session, 20);
    await finish(session);
    await watcher.untilEnd();
    stage.weir.signal("SIGTERM");
    expect(await stage.weir.exit()).toBe(0);
    silent.raw = true;
    silent.resume();
    await silent.until(() => silent.closed || silent.ended, "the end");
  });
});

test("SIGTERM: an observer that takes nothing any more is waited for only so long, on any engine", async () => {
  const ends = ENGINES.map(async (engine) => {
    const watchers = await Arrivals.at(kit, LOOPBACK, false);
    await using stage = await Stage.tcp(kit, engine, [watchers.address]);
    const session = await stage.session();
    await session.client.send(8 * MEGABYTE);
    await finish(session);
    stage.weir.signal("SIGTERM");
    expect(await stage.weir.exit()).toBe(0);
  });
  await Promise.all(ends);
});
