/** Declarations of the library for TypeScript: those files alone that its entries lead to. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { ROOT } from "./stamp.ts";

/** Writes the declarations of `entries`, paths from the root, below `folder`. Throws with what the compiler says. */
export async function writeTypes(entries: readonly string[], folder: string): Promise<void> {
  const all = mkdtempSync(join(tmpdir(), "weir-types-"));
  const config = join(all, "tsconfig.json");
  const options = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    stripInternal: true,
    outDir: all,
    rootDir: ROOT,
    typeRoots: [join(ROOT, "node_modules/@types")],
  };
  const files = entries.map((entry) => join(ROOT, entry));
  writeFileSync(
    config,
    JSON.stringify({ extends: join(ROOT, "tsconfig.json"), compilerOptions: options, files, include: [] }),
  );
  const compiled = Bun.spawnSync([join(ROOT, "node_modules/.bin/tsc"), "-p", config]);
  if (compiled.exitCode !== 0) throw new Error(`Cannot write types: ${compiled.stdout.toString()}`);
  for (const path of reachable(entries.map((entry) => join(all, declared(entry))))) {
    const to = join(folder, relative(all, path));
    mkdirSync(dirname(to), { recursive: true });
    // Who uses them may not allow imports that end in .ts.
    writeFileSync(
      to,
      readFileSync(path, "utf8").replace(IMPORT, (_, before, name) => `${before}${name}.js"`),
    );
  }
  rmSync(all, { recursive: true });
}

/** `from "./net/address.ts"`, `import("../options.ts")`: what leads to other files. */
const IMPORT = /((?:from |import\()")(\.[^"]*)\.ts"/g;

function reachable(entries: readonly string[]): Iterable<string> {
  const found = new Set<string>(entries);
  // A set goes on to what is added while it is gone through.
  for (const path of found) {
    const text = readFileSync(path, "utf8");
    for (const [, , name = ""] of text.matchAll(IMPORT)) found.add(join(dirname(path), declared(`${name}.ts`)));
  }
  return found;
}

function declared(path: string): string {
  return path.replace(/\.ts$/, ".d.ts");
}
