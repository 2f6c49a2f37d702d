/** The package for npm as somebody gets it who installs it into an empty folder. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npmPackage, pack } from "../../scripts/ship/npm-package.ts";
import { VERSION } from "../../src/version.ts";
import { run } from "../e2e/weir.ts";

const ROOT = join(import.meta.dir, "../..");
const FROM = { commit: "0123456789ab", time: 1_700_000_000 };
const folder = mkdtempSync(join(tmpdir(), "weir-npm-"));
const app = join(folder, "app");
const installed = join(app, "node_modules/weir");

const PROGRAM = `import { Proxy, SocketError, type ProxyOptions } from "weir";
import { createFixture, type Fixture } from "weir/testing";

const options: ProxyOptions = { timeouts: { idle: 60_000 }, engine: "auto" };
const proxy: Proxy = await Proxy.bind("127.0.0.1:0", "127.0.0.1:9", options);
const { connectionsTotal } = proxy.metrics();
const fixture: Fixture = await createFixture();
await fixture[Symbol.asyncDispose]();
proxy.shutdown();
console.log(proxy.address.startsWith("127.0.0.1:"), connectionsTotal, new SocketError("ECONNREFUSED").name);
`;

beforeAll(async () => {
  mkdirSync(app);
  await npmPackage(join(folder, "package"), FROM);
  const archive = join(folder, pack(join(folder, "package"), folder));
  writeFileSync(join(app, "package.json"), '{ "private": true, "type": "module" }\n');
  const { code, err } = await run(["npm", "install", "--prefix", app, "--offline", "--no-audit", "--no-fund", archive]);
  if (code !== 0) throw new Error(err);
  writeFileSync(join(app, "app.ts"), PROGRAM);
  const { outputs } = await Bun.build({ entrypoints: [join(app, "app.ts")], packages: "external", target: "node" });
  writeFileSync(join(app, "app.js"), await (outputs[0] as Blob).text());
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true }));

test("it has bundles and types, and nothing of the tests or the sources", () => {
  const top = readdirSync(installed).sort();
  expect(top).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "bin", "bun", "deno", "node", "package.json", "types"]);
  const files = readdirSync(installed, { recursive: true }).sort() as string[];
  const loads = (file: string) => /from "(?:bun:test|fast-check)"/.test(readFileSync(join(installed, file), "utf8"));
  expect(files.filter((file) => file.endsWith(".js") && loads(file))).toEqual([]);
  expect(files.filter((file) => /(?<!\.d)\.ts$/.test(file))).toEqual([]);
});

test("npx weir runs under Node", async () => {
  const { code, out } = await run([join(app, "node_modules/.bin/weir"), "version", "--verbose"]);
  expect(code).toBe(0);
  expect(out).toStartWith(
    `weir ${VERSION}\nbuilt from       0123456789ab of 2023-11-14\nbuild            npm for Node, `,
  );
});

const RUNTIMES: Readonly<Record<string, string[]>> = {
  node: ["node"],
  bun: [process.execPath],
  deno: [join(ROOT, "node_modules/deno/deno"), "run", "--quiet", "--allow-all"],
};

test.each(Object.keys(RUNTIMES))("the library runs under %s", async (name) => {
  const { code, out, err } = await run([...(RUNTIMES[name] ?? []), join(app, "app.js")]);
  expect({ code, out, err }).toEqual({ code: 0, out: "true 0 SocketError\n", err: "" });
});

const linux = test.skipIf(process.platform !== "linux");

linux.each(["bun", "deno"])("under %s it brings the threads of the native engine", async (name) => {
  const program = join(installed, name, "weir.js");
  const { out } = await run([...(RUNTIMES[name] ?? []), program, "version", "--verbose"]);
  expect(out).toMatch(/^engine +native, \d+ workers?$/m);
});

test("its types hold in a project that is strict", async () => {
  symlinkSync(join(ROOT, "node_modules/@types"), join(app, "node_modules/@types"));
  symlinkSync(join(ROOT, "node_modules/undici-types"), join(app, "node_modules/undici-types"));
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    module: "nodenext",
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    types: ["node"],
  };
  writeFileSync(join(app, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
  const { code, out } = await run([join(ROOT, "node_modules/.bin/tsc"), "-p", app]);
  expect({ code, out }).toEqual({ code: 0, out: "" });
});
