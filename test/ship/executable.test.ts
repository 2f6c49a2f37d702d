/** `dist/weir` as it is given to people: built, and tried as by a stranger. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { packagesIn } from "../../scripts/ship/contents.ts";
import { compile, type Metafile } from "../../scripts/ship/executable.ts";
import { sbom } from "../../scripts/ship/sbom.ts";
import { smoke } from "../../scripts/ship/smoke.ts";
import { targetHere } from "../../scripts/ship/targets.ts";

const FROM = { commit: "0123456789ab", time: 1_700_000_000 };
const folder = mkdtempSync(join(tmpdir(), "weir-ship-"));
const executable = join(folder, "weir");
const target = targetHere();
let metafile: Metafile;

beforeAll(async () => {
  if (!target) throw new Error("weir is not built for this machine");
  metafile = await compile(target, executable, FROM);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

test("an executable does everything that a stranger tries", async () => {
  const findings = await smoke(executable, { prefix: [], native: target?.platform === "linux" });
  expect(findings.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(findings.length).toBeGreaterThan(8);
});

test("it says what it was built from, and nothing of when or where", async () => {
  const said = Bun.spawnSync([executable, "version", "--verbose"]).stdout.toString();
  expect(said).toMatch(/^built from {7}0123456789ab of 2023-11-14$/m);
  expect(said).toContain(`build            ${target?.name}, by bun ${Bun.version}`);
  const bytes = Buffer.from(await Bun.file(executable).arrayBuffer());
  expect(bytes.includes(folder)).toBe(false);
  expect(bytes.includes(join(import.meta.dir, "../..", "src"))).toBe(false);
});

test("the same sources give the same bytes, whatever the executable is called", async () => {
  const again = join(folder, "another-name");
  if (target) await compile(target, again, FROM);
  const sum = async (path: string) => Bun.hash(await Bun.file(path).bytes());
  expect(await sum(again)).toBe(await sum(executable));
});

test("the bill of materials names what is in it with its version, license and hash, and nothing that only builds it", () => {
  const packages = [...packagesIn(metafile).keys()];
  const { components, serialNumber } = JSON.parse(sbom(packages, FROM));
  const named: string[] = components.map(({ name }: { name: string }) => name);
  expect(named).toEqual([...[...packages, "uplot"].sort(), "bun"]);
  expect(named).toContain("hono");
  const dependencies: Record<string, string> = manifest.dependencies;
  for (const { name, version, licenses, hashes } of components.slice(0, -1)) {
    if (name in dependencies) expect(version).toBe(dependencies[name]);
    expect(licenses[0].expression ?? licenses[0].license.id).toMatch(/^\(?(MIT|BSD-\d-Clause|Apache-2.0|ISC)\b/);
    expect(hashes[0].content).toMatch(/^[0-9a-f]{128}$/);
  }
  expect(Object.keys(manifest.devDependencies).filter((name) => named.includes(name))).toEqual(["bun"]);
  expect(serialNumber).toBe(JSON.parse(sbom(packages, FROM)).serialNumber);
});
