/** The fault timeout, to the millisecond. */
import { expect, test } from "bun:test";
import { BUFFER, fault, Rig } from "./rig.ts";

test("lets nothing through and closes the connection", async () => {
  const rig = new Rig(1, fault("timeout", { timeout: 300 }));
  rig.at(10, () => rig.send(10));
  await rig.run(1_000);
  expect(rig.received).toBe(0);
  expect(rig.endings).toEqual([{ at: 300, how: "close", rule: "timeout_downstream: closed after 300 ms" }]);
  expect(rig.fins).toEqual([300]);
  expect(rig.timers).toBe(0);
});

test("counts from when it came, whether there is anything to hold back or not", async () => {
  const rig = new Rig();
  rig.at(50, () => rig.path.insert(rig.make(fault("timeout", { timeout: 300 }))));
  await rig.run(1_000);
  expect(rig.endings.map(({ at }) => at)).toEqual([350]);
});

test("never closes with a timeout of 0, and holds the source back", async () => {
  const rig = new Rig(1, fault("timeout", { timeout: 0 }));
  for (let writes = 0; writes < 5; writes++) rig.send(100);
  rig.finish();
  await rig.run(100_000);
  expect(rig.said).toBe(false);
  expect(rig.path.held).toBeWithin(BUFFER, BUFFER + 100);
  expect(rig.endings).toEqual([]);
  expect(rig.fins).toEqual([]);
});

test("everything gets through when it is taken away", async () => {
  const rig = new Rig(1, fault("timeout", { timeout: 300 }));
  for (let writes = 0; writes < 5; writes++) rig.send(100);
  rig.finish();
  await rig.run(100);
  for (const step of rig.path.steps) rig.path.remove(step);
  await rig.run(1_000);
  expect(rig.received).toBe(500);
  expect(rig.intact).toBe(true);
  expect(rig.fins).toEqual([100]);
  expect(rig.endings).toEqual([]);
});

test("what it held is lost with the connection, also when it is taken away after that", async () => {
  const rig = new Rig(1, fault("timeout", { timeout: 300 }));
  rig.send(100);
  rig.finish();
  await rig.run(400);
  for (const step of rig.path.steps) rig.path.remove(step);
  expect(rig.received).toBe(0);
  expect(rig.fins).toEqual([300]);
  expect(rig.misuses).toEqual([]);
});
