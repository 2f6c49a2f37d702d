/** Faults that let a session work at first. */
import { expect, test } from "bun:test";
import { After } from "../../../src/filter/faults/after.ts";
import { Step } from "../../../src/filter/step.ts";
import { fault, Rig } from "./rig.ts";

test("a fault begins behind exactly so many bytes", async () => {
  const rig = new Rig(1, fault("latency", { latency: 100 }, { after: { bytes: 25, time: 0 } }));
  rig.send(10);
  rig.send(20);
  rig.send(10);
  rig.finish();
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [0, 10],
    [0, 15],
    [100, 5],
    [100, 10],
  ]);
  expect(rig.intact).toBe(true);
  expect(rig.fins).toEqual([100]);
});

test("its time begins with it", async () => {
  const rig = new Rig(1, fault("timeout", { timeout: 300 }, { after: { bytes: 10, time: 0 } }));
  rig.at(50, () => rig.send(10));
  await rig.run(1_000);
  expect(rig.received).toBe(10);
  expect(rig.endings.map(({ at }) => at)).toEqual([350]);
});

test("a fault begins after so long", async () => {
  const rig = new Rig(1, fault("latency", { latency: 100 }, { after: { bytes: 0, time: 500 } }));
  rig.at(499, () => rig.send(10));
  rig.at(501, () => rig.send(10));
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [499, 10],
    [601, 10],
  ]);
});

test.each([
  [{ bytes: 10, time: 500 }, 10],
  [{ bytes: 1_000, time: 50 }, 50],
])("of %p the first to come true counts", async (after, at) => {
  const rig = new Rig(1, fault("down", {}, { after }));
  rig.at(10, () => rig.send(10));
  await rig.run(1_000);
  expect(rig.endings.map((ending) => ending.at)).toEqual([at]);
  expect(rig.timers).toBe(0);
});

test("a FIN passes before it has begun, and what it holds is counted", async () => {
  const rig = new Rig(1, fault("slow_close", { delay: 100 }, { after: { bytes: 0, time: 50 } }));
  rig.at(10, () => rig.finish());
  await rig.run(1_000);
  expect(rig.fins).toEqual([10]);
  const holding = new Rig(1, fault("timeout", { timeout: 0 }, { after: { bytes: 10, time: 0 } }));
  holding.send(30);
  expect(holding.path.held).toBe(20);
});

test("who waited for room when it began hears of it", async () => {
  const rig = new Rig(1, fault("latency", { latency: 10 }, { after: { bytes: 0, time: 50 } }));
  rig.stalls = [100];
  rig.send(10);
  rig.send(10);
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [0, 10],
    [110, 10],
  ]);
});

test("who sends its last bytes before it begins waits for room as well", async () => {
  const rig = new Rig(1, fault("latency", { latency: 10 }, { after: { bytes: 10, time: 0 } }));
  rig.stalls = [100];
  rig.send(10);
  rig.send(10);
  expect(rig.said).toBe(false);
  await rig.run(1_000);
  expect(rig.times).toEqual([
    [0, 10],
    [110, 10],
  ]);
});

test.each([0, 20])("no timer is left when it is taken away or stopped, %d bytes later", async (bytes) => {
  for (const way of ["remove", "stop"]) {
    const rig = new Rig(1, fault("timeout", { timeout: 500 }, { after: { bytes: 20, time: 500 } }));
    rig.send(bytes);
    await rig.run(1);
    expect(rig.timers).toBe(1);
    for (const step of rig.path.steps) way === "remove" ? rig.path.remove(step) : step.stop();
    expect(rig.timers).toBe(0);
  }
});

test("a next one that is full again with what the fault held is not given more: its drain is still to come", () => {
  class Held extends Step {
    left = 1;
    override drain(): void {
      if (this.left-- > 0) this.next.write(new Uint8Array(5));
    }
  }
  let [full, drains] = [true, 0];
  const after = new After({ bytes: 10, time: 0 }, { now: () => 0, after: () => ({ cancel() {} }) }, () => new Held());
  after.previous = { drain: () => drains++ };
  after.next = {
    write: () => !full,
    end() {},
    broke() {},
    get full() {
      return full;
    },
  };
  expect(after.write(new Uint8Array(10))).toBe(false);
  after.drain();
  expect(drains).toBe(0);
  full = false;
  after.drain();
  expect(drains).toBe(1);
});
