/** Changes over the admin API: who may make them, what they do, and what is answered to nonsense. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { GuardRules } from "../../src/admin/guard.ts";
import type { Address } from "../../src/net/address.ts";
import { UsageError } from "../../src/net/errors.ts";
import { CHANGES, world } from "./world.ts";

const ANYWHERE: Address = { kind: "tcp", host: "0.0.0.0", port: 0 };

test("a target is drained and put back, by proxy and address", async () => {
  await using it = await world();
  const path = `/api/targets/db/${it.target}`;
  expect(await it.post(path, { state: "drain" })).toMatchObject({ status: 200, body: { state: "drain", weight: 1 } });
  expect(await it.post(path, { state: "ready", weight: 7 })).toMatchObject({ body: { state: "ready", weight: 7 } });
  const unix = encodeURIComponent("unix:/run/a b/x.sock");
  expect(await it.post(`/api/targets/db/${unix}`, { state: "disabled" })).toMatchObject({ status: 200 });
  expect(it.proxy.targets.map(({ state, weight }) => [state, weight])).toEqual([
    ["ready", 7],
    ["disabled", 1],
  ]);
});

test("what cannot be is explained", async () => {
  await using it = await world();
  const path = `/api/targets/db/${it.target}`;
  const answers: [string, unknown, number, string][] = [
    ["/api/targets/dbb/x", { state: "drain" }, 404, 'there is no proxy "dbb"; did you mean "db"?'],
    ["/api/targets/db/10.0.0.1:1", { state: "drain" }, 404, 'proxy "db" has no target "10.0.0.1:1"; there are'],
    [path, undefined, 400, "the body is no JSON object"],
    [path, [], 400, "the body is no JSON object"],
    [path, {}, 400, "there is nothing to change"],
    [path, { state: "drained" }, 400, 'state is "drained"; use ready, drain, disabled'],
    [path, { weight: -1 }, 400, "weight is -1; use 0 to 1000"],
    [path, { weight: "2" }, 400, 'weight is "2"; use 0 to 1000'],
    [path, { wait: 2 }, 400, 'unknown key "wait"'],
    ["/api/connections/x/close", undefined, 400, 'the id "x" is not a number'],
    ["/api/connections/99999999/close", undefined, 404, "there is no connection 99999999"],
    ["/api/nothing", undefined, 404, "nothing at /api/nothing"],
  ];
  for (const [where, body, status, error] of answers) {
    const answer = await it.post(where, body);
    expect([where, answer.status]).toEqual([where, status]);
    expect(String(answer.body["error"])).toStartWith(error);
  }
});

test("a connection is reset by its id", async () => {
  await using it = await world();
  const client = await it.client();
  client.write(5);
  await client.until(() => client.received === 5, "echo");
  const [connection] = (await it.proxy.connections(1)).connections;
  expect(await it.post(`/api/connections/${connection?.id}/close`)).toMatchObject({ status: 200 });
  expect(await client.untilClose()).toBe("ECONNRESET");
});

test("a reload answers what it has changed, or what is wrong with the configuration", async () => {
  await using it = await world();
  expect(await it.post("/api/reload")).toEqual({ status: 200, body: CHANGES });
  it.source.reload = async () => undefined;
  expect(await it.post("/api/reload")).toMatchObject({ status: 409 });
  it.source.reload = () => Promise.reject(new UsageError("ECONFIG", "weir.toml:1:1: no"));
  expect(await it.post("/api/reload")).toEqual({ status: 422, body: { error: "weir.toml:1:1: no" } });
  it.source.reload = () => Promise.reject(new Error("EADDRINUSE"));
  expect(await it.post("/api/reload")).toMatchObject({ status: 500 });
});

test("drain does what a signal does", async () => {
  await using it = await world();
  expect(await it.post("/api/drain")).toMatchObject({ status: 202 });
  expect(it.told).toEqual(["drain"]);
});

describe("a change is refused", () => {
  const refused = async (rules: Partial<GuardRules>, headers: Record<string, string>) => {
    await using it = await world(rules);
    const { status } = await it.post("/api/drain", undefined, headers);
    expect(it.told.length).toBe(status === 202 ? 1 : 0);
    return status;
  };

  test("from a page of another site", async () => {
    expect(await refused({}, { origin: "http://evil.example" })).toBe(403);
    expect(await refused({}, { origin: "null" })).toBe(403);
    expect(await refused({}, { "sec-fetch-site": "cross-site" })).toBe(403);
    expect(await refused({}, { "sec-fetch-site": "same-site" })).toBe(403);
    expect(await refused({ token: "x" }, { origin: "http://evil.example", authorization: "Bearer x" })).toBe(403);
    expect(await refused({}, { origin: "http://127.0.0.1:8998", "sec-fetch-site": "same-origin" })).toBe(202);
  });

  test("under a name that somebody else's DNS may have given us", async () => {
    expect(await refused({}, { host: "evil.example:8998" })).toBe(403);
    for (const host of ["localhost:8998", "127.0.0.1", "[::1]:8998"]) expect(await refused({}, { host })).toBe(202);
  });

  test("without the token, or from elsewhere when there is none", async () => {
    expect(await refused({ token: "secret" }, {})).toBe(401);
    expect(await refused({ token: "secret" }, { authorization: "Bearer secre" })).toBe(401);
    expect(await refused({ token: "secret" }, { authorization: "Bearer secrets" })).toBe(401);
    expect(await refused({ token: "secret" }, { authorization: "Bearer secret" })).toBe(202);
    expect(await refused({ listen: ANYWHERE }, {})).toBe(403);
    expect(await refused({ listen: ANYWHERE, token: "secret" }, { authorization: "bearer secret" })).toBe(202);
    expect(await refused({ listen: { kind: "unix", path: "/run/weir.sock" } }, {})).toBe(202);
  });
});

test("no path and no body makes the API fail", async () => {
  await using it = await world();
  const part = fc.oneof(
    fc.constantFrom("api", "targets", "connections", "close", "db", "reload", "%", "%2F", ".."),
    fc.string(),
  );
  const path = fc.array(part, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
  const body = fc.oneof(fc.jsonValue(), fc.constant({ state: "drain" }), fc.constant(undefined));
  await fc.assert(
    fc.asyncProperty(path, body, async (where, what) => {
      const status = await it.post(where, what).then(
        (answer) => answer.status,
        (error: unknown) => (error instanceof TypeError ? 404 : 500),
      );
      expect(status).toBeLessThan(500);
    }),
    { numRuns: 500 },
  );
});
