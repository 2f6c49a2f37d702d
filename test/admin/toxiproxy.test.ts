/** Toxiproxy's HTTP API: its paths, methods, fields, status codes and words. */
import { describe, expect, test } from "bun:test";
import type { GuardRules } from "../../src/admin/guard.ts";
import { ToxicProxies } from "../../src/admin/toxic-proxies.ts";
import { toxiproxyApp } from "../../src/admin/toxiproxy.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { fault } from "../filter/faults/rig.ts";
import { FakeProxies, FIRST_PORT } from "./fake-proxies.ts";

const ANYWHERE: Address = { kind: "tcp", host: "0.0.0.0", port: 0 };
const REDIS = { name: "redis", listen: "127.0.0.1:26379", upstream: "127.0.0.1:6379" };
const SHOWN = { ...REDIS, enabled: true, toxics: [] };
const LATENCY = {
  name: "latency_downstream",
  type: "latency",
  stream: "downstream",
  toxicity: 1,
  attributes: { latency: 100, jitter: 0 },
};

function world(rules: Partial<GuardRules> = {}) {
  const host = new FakeProxies();
  const app = toxiproxyApp(new ToxicProxies(host), { listen: LOOPBACK, token: undefined, open: true, ...rules });
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const init = { method, headers, ...(body === undefined ? {} : { body: text }) };
    const response = await app(new Request(`http://127.0.0.1:8474${path}`, init));
    const answer = await response.text();
    return { status: response.status, body: answer === "" ? undefined : (JSON.parse(answer) as unknown), response };
  };
  return { host, ask };
}

/** One that has a proxy with a toxic. */
async function toxic() {
  const it = world();
  await it.ask("POST", "/proxies", REDIS);
  await it.ask("POST", "/proxies/redis/toxics", { type: "latency", attributes: { latency: 100 } });
  it.host.told.length = 0;
  return it;
}

function refusal(status: number, error: string) {
  return expect.objectContaining({ status, body: { error: expect.stringContaining(error), status } });
}

test("GET /version tells the version of the API", async () => {
  const { status, body, response } = await world().ask("GET", "/version");
  expect(status).toBe(200);
  expect(body).toMatchObject({ version: "2.12.0" });
  expect(response.headers.get("content-type")).toContain("application/json");
});

describe("proxies", () => {
  test("are created, shown, changed and deleted", async () => {
    const { ask } = world();
    expect(await ask("GET", "/proxies")).toMatchObject({ status: 200, body: {} });
    expect(await ask("POST", "/proxies", REDIS)).toMatchObject({ status: 201, body: SHOWN });
    expect(await ask("GET", "/proxies")).toMatchObject({ status: 200, body: { redis: SHOWN } });
    expect(await ask("GET", "/proxies/redis")).toMatchObject({ status: 200, body: SHOWN });
    const off = { ...SHOWN, enabled: false };
    expect(await ask("POST", "/proxies/redis", { enabled: false })).toMatchObject({ status: 200, body: off });
    expect(await ask("GET", "/proxies/redis")).toMatchObject({ status: 200, body: off });
    const moved = { ...SHOWN, upstream: "redis:6380" };
    expect(await ask("PATCH", "/proxies/redis", { ...SHOWN, upstream: "redis:6380" })).toMatchObject({
      status: 200,
      body: moved,
    });
    expect(await ask("DELETE", "/proxies/redis")).toMatchObject({ status: 204, body: undefined });
    expect(await ask("GET", "/proxies")).toMatchObject({ status: 200, body: {} });
  });

  test("get a free port for port 0, and say which", async () => {
    const { ask } = world();
    const answer = await ask("POST", "/proxies", { ...REDIS, listen: "127.0.0.1:0" });
    expect(answer).toMatchObject({ status: 201, body: { listen: `127.0.0.1:${FIRST_PORT}` } });
  });

  test.each([
    ["null is nothing", { ...REDIS, enabled: null, listen: null }, { enabled: true }],
    [
      "names of fields count whatever their case",
      { Name: "redis", UPSTREAM: "a:1", Enabled: false },
      { upstream: "a:1" },
    ],
    ["unknown fields count for nothing", { ...SHOWN, toxics: [LATENCY], color: "red" }, { toxics: [] }],
  ])("%s", async (_, body, shown) => {
    expect(await world().ask("POST", "/proxies", body)).toMatchObject({ status: 201, body: shown });
  });

  test("may have names with anything in them that is no control character", async () => {
    const { ask } = world();
    const name = "a/b c%ü";
    await ask("POST", "/proxies", { ...REDIS, name });
    expect(await ask("GET", `/proxies/${encodeURIComponent(name)}`)).toMatchObject({ status: 200, body: { name } });
  });

  test.each<[string, unknown, number, string]>([
    ["/proxies", { upstream: "a:1" }, 400, "missing required field: name"],
    ["/proxies", { name: "x" }, 400, "missing required field: upstream"],
    ["/proxies", {}, 400, "missing required field: name"],
    ["/proxies", REDIS, 409, "proxy already exists"],
    ["/proxies", "", 400, "bad request body: "],
    ["/proxies", "{", 400, "bad request body: "],
    ["/proxies", [], 400, "bad request body: the body is no JSON object"],
    ["/proxies", { ...REDIS, name: 5 }, 400, "bad request body: name is no string"],
    ["/proxies", { ...REDIS, listen: [] }, 400, "bad request body: listen is no string"],
    ["/proxies", { ...REDIS, upstream: {} }, 400, "bad request body: upstream is no string"],
    ["/proxies", { ...REDIS, enabled: "no" }, 400, "bad request body: enabled is neither true nor false"],
    ["/proxies", { ...REDIS, name: "x", listen: "127.0.0.1" }, 400, "the port is missing"],
    ["/proxies", { ...REDIS, name: "x", listen: "127.0.0.1:1" }, 500, "the address is in use"],
    ["/proxies/redis", "{", 400, "bad request body: "],
    ["/proxies/redis", { listen: 5 }, 400, "bad request body: listen is no string"],
    ["/proxies/redis", { upstream: "a" }, 400, "the port is missing"],
    ["/proxies/redis", { listen: "127.0.0.1:1" }, 500, "the address is in use"],
    ["/proxies/nobody", "{", 404, "proxy not found"],
  ])("POST %s of %j is refused: %i", async (path, body, status, error) => {
    const { ask, host } = await toxic();
    host.taken.add("127.0.0.1:1");
    expect(await ask("POST", path, body)).toEqual(refusal(status, error));
  });

  test.each(["GET", "POST", "PATCH", "DELETE"])("%s of one that is not there: 404", async (method) => {
    const answer = await world().ask(method, "/proxies/redis", method === "GET" ? undefined : {});
    expect(answer).toEqual(refusal(404, "proxy not found"));
  });
});

