/** `/api/status`: all that runs, as its schema says it. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import * as v from "valibot";
import { STATUS } from "../../src/overview/status.ts";
import { VERSION } from "../../src/version.ts";
import { world } from "./world.ts";

const STRICT = v.strictObject(STATUS.entries);

test("it says what runs, since when, and what became of connections", async () => {
  await using it = await world();
  const client = await it.client();
  client.raw = true;
  client.writeText("hello");
  await client.until(() => client.bytes.length === 5, "the echo");
  const { status, body } = await it.get("/api/status");
  expect(status).toBe(200);
  const now = v.parse(STRICT, body);
  expect(now).toMatchObject({
    version: VERSION,
    engine: "portable",
    workers: 0,
    state: "ready",
    started_at: "2026-01-02T00:00:00.000Z",
    connections_active: 1,
    connections_total: 1,
    bytes_upstream: 5,
    bytes_downstream: 5,
    udp: [],
  });
  expect(now.proxies[0]).toMatchObject({ name: "db", state: "listening", protocol: null, connections_active: 1 });
  const [echo, other] = now.proxies[0]?.targets ?? [];
  expect(echo).toMatchObject({
    connections_active: 1,
    connections_total: 1,
    bytes_upstream: 5,
    healthy: true,
    mux: null,
  });
  expect(other).toMatchObject({ address: "unix:/run/a b/x.sock", connections_total: 0, bytes_upstream: 0 });
});

test("a weir that is not ready says that it drains", async () => {
  await using it = await world();
  it.source.ready = false;
  expect((await it.get("/api/status")).body).toMatchObject({ state: "draining" });
});

test("every key of it is in the README", async () => {
  const text = await Bun.file(join(import.meta.dir, "../../README.md")).text();
  const part = /\n## Looking at it\n([\s\S]*?)\n## /.exec(text)?.[1]?.replaceAll(/```[\s\S]*?```/g, "") ?? "";
  const named = [...part.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  // `…_total` is short for what begins as the one before it.
  const known = (key: string) => named.some((name) => name === key || (name[0] === "…" && key.endsWith(name.slice(1))));
  const [proxy, bridge] = [STATUS.entries.proxies.item, STATUS.entries.udp.item];
  const target = proxy.entries.targets.item;
  const levels = [
    STATUS,
    proxy,
    target,
    target.entries.mux.wrapped,
    proxy.entries.datagrams.wrapped,
    bridge,
    bridge.entries.ends.item,
  ];
  const keys = levels.flatMap(({ entries }) => Object.keys(entries));
  expect(keys.filter((key) => !known(key) && !named.includes(`${key}[]`))).toEqual([]);
});
