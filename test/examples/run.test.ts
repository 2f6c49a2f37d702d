/** The examples with a run.sh do what their README says, to the letter, on ports that are free. */
import { afterAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command } from "../contract/runtimes.ts";
import { run } from "../e2e/weir.ts";

const EXAMPLES = join(import.meta.dir, "../../examples");
const folder = mkdtempSync(join(tmpdir(), "weir-examples-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every port that the examples name; the README of all of them says so. */
const PORT = /\b170[0-3]\d\b/g;
const names = readdirSync(EXAMPLES).filter((name) => existsSync(join(EXAMPLES, name, "run.sh")));

/** A copy of an example whose ports are others, each always the same one. */
function copyOf(name: string, copy: string): string {
  const to = join(folder, copy);
  cpSync(join(EXAMPLES, name), to, { recursive: true });
  const files = readdirSync(to).map((file) => join(to, file));
  const named = new Set(files.flatMap((file) => readFileSync(file, "utf8").match(PORT) ?? []));
  const free = freePorts(named.size);
  const ports = new Map([...named].map((port, index) => [port, free[index] ?? ""]));
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    writeFileSync(
      file,
      text.replace(PORT, (port) => ports.get(port) ?? port),
    );
  }
  return to;
}

/** What the README says is to be seen: the block behind "What you see:". */
function promised(example: string): string {
  const text = readFileSync(join(example, "README.md"), "utf8");
  return /What you see:\n\n```\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
}

async function runOf(example: string, js: string) {
  const weir = (await command("bun", "src/main.ts")).join(" ");
  return await run(["timeout", "100", "env", `WEIR=${weir}`, `JS=${js}`, "bash", join(example, "run.sh")]);
}

test("there are examples", () => {
  expect(names.toSorted()).toEqual(["canary", "database", "multicast", "payment-switch"]);
});

describe.skipIf(process.platform !== "linux")("examples/", () => {
  test.concurrent.each(names)("%s prints what its README shows", async (name) => {
    const example = copyOf(name, name);
    expect(promised(example)).not.toBe("");
    const { code, out, err } = await runOf(example, process.execPath);
    expect({ out, err }).toEqual({ out: promised(example), err: "" });
    expect(code).toBe(0);
  });

  test.each(["deno", "node"] as const)("payment-switch runs under %s as well", async (runtime) => {
    const example = copyOf("payment-switch", `payment-switch-${runtime}`);
    const js = runtime === "node" ? "node" : (await command("deno", "")).slice(0, -1).join(" ");
    const { out, err } = await runOf(example, js);
    expect({ out, err }).toEqual({ out: promised(example), err: "" });
  });

  test.each(names)("%s has a configuration that weir check accepts", async (name) => {
    const weir = await command("bun", "src/main.ts");
    const { code, err } = await run([...weir, "check", "--quiet", join(EXAMPLES, name, "weir.toml")]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });
});

/** Ports that nobody has, also not for a moment: not of the range that the kernel takes for those who connect. */
function freePorts(count: number): string[] {
  const ports: string[] = [];
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      if (!ports.includes(String(port))) ports.push(String(port));
    } catch {
      // Somebody listens there.
    }
  }
  return ports;
}
