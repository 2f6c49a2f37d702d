/** The fault down, to the millisecond. */
import { expect, test } from "bun:test";
import { fault, Rig } from "./rig.ts";

test("resets the connection, but not before its maker is done", async () => {
  const rig = new Rig(1, fault("down"));
  expect(rig.endings).toEqual([]);
  await rig.run(1);
  expect(rig.endings).toEqual([{ at: 0, how: "cut", rule: "down_downstream: down" }]);
  expect(rig.timers).toBe(0);
});

test("resets a connection that was there before it", async () => {
  const rig = new Rig();
  rig.send(10);
  rig.at(50, () => rig.path.insert(rig.make(fault("down"))));
  await rig.run(100);
  expect(rig.received).toBe(10);
  expect(rig.endings.map(({ at, how }) => [at, how])).toEqual([[50, "cut"]]);
});

test("does nothing if it is taken away at once", async () => {
  const rig = new Rig(1, fault("down"));
  for (const step of rig.path.steps) rig.path.remove(step);
  await rig.run(100);
  expect(rig.endings).toEqual([]);
});
