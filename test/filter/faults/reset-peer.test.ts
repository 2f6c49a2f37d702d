/** The fault reset_peer, to the millisecond. */
import { expect, test } from "bun:test";
import { fault, Rig } from "./rig.ts";

test("resets both sides so long after the first bytes, which it holds back", async () => {
  const rig = new Rig(1, fault("reset_peer", { timeout: 200 }));
  rig.at(1_000, () => rig.send(10));
  rig.at(1_100, () => rig.send(10));
  await rig.run(5_000);
  expect(rig.received).toBe(0);
  expect(rig.endings).toEqual([{ at: 1_200, how: "cut", rule: "reset_peer_downstream: reset" }]);
  expect(rig.timers).toBe(0);
});

test("does so at once with a timeout of 0", async () => {
  const rig = new Rig(1, fault("reset_peer", { timeout: 0 }));
  rig.at(1_000, () => rig.send(10));
  await rig.run(5_000);
  expect(rig.endings.map(({ at }) => at)).toEqual([1_000]);
});

test("a FIN counts as the first bytes do", async () => {
  const rig = new Rig(1, fault("reset_peer", { timeout: 200 }));
  rig.at(1_000, () => rig.finish());
  await rig.run(5_000);
  expect(rig.endings.map(({ at }) => at)).toEqual([1_200]);
  expect(rig.fins).toEqual([]);
});

test("nothing happens to a connection on which nothing happens", async () => {
  const rig = new Rig(1, fault("reset_peer", { timeout: 0 }));
  await rig.run(100_000);
  expect(rig.endings).toEqual([]);
  expect(rig.timers).toBe(0);
});

test("everything gets through when it is taken away in time", async () => {
  const rig = new Rig(1, fault("reset_peer", { timeout: 200 }));
  rig.send(10);
  rig.finish();
  await rig.run(100);
  for (const step of rig.path.steps) rig.path.remove(step);
  await rig.run(1_000);
  expect(rig.received).toBe(10);
  expect(rig.fins).toEqual([100]);
  expect(rig.endings).toEqual([]);
});
