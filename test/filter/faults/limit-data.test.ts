/** The fault limit_data, to the millisecond. */
import { expect, test } from "bun:test";
import { fault, Rig } from "./rig.ts";

test("closes the connection after so many bytes and passes no more on", async () => {
  const rig = new Rig(1, fault("limit_data", { bytes: 25 }));
  rig.at(1, () => rig.send(10));
  rig.at(2, () => rig.send(10));
  rig.at(3, () => rig.send(10));
  await rig.run(100);
  expect(rig.times).toEqual([
    [1, 10],
    [2, 10],
    [3, 5],
  ]);
  expect(rig.endings).toEqual([{ at: 3, how: "close", rule: "limit_data_downstream: closed after 25 bytes" }]);
  expect(rig.fins).toEqual([3]);
});

test("closes it with the last byte, not with the one after it", () => {
  const rig = new Rig(1, fault("limit_data", { bytes: 10 }));
  rig.send(10);
  expect(rig.received).toBe(10);
  expect(rig.fins).toEqual([0]);
});

test("with 0 bytes the first one closes it, and a FIN before that passes", () => {
  const closed = new Rig(1, fault("limit_data", { bytes: 0 }));
  expect(closed.endings).toEqual([]);
  closed.send(10);
  expect(closed.received).toBe(0);
  expect(closed.endings).toHaveLength(1);
  const finished = new Rig(1, fault("limit_data", { bytes: 0 }));
  finished.finish();
  expect(finished.fins).toEqual([0]);
  expect(finished.endings).toEqual([]);
});

test("what comes after that is thrown away, and does not hold the source back", () => {
  const rig = new Rig(1, fault("limit_data", { bytes: 10 }));
  rig.send(20);
  expect(rig.path.write(new Uint8Array(10))).toBe(true);
  rig.path.end();
  expect(rig.endings).toHaveLength(1);
  expect(rig.received).toBe(10);
  expect(rig.fins).toEqual([0]);
});

test("what it has passed on arrives through the faults behind it, and the FIN after that", async () => {
  const rig = new Rig(1, fault("limit_data", { bytes: 10 }), fault("latency", { latency: 100 }));
  rig.send(20);
  await rig.run(1_000);
  expect(rig.times).toEqual([[100, 10]]);
  expect(rig.fins).toEqual([100]);
});
