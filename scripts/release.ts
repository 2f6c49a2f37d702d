/**
 * Builds everything that is released into `dist/release`: executables for all targets, the package for npm, the bill of
 * materials, and the sums of all of them. The same commit gives the same bytes.
 *
 *   bun run release [--only linux-x64,npm] [--out FOLDER] [--without-smoke]
 *   bun run release --twice     # then once more from a copy in another folder, and compares
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { release } from "./ship/release.ts";
import { runnerOf } from "./ship/runners.ts";
import { smoke } from "./ship/smoke.ts";
import { asSource, ROOT, source, VERSION } from "./ship/stamp.ts";
import { TARGETS } from "./ship/targets.ts";

/** All that a build reads. */
const SOURCES = [
  "scripts",
  "src",
  "adapters",
  "package.json",
  "bunfig.toml",
  "tsconfig.json",
  "bun.lock",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    out: { type: "string", default: join(ROOT, "dist/release") },
    twice: { type: "boolean", default: false },
    "without-smoke": { type: "boolean", default: false },
  },
});
const names = [...TARGETS.map(({ name }) => name), "npm", "deno"];
const only = values.only?.split(",") ?? names;
const unknown = only.find((name) => !names.includes(name));
if (unknown !== undefined) throw new Error(`there is no target "${unknown}"; there are ${names.join(", ")}`);

const from = source();
const out = resolve(values.out);
// The compiler writes paths as they are from the folder that it runs in.
process.chdir(ROOT);
console.log(`weir ${VERSION}, commit ${from.commit ?? "unknown"}, as of ${new Date(from.time * 1_000).toISOString()}`);
const options = { out, only, from, say: (line: string) => console.log(line) };
const first = await release(options);
let failed = false;
if (values.twice) failed = !(await sameAgain()) || failed;
if (!values["without-smoke"]) failed = !(await smokeAll()) || failed;
process.exit(failed ? 1 : 0);

/** Builds it all again where nothing has the same path. */
async function sameAgain(): Promise<boolean> {
  const copy = mkdtempSync(join(tmpdir(), "weir-again-"));
  for (const name of SOURCES) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  const install = [process.execPath, "install", "--frozen-lockfile", "--silent"];
  if (Bun.spawnSync(install, { cwd: copy, stderr: "inherit" }).exitCode !== 0) throw new Error("Cannot install again");
  const said = Bun.spawnSync(
    [
      process.execPath,
      "scripts/release.ts",
      "--without-smoke",
      "--only",
      only.filter((name) => name !== "deno").join(),
    ],
    { cwd: copy, stderr: "inherit", env: { ...process.env, ...asSource(from) } },
  );
  if (said.exitCode !== 0) throw new Error("Cannot build it again");
  const second = readSums(join(copy, "dist/release/SHA256SUMS"));
  rmSync(copy, { recursive: true });
  const different = [...first].filter(([name, sum]) => second.get(name) !== sum).map(([name]) => name);
  const verdict = different.length > 0 ? `NOT THE SAME: ${different.join(", ")}` : "the same bytes";
  console.log(`built again in another folder: ${verdict}`);
  return different.length === 0;
}

/** The sums of a `SHA256SUMS`, by the names of the files. */
function readSums(path: string): ReadonlyMap<string, string> {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return new Map(lines.map((line) => line.split("  ").reverse() as [string, string]));
}

/** Tries what can run on this machine. */
async function smokeAll(): Promise<boolean> {
  let good = true;
  for (const target of TARGETS) {
    const file = [...first.keys()].find((name) => name.replace(/\.exe$/, "") === `weir-${VERSION}-${target.name}`);
    if (!file) continue;
    const runner = runnerOf(target);
    if (typeof runner === "string") {
      console.log(`${file}: not tried: ${runner}`);
      continue;
    }
    const findings = await smoke(join(out, file), runner);
    const failures = findings.filter(({ failure }) => failure !== undefined);
    console.log(
      `${file}: tried${runner.prefix.length > 0 ? ` with ${runner.prefix[0]}` : ""}: ${findings.length - failures.length} passed, ${failures.length} failed`,
    );
    for (const { what, failure } of failures) console.log(`  FAILED ${what}: ${failure}`);
    good &&= failures.length === 0;
  }
  return good;
}
