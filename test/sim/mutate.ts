/** Loaded before everything else: changes one source file as the mutant of WEIR_MUTANT says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS } from "./mutants.ts";

const mutant = MUTANTS[Number(process.env["WEIR_MUTANT"])];
if (!mutant) throw new Error(`WEIR_MUTANT must be 0 to ${MUTANTS.length - 1}`);
const { file, find, replace } = mutant;
const path = join(import.meta.dir, "../..", file);
const source = readFileSync(path, "utf8");
if (source.split(find).length !== 2) throw new Error(`${file} has not exactly one "${find}"`);

Bun.plugin({
  name: "mutant",
  setup(build) {
    const filter = new RegExp(`${file.replaceAll(/[/.]/g, "\\$&")}$`);
    build.onLoad({ filter }, () => ({ contents: source.replace(find, () => replace), loader: "ts" }));
  },
});
