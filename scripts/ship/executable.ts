/**
 * One executable with everything in it, compiled by Bun.
 *
 * - Bytecode: what is loaded at the start is not parsed first. That is 90 ms of 155 until weir listens.
 * - Chunks: `weir tcp` does not load what reads files; without them 10 ms more.
 * - Names stay, and source maps are inside: a stack in a log names functions, files and lines of the source.
 * - No `.env`, `bunfig.toml` or the like is read where weir happens to be started: they could make it run other code.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ROOT, type Source, stamp } from "./stamp.ts";
import type { Target } from "./targets.ts";

/** The program, and what its threads run: see `workerEntry` in adapters/linux/native.ts. */
const ENTRIES = ["src/main.ts", "adapters/linux/worker.ts"];

/** Which inputs are in which outputs, as Bun tells it. */
export type Metafile = NonNullable<Bun.BuildOutput["metafile"]>;

/** Writes the executable for `target` to `outfile` and tells what is in it. Throws with what Bun says. */
export async function compile(target: Target, outfile: string, from: Source): Promise<Metafile> {
  mkdirSync(dirname(outfile), { recursive: true });
  // Its name gets into the executable: whatever that is called later, it was this.
  const folder = mkdtempSync(join(dirname(outfile), ".weir-"));
  const compiled = join(folder, target.platform === "win32" ? "weir.exe" : "weir");
  try {
    const built = await build(target, compiled, from);
    renameSync(compiled, outfile);
    return built;
  } finally {
    // With the source maps, which are in the executable, too.
    rmSync(folder, { recursive: true });
  }
}

async function build(target: Target, outfile: string, from: Source): Promise<Metafile> {
  const built = await Bun.build({
    entrypoints: ENTRIES.map((entry) => join(ROOT, entry)),
    root: ROOT,
    target: "bun",
    format: "esm",
    splitting: true,
    bytecode: true,
    minify: { whitespace: true, syntax: true, identifiers: false },
    sourcemap: "linked",
    metafile: true,
    define: stamp(from, target.name),
    compile: {
      target: target.bun,
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
    },
  });
  if (!built.metafile) throw new Error(`Cannot build ${outfile}: there is no list of what is in it`);
  return built.metafile;
}
