/**
 * Runs the contract suite under Bun, Deno and Node and prints what works where, as the table for CHANGELOG.md.
 *
 *   bun scripts/contract-table.ts
 */
import { caseNames, outcomes } from "../test/contract/outcomes.ts";
import { RUNTIMES } from "../test/contract/runtimes.ts";

const results = [];
for (const runtime of RUNTIMES) results.push(await outcomes(runtime));

console.log(`| the adapter's promise | ${RUNTIMES.join(" | ")} |`);
console.log(`|---|${RUNTIMES.map(() => "---").join("|")}|`);
for (const name of await caseNames()) {
  const cells = results.map((result) => cell(result.find((outcome) => outcome.name === name)));
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}

function cell(outcome: { result: string; why?: string } | undefined): string {
  if (outcome?.result === "passed") return "yes";
  if (outcome?.result === "skipped") return `no: ${outcome.why}`;
  return "FAILED";
}
