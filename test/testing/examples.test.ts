/** The examples of tests with faults pass under the test runner of each runtime. */
import { expect, test } from "bun:test";
import { command, RUNTIMES, type RuntimeName } from "../contract/runtimes.ts";
import { run } from "../e2e/weir.ts";

/** How many tests there are, and what the runner says of those that pass. */
const RUNNERS: Readonly<Record<RuntimeName, readonly [tests: number, said: RegExp]>> = {
  bun: [5, /^ (\d+) pass$/m],
  deno: [4, /(\d+) passed \| 0 failed/],
  node: [4, /^# pass (\d+)$/m],
};

test.each(RUNTIMES)("examples/testing/%s.test.ts", async (runtime) => {
  const [tests, said] = RUNNERS[runtime];
  const { code, out, err } = await run(await runner(runtime, `examples/testing/${runtime}.test.ts`));
  expect(said.exec(out + err)?.[1], out + err).toBe(String(tests));
  expect(code).toBe(0);
});

/** The command line that runs one file of tests. */
async function runner(runtime: RuntimeName, file: string): Promise<string[]> {
  const [program = "", ...rest] = await command(runtime, file);
  if (runtime === "bun") return [program, "test", "--timeout=60000", ...rest];
  if (runtime === "node") return [program, "--test", "--test-reporter=tap", ...rest];
  // Types are checked with those of everything else.
  return [program, "test", "--no-check", ...rest.filter((word) => word !== "run")];
}