describe("POST /populate", () => {
  test("answers with all that were asked for, in their order", async () => {
    const { ask } = await toxic();
    const mysql = { name: "mysql", listen: "127.0.0.1:23306", upstream: "127.0.0.1:3306", enabled: false };
    expect(await ask("POST", "/populate", [mysql, REDIS])).toMatchObject({
      status: 201,
      body: {
        proxies: [
          { ...mysql, toxics: [] },
          { ...SHOWN, toxics: [LATENCY] },
        ],
      },
    });
    expect(await ask("POST", "/populate", [])).toMatchObject({ status: 201, body: { proxies: [] } });
  });

  test.each<[unknown, number, string]>([
    [{}, 400, "bad request body: the body is no JSON array"],
    ["", 400, "bad request body: "],
    [[5], 400, "bad request body: the body is no JSON object"],
    [[{ upstream: "a:1" }], 400, "missing required field: name at proxy 1"],
    [[REDIS, { name: "x" }], 400, "missing required field: upstream at proxy 2"],
    [[{ ...REDIS, name: "x", listen: "127.0.0.1:1" }], 500, "the address is in use"],
  ])("of %j is refused: %i", async (body, status, error) => {
    const { ask, host } = world();
    host.taken.add("127.0.0.1:1");
    expect(await ask("POST", "/populate", body)).toEqual(refusal(status, error));
    expect(host.running).toEqual([]);
  });
});

test("POST /reset needs no body, and has no answer", async () => {
  const { ask } = await toxic();
  await ask("POST", "/proxies/redis", { enabled: false });
  expect(await ask("POST", "/reset")).toMatchObject({ status: 204, body: undefined });
  expect(await ask("GET", "/proxies/redis")).toMatchObject({ body: SHOWN });
});

