/** All that is released, built into one folder. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packagesIn } from "./contents.ts";
import { compileWithDeno } from "./deno.ts";
import { compile, type Metafile } from "./executable.ts";
import { npmPackage, pack } from "./npm-package.ts";
import { sbom } from "./sbom.ts";
import { type Source, VERSION } from "./stamp.ts";
import { fileOf, TARGETS } from "./targets.ts";

export interface ReleaseOptions {
  readonly out: string;
  /** Names of targets, `npm` and `deno`. */
  readonly only: readonly string[];
  readonly from: Source;
  readonly say: (line: string) => void;
}

/** Builds, and resolves with the sums of all files by their names. What Deno cannot build is said and left out. */
export async function release(options: ReleaseOptions): Promise<ReadonlyMap<string, string>> {
  const { out, only, from, say } = options;
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const metafiles: Metafile[] = [];
  for (const target of TARGETS.filter(({ name }) => only.includes(name))) {
    const file = fileOf(target, VERSION);
    metafiles.push(await compile(target, join(out, file), from));
    say(`  ${file.padEnd(36)} ${megabytes(join(out, file))}`);
  }
  if (only.includes("npm")) {
    const folder = join(out, "npm");
    metafiles.push(...(await npmPackage(folder, from)));
    const file = pack(folder, out);
    rmSync(folder, { recursive: true });
    say(`  ${file.padEnd(36)} ${megabytes(join(out, file))}`);
  }
  if (only.includes("deno")) await withDeno(options);
  const packages = metafiles.flatMap((metafile) => [...packagesIn(metafile).keys()]);
  writeFileSync(join(out, `weir-${VERSION}.cdx.json`), sbom(packages, from));
  return await sums(out);
}

/** As far as it goes: without the base executable of one target it has no other either. */
async function withDeno({ out, say }: ReleaseOptions): Promise<void> {
  for (const target of TARGETS.filter(({ deno }) => deno !== undefined)) {
    const file = fileOf(target, VERSION, "deno");
    const failure = await compileWithDeno(target, join(out, file));
    if (failure !== undefined) {
      say(`  no executables by Deno: ${failure}`);
      return;
    }
    say(`  ${file.padEnd(36)} ${megabytes(join(out, file))}`);
  }
}

/** Writes SHA256SUMS, for `sha256sum --check`. */
async function sums(out: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const file of readdirSync(out).sort()) {
    const bytes = await Bun.file(join(out, file)).bytes();
    found.set(file, new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
  }
  const lines = [...found].map(([file, sum]) => `${sum}  ${file}\n`);
  writeFileSync(join(out, "SHA256SUMS"), lines.join(""));
  return found;
}

function megabytes(path: string): string {
  return `${(Bun.file(path).size / 1_000_000).toFixed(1).padStart(6)} MB`;
}
