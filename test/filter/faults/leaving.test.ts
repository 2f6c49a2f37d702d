/** What a fault holds goes on in order when it is taken away, even if others say meanwhile that there is room. */
import { expect, test } from "bun:test";
import { Step } from "../../../src/filter/step.ts";
import type { Chunk } from "../../../src/net/runtime.ts";
import { fault, Rig } from "./rig.ts";

/** Finds room for more whenever it is given something, before it passes that on. */
class Roomy extends Step {
  override write(chunk: Chunk): boolean {
    this.previous.drain();
    return this.next.write(chunk);
  }
}

test.each([
  ["latency", fault("latency", { latency: 100 })],
  ["timeout", fault("timeout", { timeout: 0 })],
  ["a fault that has begun late", fault("timeout", {}, { after: { bytes: 1, time: 0 } })],
])("%s", async (_, config) => {
  const rig = new Rig(1, config);
  rig.path.insert(new Roomy());
  for (let writes = 0; writes < 5; writes++) rig.send(200);
  rig.finish();
  await rig.run(1);
  rig.path.remove(rig.path.steps[0] as Step);
  await rig.run(1);
  expect(rig.received).toBe(1_000);
  expect(rig.intact).toBe(true);
  expect(rig.fins).toHaveLength(1);
  expect(rig.misuses).toEqual([]);
});
