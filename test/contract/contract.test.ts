/** Every adapter, in its own runtime, against the whole suite: one test per case and adapter. */
import { describe, expect, test } from "bun:test";
import { caseNames, outcomes } from "./outcomes.ts";
import { ADAPTERS } from "./runtimes.ts";

const names = await caseNames();

for (const adapter of Object.keys(ADAPTERS)) {
  describe(adapter, () => {
    test("runs the whole suite", async () => expect((await outcomes(adapter)).length).toBe(names.length), 300_000);
    for (const name of names) {
      test(name, async () => {
        const outcome = (await outcomes(adapter)).find((each) => each.name === name);
        if (outcome?.result === "skipped") console.log(`${adapter} skips "${name}": ${outcome.why}`);
        else expect(outcome?.why ?? outcome?.result).toBe("passed");
      });
    }
  });
}
