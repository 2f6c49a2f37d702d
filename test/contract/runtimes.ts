/** How a file of this project is run under each runtime. Node runs no TypeScript with imports, so it gets a bundle. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const RUNTIMES = ["bun", "deno", "node"] as const;
export type RuntimeName = (typeof RUNTIMES)[number];

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
