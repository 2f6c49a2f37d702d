/**
 * Tries an executable as a stranger would: with an empty environment, in a folder that is not its own, read-only.
 *
 *   bun scripts/smoke.ts [--prefix "qemu-aarch64-static -L /usr/aarch64-linux-gnu"] [--portable] [EXECUTABLE]
 *
 * `--prefix`: what runs it. `--portable`: the native engine is not to be tried. Exit code 1 if anything is not as it should be.
 */
import { parseArgs } from "node:util";
import { smoke } from "./ship/smoke.ts";

const { values, positionals } = parseArgs({
  options: { prefix: { type: "string", default: "" }, portable: { type: "boolean", default: false } },
  allowPositionals: true,
});
const executable = positionals[0] ?? "dist/weir";
const prefix = values.prefix.split(" ").filter((word) => word !== "");
const findings = await smoke(executable, { prefix, native: process.platform === "linux" && !values.portable });
for (const { what, seconds, failure } of findings) {
  console.log(`${failure === undefined ? "ok    " : "FAILED"} ${what} (${seconds.toFixed(2)} s)`);
  if (failure !== undefined) console.log(`       ${failure}`);
}
const failed = findings.filter(({ failure }) => failure !== undefined).length;
console.log(`${executable}: ${findings.length - failed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
