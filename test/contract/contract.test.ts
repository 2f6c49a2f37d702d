/** Every adapter, in its own runtime, against the whole suite: one test per case and runtime. */
import { describe, expect, test } from "bun:test";
import { caseNames, outcomes } from "./outcomes.ts";
import { RUNTIMES } from "./runtimes.ts";

const names = await caseNames();

for (const runtime of RUNTIMES) {
  describe(runtime, () => {
    test("runs the whole suite", async () => expect((await outcomes(runtime)).length).toBe(names.length), 300_000);
    for (const name of names) {
      test(name, async () => {
        const outcome = (await outcomes(runtime)).find((each) => each.name === name);
        if (outcome?.result === "skipped") console.log(`${runtime} skips "${name}": ${outcome.why}`);
        else expect(outcome?.why ?? outcome?.result).toBe("passed");
      });
    }
  });
}
