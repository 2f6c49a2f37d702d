/** Steps that keep bytes: how many, for how long, and what they say to those before them. */
import { expect, test } from "bun:test";
import { Holder, type Parcel, type Turn } from "../../src/filter/holder.ts";
import type { StepContext } from "../../src/filter/step.ts";
import { BUFFER, Rig } from "./rig.ts";

/** Keeps everything until it is told otherwise. */
class Gate extends Holder {
  #open = false;
  finWaits = 0;

  open(): void {
    this.#open = true;
    this.reconsider();
  }

  protected override turn({ bytes }: Parcel): Turn {
    return this.#open ? { take: bytes.length } : { wait: Number.POSITIVE_INFINITY };
  }

  protected override finWait(since: number, now: number): number {
    return since + this.finWaits - now;
  }
}

function gated(limit?: number): { rig: Rig; gate: Gate } {
  let gate: Gate | undefined;
  const rig = new Rig((context: StepContext) => {
    gate = new Gate(context, limit);
    return [gate];
  });
  return { rig, gate: gate as Gate };
}

test("it takes no more than its limit and one write", () => {
  const { rig, gate } = gated();
  for (let n = 0; n < 10; n++) rig.send("x".repeat(BUFFER - 1));
  expect(gate.held).toBe(2 * (BUFFER - 1));
  expect(rig.waiting).toBe(8);
  gate.open();
  expect([gate.held, rig.waiting, rig.received.length]).toEqual([0, 0, 10 * (BUFFER - 1)]);
});

test("it holds while the next one is full, and says so when it has no room", () => {
  const { rig, gate } = gated(4);
  gate.open();
  rig.stall(true);
  rig.send("a", "bc", "de", "f");
  // The sink has said that it is full to the first of them.
  expect([rig.text, gate.held, rig.waiting]).toEqual(["a", 0, 3]);
  rig.stall(false);
  expect([rig.text, rig.waiting]).toEqual(["abcdef", 0]);
});

test("bytes that it keeps are its own", () => {
  const { rig, gate } = gated();
  rig.send("abc");
  gate.open();
  expect(rig.text).toBe("abc");
});

test("the FIN waits behind the bytes, and for as long as the step says", async () => {
  const { rig, gate } = gated();
  gate.finWaits = 10;
  rig.send("abc");
  rig.finish();
  await rig.run(100);
  expect(rig.fins).toBe(0);
  gate.finWaits = 150;
  gate.open();
  await rig.run(49);
  expect([rig.text, rig.fins]).toEqual(["abc", 0]);
  await rig.run(2);
  expect(rig.fins).toBe(1);
});

test("what it keeps goes on at once when it is taken out, the FIN as well", () => {
  const { rig, gate } = gated();
  gate.finWaits = 1_000;
  rig.send("abc", "def");
  rig.finish();
  rig.path.remove(gate);
  expect([rig.text, rig.fins, rig.timers, gate.held]).toEqual(["abcdef", 1, 0, 0]);
});

test("tiny writes are kept and passed on in no more than a moment", () => {
  const { rig, gate } = gated(1_000_000);
  for (let n = 0; n < 100_000; n++) gate.write(new Uint8Array([n]));
  gate.open();
  expect(rig.received).toEqual(Uint8Array.from({ length: 100_000 }, (_, n) => n));
});