describe("toxics", () => {
  test("of whole messages need a protocol, where the proxy has none", async () => {
    const { ask } = world();
    await ask("POST", "/proxies", REDIS);
    const path = "/proxies/redis/toxics";
    expect(await ask("POST", path, { type: "drop_message", attributes: { nth: 3 } })).toEqual(
      refusal(400, "has no protocol to cut messages by"),
    );
    const made = await ask("POST", path, { type: "drop_message", attributes: { protocol: "redis", nth: 3 } });
    expect(made).toMatchObject({ status: 200, body: { attributes: { protocol: "redis", nth: 3, contains: "" } } });
    expect(await ask("POST", `${path}/drop_message_downstream`, { attributes: { protocol: "http" } })).toEqual(
      refusal(400, "use stream upstream"),
    );
    expect(await ask("GET", path)).toMatchObject({ body: [{ attributes: { protocol: "redis" } }] });
  });

  test("are created, shown, changed and deleted, and the proxy does not stop for it", async () => {
    const { ask, host } = world();
    await ask("POST", "/proxies", REDIS);
    host.told.length = 0;
    expect(await ask("GET", "/proxies/redis/toxics")).toMatchObject({ status: 200, body: [] });
    const created = await ask("POST", "/proxies/redis/toxics", { type: "latency", attributes: { latency: 100 } });
    expect(created).toMatchObject({ status: 200, body: LATENCY });
    expect(await ask("GET", "/proxies/redis/toxics")).toMatchObject({ status: 200, body: [LATENCY] });
    expect(await ask("GET", "/proxies/redis")).toMatchObject({ body: { ...SHOWN, toxics: [LATENCY] } });
    const path = "/proxies/redis/toxics/latency_downstream";
    expect(await ask("GET", path)).toMatchObject({ status: 200, body: LATENCY });
    const slower = { ...LATENCY, attributes: { latency: 200, jitter: 0 } };
    expect(await ask("POST", path, { attributes: { latency: 200 } })).toMatchObject({ status: 200, body: slower });
    const rare = { ...slower, toxicity: 0.5 };
    expect(await ask("PATCH", path, { toxicity: 0.5 })).toMatchObject({ status: 200, body: rare });
    expect(await ask("GET", path)).toMatchObject({ status: 200, body: rare });
    expect(await ask("DELETE", path)).toMatchObject({ status: 204, body: undefined });
    expect(await ask("GET", "/proxies/redis/toxics")).toMatchObject({ status: 200, body: [] });
    const name = "latency_downstream";
    expect(host.told).toEqual([...Array(3).fill(`configure redis: ${name}`), "configure redis: "]);
  });

  test("of a proxy that is off wait for it", async () => {
    const { ask, host } = world();
    await ask("POST", "/proxies", { ...REDIS, enabled: false });
    await ask("POST", "/proxies/redis/toxics", { type: "latency", attributes: { latency: 100 } });
    expect(await ask("POST", "/proxies/redis", { enabled: true })).toMatchObject({ body: { toxics: [LATENCY] } });
    expect(host.running[0]?.config.faults).toEqual([fault("latency", { latency: 100 })]);
  });

  test.each<[string, string, unknown, number, string]>([
    ["GET", "/proxies/nobody/toxics", undefined, 404, "proxy not found"],
    ["POST", "/proxies/nobody/toxics", "{", 404, "proxy not found"],
    ["POST", "/proxies/redis/toxics", "{", 400, "bad request body: "],
    ["POST", "/proxies/redis/toxics", {}, 400, "invalid toxic type"],
    ["POST", "/proxies/redis/toxics", { type: "down" }, 400, "invalid toxic type"],
    ["POST", "/proxies/redis/toxics", { type: "latency", stream: "x" }, 400, "stream was invalid"],
    ["POST", "/proxies/redis/toxics", { type: "slicer" }, 400, "bad request body: average_size is 0"],
    ["POST", "/proxies/redis/toxics", { type: "latency" }, 409, "toxic already exists"],
    // Before the attributes are looked at, and behind the type.
    ["POST", "/proxies/redis/toxics", { type: "latency", attributes: { latency: -1 } }, 409, "toxic already exists"],
    ["POST", "/proxies/redis/toxics", { type: "x", name: "latency_downstream" }, 400, "invalid toxic type"],
    ["GET", "/proxies/nobody/toxics/x", undefined, 404, "proxy not found"],
    ["GET", "/proxies/redis/toxics/x", undefined, 404, "toxic not found"],
    ["POST", "/proxies/nobody/toxics/x", "{", 404, "proxy not found"],
    ["POST", "/proxies/redis/toxics/x", "{", 404, "toxic not found"],
    ["PATCH", "/proxies/redis/toxics/x", {}, 404, "toxic not found"],
    ["POST", "/proxies/redis/toxics/latency_downstream", "{", 400, "bad request body: "],
    ["PATCH", "/proxies/redis/toxics/latency_downstream", { toxicity: "1" }, 400, "toxicity is no number"],
    ["DELETE", "/proxies/nobody/toxics/x", undefined, 404, "proxy not found"],
    ["DELETE", "/proxies/redis/toxics/x", undefined, 404, "toxic not found"],
  ])("%s %s of %j is refused: %i", async (method, path, body, status, error) => {
    const { ask, host } = await toxic();
    expect(await ask(method, path, body)).toEqual(refusal(status, error));
    expect(host.told).toEqual([]);
  });

  test("that clients have no words for are not shown, and stay until a reset", async () => {
    const { ask, host } = world();
    const proxy = host.configured("web", { faults: [fault("down"), fault("latency", { latency: 100 })] });
    expect(await ask("GET", "/proxies/web")).toMatchObject({ body: { toxics: [LATENCY] } });
    expect(await ask("GET", "/proxies/web/toxics/down_downstream")).toEqual(refusal(404, "toxic not found"));
    expect(await ask("DELETE", "/proxies/web/toxics/down_downstream")).toEqual(refusal(404, "toxic not found"));
    await ask("DELETE", "/proxies/web/toxics/latency_downstream");
    expect(proxy.config.faults).toEqual([fault("down")]);
    const named = { type: "timeout", name: "down_downstream" };
    expect(await ask("POST", "/proxies/web/toxics", named)).toEqual(refusal(409, "toxic already exists"));
    await ask("POST", "/reset");
    expect(proxy.config.faults).toEqual([]);
  });

  test("that are created at once are all there", async () => {
    const { ask, host } = world();
    await ask("POST", "/proxies", REDIS);
    const names = Array.from({ length: 20 }, (_, index) => `toxic ${index}`);
    await Promise.all(names.map((name) => ask("POST", "/proxies/redis/toxics", { type: "timeout", name })));
    expect(host.running[0]?.config.faults.map(({ name }) => name)).toEqual(names);
  });
});

