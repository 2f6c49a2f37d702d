import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Entry,
  isRefused,
  type SourceRules,
  Sources,
  sourceTable,
  TOO_FAST,
  TOO_MANY,
  UNTRACKED,
} from "../../src/admit/sources.ts";
import { type IpWords, ipWords } from "../../src/net/cidr.ts";
import type { FromThread, Task } from "./sources-worker.ts";

const SEED = 0x5eed_0001;
const NOW = 1_800_000_000_000;
const THREE: SourceRules = { maxConnections: 3, perSecond: 0, burst: 1 };

function ip(text: string): IpWords {
  return ipWords(text) ?? [];
}

function table(sources = 64): Sources {
  return new Sources(sourceTable(sources, 1, SEED), 1, 0);
}

/** How many of `attempts` at one time are let in. */
function letIn(sources: Sources, address: string, attempts: number, now: number, rules: SourceRules): number {
  let count = 0;
  for (let n = 0; n < attempts; n++) if (!isRefused(sources.enter(ip(address), now, rules))) count++;
  return count;
}

test("a source has as many connections as it may, and one more for each that ends", () => {
  const sources = table();
  const slots = [1, 2, 3].map(() => sources.enter(ip("10.0.0.1"), NOW, THREE));
  expect(slots.every((slot) => slot >= 0)).toBe(true);
  expect(sources.enter(ip("10.0.0.1"), NOW, THREE)).toBe(TOO_MANY);
  expect(letIn(sources, "10.0.0.2", 9, NOW, THREE)).toBe(3);
  sources.leave(slots[1] as Entry);
  expect(letIn(sources, "10.0.0.1", 9, NOW, THREE)).toBe(1);
  expect(letIn(sources, "10.0.0.1", 1_000, NOW, { ...THREE, maxConnections: 0 })).toBe(1_000);
});

test("a burst, then the rate, also one below one per second", () => {
  const slow: SourceRules = { maxConnections: 0, perSecond: 0.5, burst: 3 };
  const sources = table();
  expect(letIn(sources, "10.0.0.1", 9, NOW, slow)).toBe(3);
  expect(sources.enter(ip("10.0.0.1"), NOW + 1_000, slow)).toBe(TOO_FAST);
  expect(letIn(sources, "10.0.0.1", 9, NOW + 2_000, slow)).toBe(1);
  expect(letIn(sources, "10.0.0.1", 9, NOW + 5_000, slow)).toBe(1);
  expect(letIn(sources, "10.0.0.1", 9, NOW + 6_000, slow)).toBe(1);
  expect(letIn(sources, "10.0.0.1", 9, NOW + 3_600_000, slow)).toBe(3);
});

test.each([0.3, 1, 7.7, 20, 333, 1_500])("over a minute of attempts each millisecond %p/s is kept", (perSecond) => {
  const sources = table();
  const rules: SourceRules = { maxConnections: 0, perSecond, burst: 5 };
  let count = 0;
  for (let ms = 0; ms <= 60_000; ms++) count += letIn(sources, "10.0.0.1", 2, NOW + ms, rules);
  expect(Math.abs(count - (5 + 60 * perSecond))).toBeLessThanOrEqual(1);
});

test("who has too many connections open loses no token by trying", () => {
  const rules: SourceRules = { maxConnections: 1, perSecond: 1, burst: 2 };
  const sources = table();
  const slot = sources.enter(ip("10.0.0.1"), NOW, rules);
  for (let n = 0; n < 9; n++) expect(sources.enter(ip("10.0.0.1"), NOW, rules)).toBe(TOO_MANY);
  sources.leave(slot);
  sources.leave(sources.enter(ip("10.0.0.1"), NOW, rules));
  expect(sources.enter(ip("10.0.0.1"), NOW, rules)).toBe(TOO_FAST);
});

test("a clock that goes back gives no tokens, and the rate goes on from there", () => {
  const rules: SourceRules = { maxConnections: 0, perSecond: 10, burst: 5 };
  const sources = table();
  expect(letIn(sources, "10.0.0.1", 9, NOW, rules)).toBe(5);
  // Two threads, one of which has read the clock earlier: no millisecond counts twice.
  for (let n = 0; n < 1_000; n++) expect(letIn(sources, "10.0.0.1", 1, NOW - (n % 2) * 90, rules)).toBe(0);
  const before = NOW - 86_400_000;
  expect(letIn(sources, "10.0.0.1", 9, before, rules)).toBe(0);
  expect(letIn(sources, "10.0.0.1", 9, before + 200, rules)).toBe(2);
});

