/**
 * Builds `dist/weir`, the executable for this machine, and tells what is in it.
 *
 *   bun run build [--outfile FILE]
 */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { contents } from "./ship/contents.ts";
import { compile } from "./ship/executable.ts";
import { ROOT, source, VERSION } from "./ship/stamp.ts";
import { targetHere } from "./ship/targets.ts";

const { values } = parseArgs({ options: { outfile: { type: "string", default: "dist/weir" } } });
const target = targetHere();
if (!target)
  throw new Error(
    `weir is not built for ${process.platform} on ${process.arch}; scripts/ship/targets.ts says for what`,
  );

const from = source();
const outfile = resolve(values.outfile);
// The compiler writes paths as they are from the folder that it runs in.
process.chdir(ROOT);
const metafile = await compile(target, outfile, from);
const { size } = Bun.file(outfile);
console.log(
  `${values.outfile}: weir ${VERSION} (${from.commit ?? "no commit"}) for ${target.name}, ${megabytes(size)}`,
);
for (const line of contents(metafile, size)) console.log(line);

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
