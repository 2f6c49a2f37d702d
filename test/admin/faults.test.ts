/** Faults over the admin API: set, shown and removed, on connections that live. */
import { expect, test } from "bun:test";
import { CELL } from "../../src/metrics/counters.ts";
import { world } from "./world.ts";

test("a fault that is set holds for connections that live, and is gone when it is removed", async () => {
  await using it = await world();
  const client = await it.client();
  client.write(100);
  await client.until(() => client.received === 100, "the echo");
  expect(await it.post("/api/faults/db", { type: "timeout", timeout: 0, name: "silence" })).toMatchObject({
    status: 200,
    body: { name: "silence", type: "timeout", stream: "downstream", toxicity: 1, attributes: { timeout: 0 } },
  });
  expect(await it.get("/api/faults/db")).toMatchObject({ body: { faults: [{ name: "silence" }] } });
  client.write(100);
  // It is on its way through the echo, and held.
  while (it.proxy.counters.get(CELL.bytesDownstream) < 200) await new Promise((resolve) => setImmediate(resolve));
  expect(client.received).toBe(100);
  expect(await it.post("/api/faults/db/silence/remove")).toEqual({ status: 200, body: { removed: "silence" } });
  await client.until(() => client.received === 200, "the rest");
});

test("a fault of whole messages is set, shown and set again as it is shown", async () => {
  await using it = await world();
  const { body } = await it.post("/api/faults/db", { type: "drop_message", protocol: "redis", contains: "FLUSHALL" });
  expect(body).toMatchObject({ type: "drop_message", attributes: { protocol: "redis", contains: "FLUSHALL", nth: 0 } });
  const { attributes, ...rest } = body as { attributes: object };
  expect((await it.post("/api/faults/db", { ...rest, ...attributes })).body).toEqual(body);
});

test("a fault of the same name takes the place of the one before", async () => {
  await using it = await world();
  await it.post("/api/faults/db", { type: "latency", latency: "1s" });
  await it.post("/api/faults/db", { type: "latency", latency: 2, jitter: 1 });
  const { body } = await it.get("/api/faults/db");
  expect(body).toMatchObject({ faults: [{ name: "latency_downstream", attributes: { latency: 2, jitter: 1 } }] });
});

test.each([
  ["nowhere", { type: "down" }, 404, 'there is no proxy "nowhere"; there are db'],
  ["db", undefined, 400, "the body is no JSON object"],
  ["db", { type: "latncy" }, 400, 'did you mean "latency"?'],
  ["db", { type: "latency", latency: "soon" }, 400, '"soon"'],
  ["db", { type: "latency", latency: 1, rate: 1 }, 400, "rate"],
  ["db", { type: "drop_message", nth: 3 }, 400, "protocol: the fault"],
  ["db", { type: "drop_message", protocol: "http" }, 400, "stream: the fault"],
  ["db", { type: "drop_message", protocol: "echo", nth: "x" }, 400, "nth: expected a whole number"],
])("what cannot be set on %s is refused: %j", async (proxy, fault, status, words) => {
  await using it = await world();
  const answer = await it.post(`/api/faults/${proxy}`, fault);
  expect(answer.status).toBe(status);
  expect(String(answer.body["error"])).toContain(words);
  expect(it.proxy.config.faults).toEqual([]);
});

test("a fault that is not there cannot be removed", async () => {
  await using it = await world();
  const answer = await it.post("/api/faults/db/latency/remove");
  expect(answer).toEqual({ status: 404, body: { error: 'proxy "db" has no fault "latency"; there is none' } });
});
