/** Deadlines on a clock that the test moves, between sockets that say what the test wants. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { Pool } from "../../src/balance/pool.ts";
import { type Target, targetMemory } from "../../src/balance/target.ts";
import { DEFAULTS, plainTarget, type Timeouts } from "../../src/config/config.ts";
import { Counters } from "../../src/metrics/counters.ts";
import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Runtime, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { Rules } from "../../src/proxy/rules.ts";
import { Session } from "../../src/proxy/session.ts";

const ADDRESS: Address = { kind: "tcp", host: "127.0.0.1", port: 1 };

class FakeSocket implements StreamSocket {
  readonly local = ADDRESS;
  readonly remote = ADDRESS;
  buffered = 0;
  kernel: number | undefined = 0;
  aborted = false;
  events: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };
  on(events: StreamEvents): void {
    this.events = events;
  }
  write(): boolean {
    return true;
  }
  end(): void {}
  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    this.events.close();
  }
  pause(): void {}
  resume(): void {}
  unacknowledged(): number | undefined {
    return this.kernel;
  }
}

async function world(timeouts: Partial<Timeouts>) {
  let now = 0;
  let timers: { at: number; run: () => void }[] = [];
  const [client, target] = [new FakeSocket(), new FakeSocket()];
  const virtual: Runtime = {
    ...runtime,
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run };
      timers.push(timer);
      const cancel = () => {
        timers = timers.filter((each) => each !== timer);
      };
      return { cancel };
    },
    connect: () => ({ socket: Promise.resolve(target), cancel() {} }),
  };
  const ended: string[] = [];
  const config = {
    ...DEFAULTS.proxy,
    name: "x",
    listen: ADDRESS,
    targets: [plainTarget(ADDRESS)],
    timeouts: { ...DEFAULTS.proxy.timeouts, ...timeouts },
  };
  const pool = new Pool("x", config, 0, virtual.wallClock);
  pool.replace([{ address: ADDRESS, config: plainTarget(ADDRESS), memory: targetMemory(1, 1) }]);
  const owner = {
    runtime: virtual,
    pool,
    front: new Counters("x", ""),
    read: undefined,
    arrived: (session: Session) => session.dial(pool.choose({ host: "" }, []) as Target),
    greeted() {},
    outwaited() {},
    freed() {},
    connect: (to: Target) => virtual.connect(to.address, { noDelay: true, keepAlive: 0, buffer: 1, timeout: 0 }),
    steps: () => undefined,
    lateSteps: () => {
      throw new Error("nobody asks for faults here");
    },
    faults: [],
    sessionEnded: (session: Session) => void ended.push(session.reason),
  };
  const session = new Session(1, owner, new Rules(config), client, { weight: 1, ordinal: 1 });
  session.start();
  await Promise.resolve();
  await Promise.resolve();
  return {
    client,
    target,
    ended,
    timers: () => timers.length,
    advance(ms: number) {
      const until = now + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        timers = timers.filter((each) => each !== next);
        now = next.at;
        next.run();
      }
      now = until;
    },
  };
}

test("a half-closed connection lives as long as its slow reader takes bytes, from our queue or the kernel's", async () => {
  const { client, target, ended, advance } = await world({ fin: 30_000 });
  client.buffered = 300_000;
  client.kernel = 2_000_000;
  target.events.end();
  for (let n = 0; n < 20; n++) {
    if (client.buffered > 0) client.buffered -= 100_000;
    else client.kernel = (client.kernel ?? 0) - 50_000;
    advance(29_000);
    expect(ended).toEqual([]);
  }
  advance(61_000);
  expect(ended).toEqual(["fin_timeout"]);
});

test("a reader that has stopped is cut by the fin timeout, and by the idle timeout", async () => {
  const half = await world({ fin: 30_000 });
  half.client.kernel = 1_000;
  half.target.events.end();
  half.advance(30_001);
  expect(half.ended).toEqual(["fin_timeout"]);
  const whole = await world({ idle: 5_000 });
  whole.client.buffered = 1_000;
  whole.client.kernel = undefined;
  whole.advance(5_001);
  expect(whole.ended).toEqual(["idle_timeout"]);
});

test("a reset waits for the bytes before it while they are being taken, not longer than the fin timeout after", async () => {
  const { client, target, ended, advance } = await world({ fin: 10_000 });
  client.kernel = 500_000;
  target.events.close(new SocketError("ECONNRESET"));
  for (let n = 0; n < 5; n++) {
    client.kernel -= 50_000;
    advance(9_000);
    expect(client.aborted).toBe(false);
  }
  client.kernel = 0;
  advance(100);
  expect(client.aborted).toBe(true);
  expect(ended).toEqual(["target_reset"]);
  const stuck = await world({ fin: 10_000 });
  stuck.client.kernel = 500_000;
  stuck.target.events.close(new SocketError("ECONNRESET"));
  stuck.advance(10_100);
  expect(stuck.ended).toEqual(["target_reset"]);
});

test("a target that breaks with bytes left after the client has ended well is no clean end", async () => {
  const { client, target, ended } = await world({});
  target.buffered = 1_000;
  for (const side of [client, target]) side.events.end();
  client.events.close();
  target.events.broken?.(new SocketError("ECONNRESET"));
  expect(target.aborted).toBe(true);
  expect(ended).toEqual(["target_reset"]);
});

test("two broken sides that hold bytes for each other are both let go, whoever broke first is the reason", async () => {
  const { client, target, ended } = await world({});
  target.events.broken?.(new SocketError("ECONNRESET"));
  expect([client.aborted, target.aborted]).toEqual([false, false]);
  client.events.broken?.(new SocketError("ECONNRESET"));
  expect([client.aborted, target.aborted]).toEqual([true, true]);
  expect(ended).toEqual(["target_reset"]);
});

test("all timeouts off: nothing is ever cut, and no timer is set", async () => {
  const { ended, advance, timers } = await world({ idle: 0, fin: 0, lifetime: 0 });
  expect(timers()).toBe(0);
  advance(1_000_000_000);
  expect(ended).toEqual([]);
});

test("no timer is left behind by a connection that has ended", async () => {
  const { client, target, ended, timers } = await world({ idle: 5_000, lifetime: 9_000 });
  for (const side of [client, target]) side.events.end();
  for (const side of [client, target]) side.events.close();
  expect(ended).toEqual(["client_closed"]);
  expect(timers()).toBe(0);
});
