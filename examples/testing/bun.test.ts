/**
 * A client and what can go wrong for it, under Bun:
 *
 *   bun test ./examples/testing/bun.test.ts
 */
import { expect, test } from "bun:test";
import { createFixture } from "weir/testing";
import { ask } from "./client.ts";

test("an answer that is late is waited for", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo(), { faults: ["latency:latency=100ms"] });
  expect(await ask(server.port, "hello")).toBe("hello");
  // Seconds.
  expect((await server.nextRecord()).duration).toBeGreaterThanOrEqual(0.1);
});

test("a server that says nothing is given up, and the connection to it closed", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo());
  await server.withFault("timeout:timeout=0", async () => {
    await expect(ask(server.port, "hello", { timeout: 50 })).rejects.toThrow("no answer within 50 ms");
  });
  await server.untilConnections(0);
  expect(await ask(server.port, "hello")).toBe("hello");
});

test("half an answer is none", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo(), { faults: [{ type: "limit_data", bytes: 3 }] });
  await expect(ask(server.port, "hello")).rejects.toThrow('the answer broke off after "hel"');
  expect((await server.nextRecord()).rule).toBe("limit_data_downstream: closed after 3 bytes");
});

test("a server that comes back is asked again", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo());
  await server.down();
  const answer = ask(server.port, "hello", { retries: Number.POSITIVE_INFINITY });
  await server.nextRecord();
  await server.up();
  expect(await answer).toBe("hello");
});

test("all questions are answered, though every other attempt fails", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo(), { faults: ["reset_peer:toxicity=0.5"] });
  const questions = Array.from({ length: 20 }, (_, index) => `question ${index}`);
  const answers = await Promise.all(questions.map((each) => ask(server.port, each, { retries: 1_000 })));
  expect(answers, `WEIR_SEED=${it.seed} repeats this`).toEqual(questions);
});
