/** Trims itself twice, with work before, between and after; prints kilobytes of files in its memory. */
import { readFileSync } from "node:fs";
import { stdout } from "node:process";
import { ffi } from "#ffi";
import { System } from "../../adapters/linux/system.ts";
import { trimCode, trimHeap } from "../../adapters/linux/trim.ts";

/** smaps_rollup is exact where the fields of status are estimates. */
function inMemory(): number {
  const kilobytes = (field: string) =>
    Number(new RegExp(`^${field}: +(\\d+)`, "m").exec(readFileSync("/proc/self/smaps_rollup", "latin1"))?.[1]);
  return kilobytes("Rss") - kilobytes("Anonymous");
}

/** Parses, compiles, collects and formats: more of the runtime than a relay would. */
function work(): string {
  const values = Array.from({ length: 1_000 }, (_, i) => ({ i, text: `${i}`.padStart(5, "0") }));
  return [...JSON.stringify(values).matchAll(/"text":"0*(\d+)"/g)].map(([, digits]) => digits).join(" ");
}

const system = new System(ffi, false);
const first = work();
const before = inMemory();
trimHeap();
trimCode(system);
const after = inMemory();
const second = work();
trimCode(system);
stdout.write(JSON.stringify({ before, after, again: inMemory(), same: first === second && second === work() }));
