/** The native engine as a whole: what its threads share, and what happens when one dies. */
import { afterAll, expect } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "#runtime";
import { CELL } from "../../src/metrics/counters.ts";
import { deferred, Kit } from "../contract/kit.ts";
import type { Probe } from "../contract/probe.ts";
import { again, linux, world } from "./world.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-engine-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

linux("connections spread over the workers, and each is listed and counted once", async () => {
  await using it = await world();
  const clients = await Promise.all(Array.from({ length: 100 }, () => it.client()));
  expect(it.engine.shares.reduce((sum, share) => sum + share, 0)).toBe(100);
  // The kernel chooses by a hash of the addresses; a share below a tenth would have a chance of 10^-15.
  expect(Math.min(...it.engine.shares)).toBeGreaterThan(10);
  const list = await it.proxy.connections(60);
  expect(list.total).toBe(100);
  expect(list.connections).toHaveLength(60);
  expect(new Set((await it.proxy.connections(1_000)).connections.map(({ id }) => id)).size).toBe(100);
  expect(it.proxy.counters.get(CELL.bytesUpstream)).toBe(1_000);
  expect(clients.every((client) => client.received === 10)).toBe(true);
});

linux("a worker that dies takes its own connections and nothing else, and is replaced", async () => {
  const path = join(directory, "crash");
  process.env["WEIR_TEST_CRASH"] = path;
  await using it = await world(new URL("./crashing-worker.ts", import.meta.url));
  const clients = await Promise.all(Array.from({ length: 60 }, () => it.client()));
  const death = deferred<{ connections: number; stack: string }>();
  it.engine.watch = { died: (_, connections, stack) => death.resolve({ connections, stack }) };
  writeFileSync(path, "");
  await Promise.all(clients.map(again));
  const { connections, stack } = await death.promise;
  expect(stack).toContain("thrown on purpose");
  expect(stack).toContain("crashing-worker.ts");
  await Promise.all(
    clients.map((client) => client.until(() => client.closed || client.received === client.sent, "end")),
  );
  const lost = clients.filter((client) => client.closed);
  expect(lost.length).toBe(connections);
  expect(lost.every((client) => client.error?.code === "ECONNRESET")).toBe(true);
  expect(it.proxy.counters.endedBy("internal_error")).toBe(connections);
  expect(it.proxy.counters.get(CELL.active)).toBe(60 - connections);
  // The socket that the dead worker served was never closed: those who come now wait for the next one.
  await Promise.all(Array.from({ length: 60 }, () => it.client()));
  expect(it.engine.restarts).toBe(1);
});

linux(
  "100,000 connections leave no descriptor and no memory in a pipe behind",
  async () => {
    const it = await world();
    const open = () => readdirSync("/proc/self/fd").length;
    await Promise.all(Array.from({ length: 50 }, () => it.client().then(leave)));
    const before = open();
    let left = 100_000;
    const churn = async () => {
      while (left-- > 0) await leave(await it.client());
    };
    await Promise.all(Array.from({ length: 50 }, churn));
    while ((await it.proxy.connections(0)).total > 0);
    expect(open() - before).toBeLessThan(10);
    await it[Symbol.asyncDispose]();
  },
  120_000,
);

async function leave(client: Probe): Promise<void> {
  if (client.received % 20 === 0) client.abort();
  else client.finish();
  await client.untilClose();
}

linux("an engine that was closed leaves no descriptor behind", async () => {
  const open = () => readdirSync("/proc/self/fd").length;
  const before = open();
  for (let round = 0; round < 3; round++) {
    const it = await world();
    await it.client();
    await it[Symbol.asyncDispose]();
  }
  // What a thread of the runtime itself holds goes when the runtime finds the time.
  for (let tries = 0; tries < 200 && open() > before + 3; tries++) await new Kit(runtime).busy(200);
  expect(open()).toBeLessThanOrEqual(before + 3);
});

linux("what is asked while a proxy ends, or after it, is answered", async () => {
  await using it = await world();
  const { proxy } = it;
  const asked = () => [proxy.configure(proxy.config), proxy.connections(1), proxy.close(1)];
  const before = asked();
  const drained = proxy.drain();
  const answers = await Promise.all([...before, ...asked(), drained.then(() => Promise.all(asked()))]);
  expect(answers.at(-1)).toEqual([undefined, { total: 0, connections: [] }, false]);
});
