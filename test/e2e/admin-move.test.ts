/** The admin server goes where the configuration says, under each runtime, and whoever asked for that has an answer. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-admin-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each(["bun", "deno", "node"] as const)("under %s", async (name) => {
  const path = join(directory, `${name}.toml`);
  const write = (admin: string) =>
    writeFileSync(path, `[admin]\nlisten = ${admin}\n[[proxy]]\nlisten = "127.0.0.1:0"\ntarget = "127.0.0.1:9"\n`);
  write('"127.0.0.1:0"');
  await using weir = await Weir.start(["run", path], name);
  const metrics = (await weir.stdout.next((line) => line.startsWith("metrics "))).slice("metrics ".length);
  const reload = () => fetch(metrics.replace("/metrics", "/api/reload"), { method: "POST" });
  write('"off"');
  expect((await reload()).status).toBe(200);
  await weir.stdout.next((line) => line.startsWith("weir: reloaded"));
  // It is gone as soon as its last answers are.
  for (let gone = false; !gone; )
    gone = await fetch(metrics)
      .then(() => false)
      .catch(() => true);
  write('"127.0.0.1:0"');
  weir.signal("SIGHUP");
  await weir.stdout.next((line) => line.startsWith("weir: reloaded"));
  weir.signal("SIGTERM");
  expect(await weir.exit()).toBe(0);
});
