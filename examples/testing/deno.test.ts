/**
 * A client and what can go wrong for it, under Deno:
 *
 *   deno test --allow-all examples/testing/deno.test.ts
 */
import assert from "node:assert/strict";
import { createFixture } from "weir/testing";
import { ask } from "./client.ts";

Deno.test("an answer in a hundred pieces is put together", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo(), { faults: ["slicer:average_size=1,delay=100us"] });
  const question = "x".repeat(100);
  assert.equal(await ask(server.port, question), question);
});

Deno.test("a server that says nothing is given up, and the connection to it closed", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo());
  await server.withFault("timeout:timeout=0", async () => {
    await assert.rejects(ask(server.port, "hello", { timeout: 50 }), /no answer within 50 ms/);
  });
  await server.untilConnections(0);
  assert.equal(await ask(server.port, "hello"), "hello");
});

Deno.test("a server that is gone is an error, with no further attempt unless there is one left", async () => {
  await using it = await createFixture();
  const target = await it.echo();
  const server = await it.proxy(target);
  await target.close();
  await assert.rejects(ask(server.port, "hello", { retries: 2 }));
  for (let attempt = 1; attempt <= 3; attempt++) assert.equal((await server.nextRecord()).reason, "connect_refused");
  assert.equal(server.accepted, 3);
});

Deno.test("a server that comes back is asked again", async () => {
  await using it = await createFixture();
  const server = await it.proxy(await it.echo());
  await server.down();
  const answer = ask(server.port, "hello", { retries: Number.POSITIVE_INFINITY });
  await server.nextRecord();
  await server.up();
  assert.equal(await answer, "hello");
});
