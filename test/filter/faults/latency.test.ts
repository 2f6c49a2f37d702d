/** The fault latency, to the millisecond. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { fault, Rig } from "./rig.ts";

test("delays each write from when it came, and the FIN", async () => {
  const rig = new Rig(1, fault("latency", { latency: 100 }));
  rig.at(5, () => rig.send(10));
  rig.at(30, () => rig.send(20));
  rig.at(42, () => rig.finish());
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [105, 10],
    [130, 20],
  ]);
  expect(rig.fins).toEqual([142]);
});

test("does nothing at all with a latency of 0", async () => {
  const rig = new Rig(1, fault("latency", { latency: 0 }));
  rig.send(10);
  rig.finish();
  expect(rig.times).toEqual([[0, 10]]);
  expect(rig.fins).toEqual([0]);
  expect(rig.timers).toBe(0);
});

test("varies the delay evenly by jitter and never below 0", async () => {
  const within = async (latency: number, jitter: number) => {
    const rig = new Rig(7, fault("latency", { latency, jitter }));
    // Far apart, so that none waits for another.
    for (let index = 0; index < 400; index++) rig.at(index * 1_000, () => rig.send(1));
    await rig.run(400_000);
    return rig.arrivals.map(({ at }, index) => at - index * 1_000);
  };
  const delays = await within(100, 40);
  expect(Math.min(...delays)).toBeWithin(60, 62);
  expect(Math.max(...delays)).toBeWithin(138, 140);
  expect(delays.reduce((sum, each) => sum + each, 0) / delays.length).toBeWithin(97, 103);
  const short = await within(10, 40);
  expect(short.filter((each) => each === 0).length).toBeWithin(100, 200);
  expect(Math.max(...short)).toBeWithin(49, 50);
});

test("keeps the order, and the FIN behind the bytes, whatever the jitter", async () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.nat(), gaps, async (seed, each) => {
      const rig = new Rig(seed, fault("latency", { latency: 50, jitter: 50 }));
      let at = 0;
      for (const gap of each) {
        at += gap;
        rig.at(at, () => rig.send(3));
      }
      rig.at(at + 1, () => rig.finish());
      await rig.run(10_000);
      expect(rig.intact).toBe(true);
      expect(rig.received).toBe(3 * each.length);
      expect(rig.fins[0] ?? 0).toBeGreaterThanOrEqual(rig.arrivals.at(-1)?.at ?? 0);
    }),
    { numRuns: 100 },
  );
});

test("is no limit of bandwidth: much is on its way at once", async () => {
  const rig = new Rig(1, fault("latency", { latency: 1_000 }));
  for (let writes = 0; writes < 200; writes++) rig.send(10_000);
  expect(rig.said).toBe(true);
  expect(rig.path.held).toBe(2_000_000);
  await rig.run(1_000);
  expect(rig.received).toBe(2_000_000);
});

test("is full with 16 MiB", () => {
  const rig = new Rig(1, fault("latency", { latency: 1_000 }));
  const chunk = new Uint8Array(1_024 * 1_024);
  for (let mebibytes = 1; mebibytes < 16; mebibytes++) expect(rig.path.write(chunk)).toBe(true);
  expect(rig.path.write(chunk)).toBe(false);
  rig.path.stop();
});

test("passes on at once what is on its way when it is taken away", async () => {
  const rig = new Rig(1, fault("latency", { latency: 1_000 }));
  rig.send(10);
  rig.finish();
  await rig.run(100);
  for (const step of rig.path.steps) rig.path.remove(step);
  expect(rig.times).toEqual([[100, 10]]);
  expect(rig.fins).toEqual([100]);
  expect(rig.timers).toBe(0);
});
