/** The fault slicer, to the millisecond. */
import { expect, test } from "bun:test";
import { fault, Rig } from "./rig.ts";

test("writes pieces of one size and what is left", async () => {
  const rig = new Rig(1, fault("slicer", { average_size: 30 }));
  rig.send(100);
  rig.send(10);
  rig.finish();
  expect(rig.sizes).toEqual([30, 30, 30, 10, 10]);
  expect(rig.fins).toEqual([0]);
});

test("varies the size evenly", async () => {
  const rig = new Rig(3, fault("slicer", { average_size: 100, size_variation: 20 }));
  for (let writes = 0; writes < 10; writes++) rig.send(10_000);
  const full = rig.sizes.filter((size) => size >= 80);
  expect(Math.min(...full)).toBe(80);
  expect(Math.max(...full)).toBe(120);
  expect(full.reduce((sum, each) => sum + each, 0) / full.length).toBeWithin(98, 102);
  // The last pieces of the ten writes.
  expect(rig.sizes.length - full.length).toBeLessThanOrEqual(10);
});

test("a piece has one byte at least", async () => {
  const rig = new Rig(1, fault("slicer", { average_size: 1, size_variation: 5 }));
  rig.send(1_000);
  expect(rig.received).toBe(1_000);
  expect(Math.min(...rig.sizes)).toBe(1);
  expect(Math.max(...rig.sizes)).toBe(6);
});

test("pauses after each piece, also where one write ends", async () => {
  const rig = new Rig(1, fault("slicer", { average_size: 10, delay: 250 }));
  rig.send(20);
  rig.send(10);
  rig.at(5, () => rig.send(20));
  await rig.run(100);
  expect(rig.times).toEqual([
    [0, 10],
    [0.25, 10],
    [0.5, 10],
    [5, 10],
    [5.25, 10],
  ]);
});

test("pauses are right on average although timers count milliseconds", async () => {
  const rig = new Rig(1, fault("slicer", { average_size: 1, delay: 300 }));
  rig.lateness = 1;
  rig.send(1_000);
  await rig.run(10_000);
  expect(rig.sizes).toEqual(Array.from({ length: 1_000 }, () => 1));
  expect(rig.arrivals.at(-1)?.at).toBeWithin(299.7, 302);
});

test("does not catch up after the next one was full", async () => {
  const rig = new Rig(1, fault("slicer", { average_size: 10, delay: 10_000 }));
  rig.stalls = [0, 100];
  rig.send(50);
  await rig.run(1_000);
  expect(rig.times.map(([at]) => at)).toEqual([0, 10, 110, 120, 130]);
});
