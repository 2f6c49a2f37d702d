/**
 * Checks everything, as CI does: format and lint, types under Bun and Deno, dead code, tests on all three
 * runtimes. The last line counts: `N passed, N failed`.
 *
 *   bun scripts/check.ts
 */

import process from "node:process";
import { failureReports } from "./failure-reports.ts";

interface Step {
  readonly name: string;
  readonly argv: readonly string[];
}

const bin = (name: string) => `node_modules/.bin/${name}`;

const STEPS: readonly Step[] = [
  { name: "format and lint", argv: [bin("biome"), "ci", "--error-on-warnings", "."] },
  { name: "types under Bun", argv: [bin("tsc"), "-p", "."] },
  {
    name: "types under Deno",
    argv: [
      bin("deno"),
      "check",
      "--quiet",
      "src/main.ts",
      "src/index.ts",
      "src/testing.ts",
      "examples/testing/deno.test.ts",
      "test/contract/run-linux.ts",
      "adapters/linux/worker.ts",
    ],
  },
  { name: "dead code", argv: [bin("knip"), "--no-progress"] },
];

let passed = 0;
let failed = 0;

for (const step of STEPS) {
  const start = performance.now();
  const child = Bun.spawn([...step.argv], { stdout: "pipe", stderr: "pipe" });
  const output = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const good = (await child.exited) === 0;
  if (good) passed++;
  else failed++;
  console.log(`${good ? "ok    " : "FAILED"} ${step.name} (${((performance.now() - start) / 1_000).toFixed(1)} s)`);
  if (!good) console.log(output.join(""));
}

const tests = await runTests();
passed += tests.passed;
failed += tests.failed;
for (const report of tests.reports) console.log(report);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

/** Shows the output of `bun test` as it comes and counts what it reports. */
async function runTests(): Promise<{ passed: number; failed: number; reports: readonly string[] }> {
  const child = Bun.spawn([process.execPath, "test", "--timeout=120000"], { stdout: "inherit", stderr: "pipe" });
  let report = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stderr) {
    process.stderr.write(chunk);
    report += decoder.decode(chunk, { stream: true });
  }
  const code = await child.exited;
  const count = (what: string) => Number(new RegExp(`^\\s*(\\d+) ${what}$`, "m").exec(report)?.[1] ?? 0);
  const failures = count("fail") + count("error") + count("errors");
  return {
    passed: count("pass"),
    failed: code !== 0 && failures === 0 ? 1 : failures,
    reports: failureReports(report),
  };
}
