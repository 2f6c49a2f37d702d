/**
 * The package for npm: the library and the program, bundled for each runtime with all that they need, and their types. A
 * folder as `npm pack` takes it; nothing of the tests is in it.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import type { Metafile } from "./executable.ts";
import { ROOT, type Source, stamp, VERSION } from "./stamp.ts";
import { writeTypes } from "./types.ts";

/** A bundle for one of the conditions by which packages are resolved. */
interface Bundle {
  readonly name: "bun" | "deno" | "node";
  readonly runtime: string;
  readonly target: "bun" | "node";
  readonly conditions: string[];
  /** Its threads, where it can have some. */
  readonly worker: boolean;
}

const BUNDLES: readonly Bundle[] = [
  { name: "bun", runtime: "Bun", target: "bun", conditions: ["bun"], worker: true },
  { name: "deno", runtime: "Deno", target: "node", conditions: ["deno"], worker: true },
  { name: "node", runtime: "Node", target: "node", conditions: [], worker: false },
];

const ENTRIES = { weir: "src/main.ts", index: "src/index.ts", testing: "src/testing.ts" } as const;
const WORKER = "adapters/linux/worker.ts";

/** Writes the package's folder and tells what is in its bundles. */
export async function npmPackage(folder: string, from: Source): Promise<readonly Metafile[]> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const metafiles: Metafile[] = [];
  for (const bundle of BUNDLES) metafiles.push(await build(bundle, folder, from));
  await writeTypes(["src/index.ts", "src/testing.ts"], join(folder, "types"));
  write(join(folder, "bin/weir.js"), '#!/usr/bin/env node\nimport "#weir";\n', 0o755);
  write(join(folder, "package.json"), `${JSON.stringify(publishedManifest(), null, 2)}\n`);
  for (const file of ["README.md", "CHANGELOG.md", "LICENSE"]) cpSync(join(ROOT, file), join(folder, file));
  return metafiles;
}

/** Packs it as `npm publish` would and answers the name of the archive in `out`. */
export function pack(folder: string, out: string): string {
  const packed = Bun.spawnSync(["npm", "pack", "--silent", "--pack-destination", out], { cwd: folder });
  if (packed.exitCode !== 0) throw new Error(`Cannot pack ${folder}: ${packed.stderr.toString().trim()}`);
  return packed.stdout.toString().trim();
}

async function build(bundle: Bundle, folder: string, from: Source): Promise<Metafile> {
  const entries = [...Object.values(ENTRIES), ...(bundle.worker ? [WORKER] : [])];
  const built = await Bun.build({
    entrypoints: entries.map((entry) => join(ROOT, entry)),
    root: ROOT,
    outdir: join(folder, bundle.name),
    target: bundle.target,
    conditions: bundle.conditions,
    format: "esm",
    splitting: true,
    metafile: true,
    naming: { entry: "[name].js", chunk: "chunk-[hash].js" },
    define: { ...stamp(from, `npm for ${bundle.runtime}`), WEIR_WORKER: '"./worker.js"' },
  });
  // The program has the name of the package, not that of its source.
  const main = join(folder, bundle.name, "main.js");
  await Bun.write(join(folder, bundle.name, "weir.js"), await Bun.file(main).text());
  rmSync(main);
  if (!built.metafile) throw new Error(`Cannot build for ${bundle.runtime}: there is no list of what is in it`);
  return built.metafile;
}

function publishedManifest(): object {
  const { name, description, license } = manifest;
  const by = (file: string) => ({ bun: `./bun/${file}.js`, deno: `./deno/${file}.js`, default: `./node/${file}.js` });
  return {
    name,
    version: VERSION,
    description,
    license,
    type: "module",
    bin: { weir: "./bin/weir.js" },
    exports: {
      ".": { types: "./types/src/index.d.ts", ...by("index") },
      "./testing": { types: "./types/src/testing.d.ts", ...by("testing") },
    },
    imports: { "#weir": by("weir") },
    files: ["bin", "bun", "deno", "node", "types", "CHANGELOG.md"],
    engines: { node: ">=20" },
  };
}

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode });
}
