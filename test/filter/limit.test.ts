/** Limits: no byte passes before its time, and none later than it must. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { burstOfRate, Limit, parseBurst, parseByteRate } from "../../src/filter/limit.ts";
import { UsageError } from "../../src/net/errors.ts";
import { BUFFER, Rig } from "./rig.ts";

function limited(rate: number, burst: number, late = () => 0): Rig {
  return new Rig((context) => {
    const { now, after } = context.runtime;
    return [new Limit({ rate, burst }, { ...context, runtime: { now, after: (ms, run) => after(ms + late(), run) } })];
  });
}

/** When how much had passed by then. */
function progress(rig: Rig): { at: number; total: number }[] {
  let total = 0;
  return rig.arrivals.map(({ at, chunk }) => {
    total += chunk.length;
    return { at, total };
  });
}

test("in any stretch of time no more passes than the burst and what the rate makes of it", async () => {
  const config = fc.record({
    rate: fc.constantFrom(1, 7, 300, 1_000, 12_345, 1_000_000),
    burst: fc.integer({ min: 1, max: 200 }),
    lateness: fc.array(fc.constantFrom(0, 0, 0.3, 1, 50), { minLength: 1, maxLength: 5 }),
    sends: fc.array(
      fc.record({ pause: fc.constantFrom(0, 0, 1, 33.3, 1_000), size: fc.integer({ min: 1, max: 100 }) }),
      { maxLength: 8 },
    ),
  });
  await fc.assert(
    fc.asyncProperty(config, async ({ rate, burst, lateness, sends }) => {
      let timers = 0;
      const rig = limited(rate, burst, () => lateness[timers++ % lateness.length] ?? 0);
      for (const { pause, size } of sends) {
        await rig.run(pause);
        rig.send(new Uint8Array(size));
      }
      rig.finish();
      await rig.run(10_000_000);
      const passed = progress(rig);
      expect([passed.at(-1)?.total ?? 0, rig.fins, rig.timers]).toEqual([
        sends.reduce((sum, { size }) => sum + size, 0),
        1,
        0,
      ]);
      const early = passed.some((from, index) => {
        const before = passed[index - 1]?.total ?? 0;
        return passed.slice(index).some(({ at, total }) => {
          return total - before > burst + (rate * (at - from.at)) / 1_000 + 1e-6;
        });
      });
      expect(early).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test.each([
  [10, 1, 0],
  [10, 2, 90],
  [1_000, 100, 85],
  [3_333, 50, 4],
  [99_983, 9_998, 85],
])(
  "%p bytes per second with a burst of %p are as many in the long run, even if timers are %p ms late",
  async (rate, burst, late) => {
    let timers = 0;
    const rig = limited(rate, burst, () => (timers++ % 2) * late);
    const seconds = 20;
    for (let left = rate * (seconds + 5); left > 0; left -= BUFFER) rig.send(new Uint8Array(BUFFER));
    await rig.run(seconds * 1_000);
    const most = burst + rate * seconds;
    // It waits for so many at a time.
    const least = most - burst - rate / 100 - 1;
    expect(rig.received.length).toBeWithin(least, most + 1);
  },
);

test("passes on at once what the burst allows, and the rest in grains", async () => {
  const rig = limited(1_000, 30);
  rig.send(new Uint8Array(60));
  await rig.run(1_000);
  expect(progress(rig)).toEqual([
    { at: 0, total: 30 },
    { at: 10, total: 40 },
    { at: 20, total: 50 },
    { at: 30, total: 60 },
  ]);
  rig.send(new Uint8Array(30));
  expect(rig.received.length).toBe(90);
});

test("holds back a source that is faster", async () => {
  const rig = limited(100, 1);
  for (let n = 0; n < 10; n++) rig.send(new Uint8Array(BUFFER));
  await rig.run(100);
  expect(rig.path.held).toBeLessThanOrEqual(2 * BUFFER);
  expect(rig.waiting).toBe(8);
});

test.each([
  ["1MB/s", 1_000_000],
  ["64KiB/s", 65_536],
  ["1.5KB/s", 1_500],
  ["1/s", 1],
])("reads %p as %p bytes per second", (text, rate) => {
  expect(parseByteRate(text)).toBe(rate);
});

const form = 'write bytes in a second, such as "1MB/s" or "64KiB/s"';
const units = "use B, KB, MB, GB (thousands) or KiB, MiB, GiB (1024s)";
test.each([
  ["", "ERATE", `Cannot parse rate "": ${form}`],
  ["1MB", "ERATE", `Cannot parse rate "1MB": ${form}`],
  ["1MB/m", "ERATE", `Cannot parse rate "1MB/m": ${form}`],
  [
    "0/s",
    "ERATE",
    'Cannot parse rate "0/s": nothing would pass; write more, such as "64KiB/s", or a filter of type "drop"',
  ],
  ["10Mbit/s", "ESIZE", `Cannot parse size "10Mbit": the unit "Mbit" is unknown; ${units}`],
])("refuses %p as a rate and says why", (text, code, message) => {
  expect(() => parseByteRate(text)).toThrow(expect.objectContaining({ name: "UsageError", code, message }));
});

test("a burst is a size that lets something pass, by default that of a tenth of a second", () => {
  expect(parseBurst("64KiB")).toBe(65_536);
  const message = 'Cannot use "0" as a burst: nothing would pass; write more, such as "64KiB"';
  expect(() => parseBurst("0")).toThrow(new UsageError("ESIZE", message));
  expect([burstOfRate(1), burstOfRate(1_000_000)]).toEqual([2, 100_000]);
});