test("a failure that is nobody's fault is an answer, too", async () => {
  const { ask, host } = await toxic();
  const [proxy] = host.running;
  if (proxy) proxy.configure = () => Promise.reject(new Error("a script is gone"));
  expect(await ask("DELETE", "/proxies/redis/toxics/latency_downstream")).toEqual(refusal(500, "a script is gone"));
});

test.each([
  ["PUT", "/version", "GET"],
  ["GET", "/reset", "POST"],
  ["GET", "/populate", "POST"],
  ["DELETE", "/proxies", "GET, POST"],
  ["PUT", "/proxies/redis", "GET, POST, PATCH, DELETE"],
  ["DELETE", "/proxies/redis/toxics", "GET, POST"],
  ["PUT", "/proxies/redis/toxics/x", "GET, POST, PATCH, DELETE"],
])("%s %s is not allowed: 405", async (method, path, allow) => {
  const answer = await world().ask(method, path);
  expect(answer).toEqual(refusal(405, `${method} is not allowed here`));
  expect(answer.response.headers.get("allow")).toBe(allow);
});

test.each(["/", "/metrics", "/proxies/redis/toxics/x/y", "/toxics", "/api/reload"])(
  "there is no %s: 404",
  async (path) => {
    for (const method of ["GET", "POST"])
      expect(await world().ask(method, path)).toEqual(refusal(404, `nothing at ${path}`));
  },
);

describe("a page in a browser", () => {
  const page = { "user-agent": "Mozilla/5.0", host: "127.0.0.1:8474" };
  test.each<[string, Record<string, string>]>([
    ["of another site", { ...page, "sec-fetch-site": "cross-site" }],
    ["of another port of this machine", { ...page, "sec-fetch-site": "same-site" }],
    ["of another origin", { ...page, origin: "https://example.com" }],
    ["of no origin", { ...page, origin: "null" }],
    ["that has got our address as its name", { ...page, host: "evil.test:8474", origin: "http://evil.test:8474" }],
  ])("%s may change nothing", async (_, headers) => {
    for (const listen of [LOOPBACK, ANYWHERE]) {
      const { ask, host } = world({ listen });
      for (const method of ["POST", "PATCH", "DELETE"]) {
        expect((await ask(method, "/proxies/redis", REDIS, headers)).status).toBe(403);
      }
      expect(await ask("POST", "/proxies", REDIS, headers)).toEqual(refusal(403, "refused"));
      expect(await ask("OPTIONS", "/proxies", undefined, headers)).toEqual(refusal(403, "refused"));
      expect(host.told).toEqual([]);
    }
  });

  test("may not even by a name alone, where this machine alone can connect", async () => {
    const answer = await world().ask("POST", "/proxies", REDIS, { host: "evil.test:8474" });
    expect(answer).toEqual(refusal(403, 'under the name "evil.test"'));
  });
});

test("clients need no token, whatever the address and the name it has for them", async () => {
  for (const [listen, name] of [
    [LOOPBACK, "localhost:8474"],
    [LOOPBACK, "127.0.0.1:8474"],
    [ANYWHERE, "toxiproxy:8474"],
    [parseAddress("unix:/run/weir.sock", "listen"), "anything"],
  ] as const) {
    // As Node's fetch does.
    const headers = { host: name, "sec-fetch-mode": "cors" };
    expect((await world({ listen }).ask("POST", "/proxies", REDIS, headers)).status).toBe(201);
  }
});
