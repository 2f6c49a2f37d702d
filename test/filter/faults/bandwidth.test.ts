/** The fault bandwidth, to the millisecond. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { BUFFER, fault, Rig } from "./rig.ts";

test("sends what takes a second in a second, in pieces of 20 ms", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 1 }));
  rig.send(1_000);
  rig.finish();
  await rig.run(10_000);
  expect(rig.times).toEqual(Array.from({ length: 50 }, (_, index) => [20 * (index + 1), 20]));
  expect(rig.fins).toEqual([1_000]);
});

test("a slow line sends byte by byte", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 0.01 }));
  rig.send(3);
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [100, 1],
    [200, 1],
    [300, 1],
  ]);
});

test("a short write takes as long as its bytes", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 2 }));
  rig.at(100, () => rig.send(10));
  rig.at(102, () => rig.send(10));
  rig.at(500, () => rig.send(10));
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [105, 10],
    [110, 10],
    [505, 10],
  ]);
});

test("holds back who sends faster", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 1 }));
  for (let writes = 0; writes < 20; writes++) rig.send(100);
  expect(rig.path.held).toBe(300);
  await rig.run(1_000);
  expect(rig.received).toBe(1_000);
  expect(rig.path.held).toBeLessThan(BUFFER + 100);
  await rig.run(1_000);
  expect(rig.received).toBe(2_000);
});

test("never sends more than the rate, and no less while there is something to send", async () => {
  const rates = fc.constantFrom(0.5, 1, 3, 7, 50);
  const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(rates, sizes, async (rate, each) => {
      const rig = new Rig(1, fault("bandwidth", { rate }));
      for (const size of each) rig.send(size);
      await rig.run(1_000_000);
      let sum = 0;
      for (const { at, bytes } of rig.arrivals) {
        sum += bytes;
        expect(at).toBeCloseTo(sum / rate, 6);
      }
      expect(rig.received).toBe(rig.sent);
    }),
    { numRuns: 100 },
  );
});

test("late timers add up to nothing", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 1 }));
  rig.lateness = 7;
  rig.send(1_000);
  await rig.run(10_000);
  expect(rig.arrivals.at(-1)?.at).toBeWithin(1_000, 1_008);
});

test("does not catch up after the next one was full", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 1 }));
  rig.stalls = [0, 500];
  rig.send(100);
  await rig.run(10_000);
  expect(rig.times.map(([at]) => at)).toEqual([20, 40, 560, 580, 600]);
});

test("a rate of 0 cuts the line until the fault goes; a FIN waits behind the bytes", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 0 }));
  rig.send(100);
  rig.finish();
  await rig.run(100_000);
  expect(rig.received).toBe(0);
  expect(rig.fins).toEqual([]);
  for (const step of rig.path.steps) rig.path.remove(step);
  expect(rig.received).toBe(100);
  expect(rig.fins).toHaveLength(1);
});

test("another step that comes or goes behind it changes nothing", async () => {
  const rig = new Rig(1, fault("bandwidth", { rate: 1 }));
  rig.send(40);
  rig.at(10, () => rig.path.insert(rig.make(fault("slow_close", { delay: 5 }))));
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [20, 20],
    [40, 20],
  ]);
});
