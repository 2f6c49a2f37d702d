/** Which engine runs, what it says when it cannot, and the ways into it that a proxy inside a test does not take. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { parseAddress } from "../../src/net/address.ts";
import { Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { compile } from "../contract/runtimes.ts";
import { Weir } from "./weir.ts";

const linux = test.skipIf(process.platform !== "linux");
const engineLine = (weir: Weir) => weir.stdout.next((line) => line.startsWith("engine "));

/** `count` clients of `address` get back what they send. */
async function echoes(address: string, count = 20): Promise<void> {
  const kit = new Kit(runtime);
  const clients = Array.from({ length: count }, async () => {
    const client = new Probe(await kit.connect(parseAddress(address, "target")));
    await client.send(100_000);
    client.finish();
    await client.untilEnd();
    expect(client.received).toBe(100_000);
  });
  await Promise.all(clients);
  await kit.clean();
}

linux("a compiled executable relays on the native engine, and ends on SIGTERM", async () => {
  const program = compile("src/main.ts", "adapters/linux/worker.ts");
  await using echo = Weir.spawn([program, "echo"]);
  const target = `127.0.0.1:${await echo.port()}`;
  await using weir = Weir.spawn([program, "tcp", "127.0.0.1:0", target, "--metrics", "off", "--workers", "2"]);
  const port = await weir.port();
  expect(await engineLine(weir)).toBe("engine native, 2 workers");
  await echoes(`127.0.0.1:${port}`);
  weir.signal("SIGTERM");
  expect(await weir.stdout.next()).toContain("active: 0 | total: 20 | up: 2.0MB | down: 2.0MB");
  expect(await weir.exit()).toBe(0);
});

linux.each(["bun", "deno"] as const)(
  "under %s: a unix socket, which all workers share, to a name that the main thread resolves",
  async (name) => {
    const directory = mkdtempSync(join(tmpdir(), "weir-engine-"));
    const path = `unix:${join(directory, "s")}`;
    await using echo = await Weir.start(["echo", "localhost:0"]);
    const target = `localhost:${await echo.port()}`;
    await using weir = await Weir.start(["tcp", path, target, "--metrics", "off", "--engine", "native"], name);
    await weir.stdout.next((line) => line.startsWith("listening "));
    await echoes(path);
    weir.signal("SIGTERM");
    expect(await weir.exit()).toBe(0);
    rmSync(directory, { recursive: true });
  },
);

test("Node has no native engine: auto says so and goes on, native ends with 1", async () => {
  await using auto = await Weir.start(["tcp", "127.0.0.1:0", "127.0.0.1:9", "--metrics", "off"], "node");
  expect(await engineLine(auto)).toBe("engine portable: it needs Bun or Deno: Node has no foreign function interface");
  await using native = await Weir.start(["tcp", "127.0.0.1:0", "127.0.0.1:9", "--engine", "native"], "node");
  expect(await native.exit()).toBe(1);
  expect(await native.stderr.next()).toMatch(/^weir: the native engine cannot run here: .*; use --engine portable$/);
});

linux("Deno without permission for FFI: auto says so and goes on", async () => {
  const deno = join(import.meta.dir, "../../node_modules/deno/deno");
  const allow = ["--allow-net", "--allow-env", "--allow-read", "--allow-sys", "--deny-ffi"];
  const main = join(import.meta.dir, "../../src/main.ts");
  await using weir = Weir.spawn([
    deno,
    "run",
    "--quiet",
    "--no-prompt",
    ...allow,
    main,
    "tcp",
    "127.0.0.1:0",
    "127.0.0.1:9",
    "--metrics",
    "off",
  ]);
  expect(await engineLine(weir)).toMatch(/^engine portable: .*ffi/i);
});

test("portable is what one gets who asks for it", async () => {
  const args = ["tcp", "127.0.0.1:0", "127.0.0.1:9", "--metrics", "off", "--engine", "portable"];
  await using weir = await Weir.start(args);
  expect(await engineLine(weir)).toBe("engine portable");
});

linux("version --verbose tells which engine would run", async () => {
  const { out } = await Weir.run("version", "--verbose");
  expect(out).toMatch(/^engine +native, \d+ workers?$/m);
});