test("IPv6 sources are told apart by their /64, and no IPv4 source is taken for one", () => {
  const sources = table();
  expect(letIn(sources, "2001:db8:0:1::1", 2, NOW, THREE)).toBe(2);
  expect(letIn(sources, "2001:db8:0:1:ffff:ffff:ffff:ffff", 2, NOW, THREE)).toBe(1);
  expect(letIn(sources, "2001:db8:0:2::1", 4, NOW, THREE)).toBe(3);
  expect(letIn(sources, "a00:1::", 4, NOW, THREE)).toBe(3);
  expect(letIn(sources, "10.0.0.1", 4, NOW, THREE)).toBe(3);
  expect(sources.enter(ip("::ffff:10.0.0.1"), NOW, THREE)).toBe(TOO_MANY);
});

test("a million sources displace none that has a connection, and take no more memory", () => {
  const rules: SourceRules = { maxConnections: 3, perSecond: 1, burst: 3 };
  const memory = sourceTable(4_096, 1, SEED);
  expect(memory.byteLength).toBeLessThan(512 * 1_024);
  const sources = new Sources(memory, 1, 0);
  const staying = Array.from({ length: 1_000 }, (_, n) => [0x0a00_0000 + n]);
  const slots = staying.map((address) => sources.enter(address, NOW, rules));
  let untracked = 0;
  for (let n = 0; n < 1_000_000; n++) {
    const entry = sources.enter([0x2001_0db8, n, 0, 0], NOW + n / 1_000, rules);
    if (isRefused(entry)) throw new Error(`source ${n} was refused`);
    if (entry === UNTRACKED) untracked++;
    // Every hundredth stays, so that in the end there is no room.
    if (n % 100 !== 0) sources.leave(entry);
  }
  expect(untracked).toBeGreaterThan(0);
  for (const [n, address] of staying.entries()) {
    for (const _ of [1, 2]) expect(sources.enter(address, NOW + 2_000, rules)).toBe(slots[n] as Entry);
    expect(sources.enter(address, NOW + 2_000, rules)).toBe(TOO_MANY);
  }
});

test("in a full set a source with a full bucket gives way, then the one that was there longest ago", () => {
  const rules: SourceRules = { maxConnections: 0, perSecond: 1, burst: 10 };
  const sources = table(1);
  const come = (last: number, ms: number, times = 1) =>
    Array.from({ length: times }, () => sources.enter([last], NOW + ms, rules));
  const slots = [0, 1, 2, 3, 4, 5, 6, 7].map((last) => {
    const mine = come(last, last, last < 4 ? 6 : 5);
    for (const slot of mine) sources.leave(slot);
    return mine[0] as Entry;
  });
  // By 5,020 those from 4 on have all their tokens back, the others lack one.
  expect(come(100, 5_020)).toEqual(slots.slice(4, 5));
  for (const last of [5, 6, 7]) expect(come(last, 5_030)).toEqual(slots.slice(last, last + 1));
  expect(come(101, 5_040)).toEqual(slots.slice(0, 1));
  for (const last of [1, 2, 3]) come(last, 5_050);
  // With connections in all of them, one more is let in and not counted.
  expect(come(102, 5_060, 20)).toEqual(Array(20).fill(UNTRACKED));
  sources.leave(UNTRACKED);
  sources.leave(slots[0] as Entry);
  expect(come(102, 5_070)).toEqual(slots.slice(0, 1));
  // What was there before the clock was set back is older than what has come since.
  for (const slot of slots.slice(1, 3)) sources.leave(slot);
  sources.leave(come(103, -86_400_000)[0] as Entry);
  expect(come(104, -86_399_990)).toEqual(slots.slice(2, 3));
});

test("workers count together, and what a dead one had open is taken back", () => {
  const memory = sourceTable(64, 2, SEED);
  const [first, second] = [new Sources(memory, 2, 0), new Sources(memory, 2, 1)];
  const slots = [first, second, second].map((each) => each.enter(ip("10.0.0.1"), NOW, THREE));
  for (const each of [first, second]) expect(each.enter(ip("10.0.0.1"), NOW, THREE)).toBe(TOO_MANY);
  second.leave(slots[1] as Entry);
  expect(letIn(second, "10.0.0.1", 9, NOW, THREE)).toBe(1);
  first.abandon(1);
  expect(letIn(first, "10.0.0.1", 9, NOW, THREE)).toBe(2);
});

test("a thread that died while it held a lock does not block the others", () => {
  const memory = sourceTable(1, 2, SEED);
  const sources = new Sources(memory, 2, 0);
  // Behind the two words of the head, the lock of the only set; odd is held.
  const lock = new Int32Array(memory, 8, 1);
  lock[0] = 7;
  for (let n = 0; n < 20; n++) sources.leave(sources.enter(ip("10.0.0.1"), NOW, THREE));
  expect(letIn(sources, "10.0.0.1", 9, NOW, THREE)).toBe(3);
  // One that was only slow, and whose lock another has taken meanwhile, leaves it to that one.
  const slow = Object.defineProperty({ ...THREE }, "maxConnections", { get: () => lock.fill(99)[0] });
  sources.enter(ip("10.0.0.1"), NOW, slow);
  expect(lock[0]).toBe(99);
});

