/** The fault slow_close, to the millisecond. */
import { expect, test } from "bun:test";
import { fault, Rig } from "./rig.ts";

test("delays the FIN alone", async () => {
  const rig = new Rig(1, fault("slow_close", { delay: 250 }));
  rig.at(10, () => rig.send(10));
  rig.at(20, () => rig.finish());
  await rig.run(1_000);
  expect(rig.times).toEqual([[10, 10]]);
  expect(rig.fins).toEqual([270]);
});

test("passes a FIN on that waits when it is taken away", async () => {
  const rig = new Rig(1, fault("slow_close", { delay: 250 }));
  rig.finish();
  await rig.run(100);
  for (const step of rig.path.steps) rig.path.remove(step);
  expect(rig.fins).toEqual([100]);
  expect(rig.timers).toBe(0);
  await rig.run(1_000);
  expect(rig.fins).toEqual([100]);
});

test("tells the source that there is room", async () => {
  const rig = new Rig(1, fault("slow_close", { delay: 250 }));
  rig.stalls = [30, 30];
  for (let writes = 0; writes < 3; writes++) rig.send(10);
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [0, 10],
    [30, 10],
    [60, 10],
  ]);
});
