import { expect, test } from "bun:test";
import fc from "fast-check";
import { runtime } from "#runtime";
import { adminApp } from "../../src/admin/app.ts";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import { PortableEngine } from "../../src/engine/portable.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";

async function world() {
  const kit = new Kit(runtime);
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const config = { ...DEFAULTS.proxy, name: "db", listen: LOOPBACK, targets: [plainTarget(echo.address)] };
  const engine = new PortableEngine(runtime);
  const proxy = await engine.open(config);
  const state = {
    runtime,
    engine,
    proxies: [proxy],
    past: [],
    bridges: [],
    ready: true,
    started: { at: 0, wallClock: 0 },
    reload: async () => undefined,
    drain() {},
  };
  const app = adminApp(state, { listen: LOOPBACK, token: undefined });
  const get = (path: string, method = "GET") => Promise.resolve(app(new Request(`http://weir${path}`, { method })));
  return {
    state,
    proxy,
    get,
    client: async () => new Probe(await kit.connect(proxy.address)),
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await proxy.drain();
      await echo.stop(0, Promise.resolve());
      await kit.clean();
    },
  };
}

test("/metrics is text by default and JSON on demand", async () => {
  await using it = await world();
  const client = await it.client();
  client.write(1_000);
  await client.until(() => client.received === 1_000, "echo");
  const text = await it.get("/metrics");
  expect(text.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await text.text()).toContain("\nbytes_upstream 1000\n");
  const json = await it.get("/metrics?format=json");
  expect(await json.json()).toEqual({
    active_connections: 1,
    total_connections: 1,
    bytes_upstream: 1_000,
    bytes_downstream: 1_000,
  });
  expect((await it.get("/metrics?format=xml")).status).toBe(400);
});

test("/api/connections shows live connections with bytes so far and age, bounded by limit", async () => {
  await using it = await world();
  const clients = [await it.client(), await it.client()];
  for (const client of clients) {
    client.write(10);
    await client.until(() => client.received === 10, "echo");
  }
  const answer = (await (await it.get("/api/connections?limit=1")).json()) as { total: number; connections: object[] };
  expect(answer.total).toBe(2);
  expect(answer.connections).toHaveLength(1);
  expect(answer.connections[0]).toMatchObject({ proxy: "db", state: "open", bytesUpstream: 10, bytesDownstream: 10 });
  for (const limit of ["0", "-1", "x", "10001", "1.5"]) {
    expect((await it.get(`/api/connections?limit=${limit}`)).status).toBe(400);
  }
});

test("/api/connections?find= lists those alone that have the text in one of their words", async () => {
  await using it = await world();
  const clients = [await it.client(), await it.client()];
  for (const client of clients) {
    client.write(10);
    await client.until(() => client.received === 10, "echo");
  }
  const find = async (text: string) => {
    const answer = await it.get(`/api/connections?find=${encodeURIComponent(text)}`);
    return (await answer.json()) as { total: number; found: number; connections: { client: string }[] };
  };
  const { connections } = await find("DB");
  expect(connections).toHaveLength(2);
  const [one] = connections;
  expect(await find(one?.client ?? "")).toMatchObject({ total: 2, found: 1, connections: [{ client: one?.client }] });
  expect(await find("nothing like that")).toEqual({ total: 2, found: 0, connections: [] });
});

test("/api/proxies shows settings and figures", async () => {
  await using it = await world();
  const { proxies } = (await (await it.get("/api/proxies")).json()) as { proxies: object[] };
  expect(proxies).toHaveLength(1);
  expect(proxies[0]).toMatchObject({ name: "db", state: "listening", timeouts: { connect: "5s", lifetime: "0s" } });
});

test("health and readiness part ways while draining", async () => {
  await using it = await world();
  expect((await it.get("/healthz")).status).toBe(200);
  expect((await it.get("/readyz")).status).toBe(200);
  it.state.ready = false;
  expect((await it.get("/healthz")).status).toBe(200);
  expect((await it.get("/readyz")).status).toBe(503);
});

test("/ answers 200, unknown paths 404, other methods 405 with Allow", async () => {
  await using it = await world();
  expect((await it.get("/")).status).toBe(200);
  for (const path of ["/nothing", "/metrics/x", "/api", "//metrics", "/%2e%2e/etc"]) {
    expect((await it.get(path)).status).toBe(404);
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
    const refused = await it.get("/metrics", method);
    expect(refused.status).toBe(405);
    expect(refused.headers.get("allow")).toBe("GET, HEAD");
  }
  const head = await it.get("/metrics", "HEAD");
  expect([head.status, await head.text()]).toEqual([200, ""]);
});

test("addresses in the description are the ones really bound", async () => {
  await using it = await world();
  const text = await (await it.get("/")).text();
  expect(text).toMatch(/127\.0\.0\.1:[1-9]\d* -> 127\.0\.0\.1:[1-9]\d*/);
});

test("whatever is asked for, the answer is one of those that are meant", async () => {
  await using it = await world();
  const path = fc.oneof(
    fc.constantFrom("/", "/metrics", "/healthz", "/readyz", "/api/proxies", "/api/connections", "/api/connections/"),
    fc.webPath(),
  );
  const value = fc.oneof(fc.string(), fc.integer().map(String), fc.constantFrom("1e3", "-0", "0x10", " 1", "json"));
  const pair = fc.tuple(fc.constantFrom("limit", "format", "__proto__", ""), value);
  const query = fc.oneof(
    fc.webQueryParameters(),
    fc.array(pair).map((pairs) => new URLSearchParams(pairs).toString()),
  );
  const method = fc.constantFrom("GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND");
  await fc.assert(
    fc.asyncProperty(path, query, method, async (at, wanted, how) => {
      const answer = await it.get(`${at}?${wanted}`, how);
      expect([200, 400, 403, 404, 405]).toContain(answer.status);
      if (answer.status >= 400 && how !== "HEAD") expect(await answer.json()).toHaveProperty("error");
    }),
    { numRuns: 1_000 },
  );
});
