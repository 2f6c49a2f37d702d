/** The linter keeps the core free of runtimes: with our configuration, code like this does not pass. */
import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./e2e/weir.ts";

const ROOT = join(import.meta.dir, "..");
const project = mkdtempSync(join(tmpdir(), "weir-lint-"));
for (const path of ["biome.json", "scripts/lint"]) cpSync(join(ROOT, path), join(project, path), { recursive: true });
afterAll(() => rmSync(project, { recursive: true, force: true }));

const FORBIDDEN = [
  'import { connect } from "node:net";\nexport const x = connect;\n',
  'import { dlopen } from "bun:ffi";\nexport const x = dlopen;\n',
  'import { runtime } from "../../adapters/bun.ts";\nexport const x = runtime;\n',
  "export const x = Bun.version;\n",
  "export const x = Deno.version;\n",
  "export const x = process.argv;\n",
  "export const x = setTimeout(() => {}, 1);\n",
  "export const x = performance.now();\n",
  "export const x = Date.now();\n",
  'export const x = Buffer.from("");\n',
];

test.each(FORBIDDEN)("refused in src/: %p", async (source) => {
  const { code, out, err } = await lint("src/proxy/sample.ts", source);
  expect(out + err).toMatch(/knows no runtime|knows no clock|all time goes through/);
  expect(code).toBe(1);
});

test("the same code is fine in an adapter", async () => {
  for (const source of FORBIDDEN) expect((await lint("adapters/sample.ts", source)).code).toBe(0);
});

function lint(path: string, source: string): Promise<{ code: number; out: string; err: string }> {
  mkdirSync(join(project, path, ".."), { recursive: true });
  writeFileSync(join(project, path), source);
  const biome = join(ROOT, "node_modules/.bin/biome");
  return run([biome, "lint", "--vcs-enabled=false", `--config-path=${project}`, join(project, path)]);
}
