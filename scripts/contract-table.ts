/**
 * Runs the contract suite against every adapter and prints what works where, as the table for CHANGELOG.md.
 *
 *   bun scripts/contract-table.ts
 */
import { caseNames, outcomes } from "../test/contract/outcomes.ts";
import { ADAPTERS } from "../test/contract/runtimes.ts";

const ADAPTER_NAMES = Object.keys(ADAPTERS);
const results = [];
for (const adapter of ADAPTER_NAMES) results.push(await outcomes(adapter));

console.log(`| the adapter's promise | ${ADAPTER_NAMES.join(" | ")} |`);
console.log(`|---|${ADAPTER_NAMES.map(() => "---").join("|")}|`);
for (const name of await caseNames()) {
  const cells = results.map((result) => cell(result.find((outcome) => outcome.name === name)));
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}

function cell(outcome: { result: string; why?: string } | undefined): string {
  if (outcome?.result === "passed") return "yes";
  if (outcome?.result === "skipped") return `no: ${outcome.why}`;
  return "FAILED";
}