test("whatever comes and goes, it is as if each source had its own count and bucket", () => {
  const addresses = ["10.0.0.1", "10.0.0.2", "1.2.3.4", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"];
  const keys = addresses.map((text) => (text.includes(":") ? ip(text).slice(0, 2).join() : text));
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ enter: fc.nat(addresses.length - 1), worker: fc.nat(2) }) },
    { weight: 4, arbitrary: fc.record({ leave: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ pass: fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.nat(100)) }) },
    { weight: 1, arbitrary: fc.record({ abandon: fc.nat(2) }) },
  );
  const perSecond = fc.constantFrom(0, 0.1, 1, 2.5, 100);
  const rules = fc.record({ maxConnections: fc.nat(4), perSecond, burst: fc.constantFrom(1, 2, 4) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), rules, (steps, each) => {
      const memory = sourceTable(4_096, 3, SEED);
      const workers = [0, 1, 2].map((worker) => new Sources(memory, 3, worker));
      const buckets = new Map<string, { tokens: number; at: number }>();
      let open: { key: string; worker: number; slot: Entry }[] = [];
      let now = NOW;
      for (const next of steps) {
        if ("pass" in next) now += next.pass;
        else if ("abandon" in next) {
          workers[(next.abandon + 1) % 3]?.abandon(next.abandon);
          open = open.filter(({ worker }) => worker !== next.abandon);
        } else if ("leave" in next) {
          const [gone] = open.splice(next.leave % Math.max(1, open.length), 1);
          if (gone) workers[gone.worker]?.leave(gone.slot);
        } else {
          const [key, worker] = [keys[next.enter] as string, next.worker];
          const bucket = buckets.get(key) ?? { tokens: each.burst, at: now };
          buckets.set(key, bucket);
          const passed = now - bucket.at;
          if (passed > 0) bucket.tokens = Math.min(each.burst, bucket.tokens + (passed / 1_000) * each.perSecond);
          if (passed > 0 || passed < -1_000) bucket.at = now;
          const slot = workers[worker]?.enter(ip(addresses[next.enter] as string), now, each) as Entry;
          const count = open.filter((one) => one.key === key).length;
          if (each.maxConnections > 0 && count >= each.maxConnections) expect(slot).toBe(TOO_MANY);
          else if (each.perSecond > 0 && bucket.tokens < 1) expect(slot).toBe(TOO_FAST);
          else {
            expect(slot).toBeGreaterThanOrEqual(0);
            for (const other of open) expect(other.slot === slot).toBe(other.key === key);
            bucket.tokens -= 1;
            open.push({ key, worker, slot });
          }
        }
      }
    }),
  );
});

test("threads that enter and leave at the same time exceed no limit and lose no count", async () => {
  const workers = 4;
  const [passing, ...staying] = [ip("10.0.0.3"), ip("10.0.0.1"), ip("10.0.0.2"), ip("2001:db8::1")] as const;
  const pass: SourceRules = { maxConnections: 0, perSecond: 5, burst: 1_000 };
  const memory = sourceTable(1, workers, SEED);
  const open = new Int32Array(new SharedArrayBuffer(4 * staying.length));
  const threads = Array.from({ length: workers }, () => new Worker(new URL("./sources-worker.ts", import.meta.url)));
  try {
    await Promise.all(threads.map(heard));
    for (const [worker, thread] of threads.entries()) {
      thread.postMessage({ memory, workers, worker, staying, stay: THREE, open, passing, pass } satisfies Task);
    }
    const all = (await Promise.all(threads.map(heard))).filter((result) => result !== "ready");
    expect(Math.max(...all.map(({ most }) => most))).toBe(THREE.maxConnections);
    expect(all.reduce((sum, { refused }) => sum + refused, 0)).toBeGreaterThan(0);
    expect(all.reduce((sum, { passed }) => sum + passed, 0)).toBe(pass.burst);
  } finally {
    for (const thread of threads) thread.terminate();
  }
  const after = new Sources(memory, workers, 0);
  for (const address of staying) {
    expect([1, 2, 3, 4].map(() => isRefused(after.enter(address, 0, THREE)))).toEqual([false, false, false, true]);
  }
});

/** The next message of a thread. */
function heard(thread: Worker): Promise<FromThread> {
  return new Promise((resolve, reject) => {
    thread.onmessage = ({ data }) => resolve(data);
    thread.onerror = ({ message }) => reject(new Error(message));
  });
}
