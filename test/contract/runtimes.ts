/** How a file of this project is run under each runtime. Node runs no TypeScript with imports, so it gets a bundle. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const RUNTIMES = ["bun", "deno", "node"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

/** How the contract suite is run against one adapter. */
interface Suite {
  readonly runtime: RuntimeName;
  readonly file: string;
  /** As a single-file executable of Bun. */
  readonly compiled?: true;
  /** With guarded native memory. */
  readonly checked?: true;
}

const PORTABLE = "test/contract/run.ts";
const NATIVE = "test/contract/run-linux.ts";

/** What the contract holds for: each runtime's portable adapter, and the native one where it runs. */
export const ADAPTERS: Readonly<Record<string, Suite>> = {
  bun: { runtime: "bun", file: PORTABLE },
  deno: { runtime: "deno", file: PORTABLE },
  node: { runtime: "node", file: PORTABLE },
  ...(process.platform === "linux" && {
    "linux, bun": { runtime: "bun", file: NATIVE },
    "linux, deno": { runtime: "deno", file: NATIVE },
    "linux, compiled": { runtime: "bun", file: NATIVE, compiled: true },
    "linux, checked": { runtime: "bun", file: NATIVE, checked: true },
  }),
};

const ROOT = join(import.meta.dir, "../..");

/** The program itself: npm's `.bin/deno` is a script that starts it and would keep our signals to itself. */
const DENO = join(ROOT, "node_modules/deno", process.platform === "win32" ? "deno.exe" : "deno");

/** The command line that runs `file` (a path from the project's root). */
export async function command(runtime: RuntimeName, file: string): Promise<string[]> {
  const path = join(ROOT, file);
  if (runtime === "bun") return [process.execPath, path];
  if (runtime === "deno") return [DENO, "run", "--quiet", "--allow-all", path];
  return ["node", await bundle(path)];
}

/** A single-file executable of `file`. */
export function compile(file: string, ...more: string[]): string {
  const out = join(mkdtempSync(join(tmpdir(), "weir-compiled-")), "program");
  const entries = [file, ...more].map((each) => join(ROOT, each));
  const built = Bun.spawnSync([process.execPath, "build", "--compile", ...entries, "--outfile", out], { cwd: ROOT });
  if (built.exitCode !== 0) throw new Error(built.stderr.toString());
  return out;
}

const bundles = new Map<string, Promise<string>>();

function bundle(entry: string): Promise<string> {
  const known = bundles.get(entry);
  if (known) return known;
  const made = build(entry);
  bundles.set(entry, made);
  return made;
}

async function build(entry: string): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), "weir-node-"));
  const built = await Bun.build({ entrypoints: [entry], target: "node", outdir, naming: "[name].mjs" });
  const [output] = built.outputs;
  if (!output) throw new Error(`nothing was built from ${entry}`);
  return output.path;
}
