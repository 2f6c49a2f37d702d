/**
 * A client and what can go wrong for it, under Node, which wants JavaScript:
 *
 *   bun build --target=node examples/testing/node.test.ts --outfile=node.test.mjs
 *   node --test node.test.mjs
 */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { createFixture, type Fixture } from "weir/testing";
import { ask } from "./client.ts";

describe("the client", () => {
  let weir: Fixture;
  // Where there is no `await using`, somebody has to say when it is over.
  beforeEach(async () => {
    weir = await createFixture();
  });
  afterEach(() => weir.close());

  it("waits for an answer that is late", async () => {
    const server = await weir.proxy(await weir.echo(), { faults: ["latency:latency=100ms"] });
    assert.equal(await ask(server.port, "hello"), "hello");
    assert((await server.nextRecord()).duration >= 0.1);
  });

  it("tells when the server goes down in the middle of its work", async () => {
    const target = await weir.target("silent");
    const server = await weir.proxy(target);
    const failed = assert.rejects(ask(server.port, "hello"), { code: "ECONNRESET" });
    await target.untilReceived("hello\n".length);
    await server.down();
    await failed;
  });

  it("takes no half answer for a whole one", async () => {
    const target = await weir.target((_, connection) => {
      connection.write("hel");
      connection.end();
    });
    const server = await weir.proxy(target);
    await assert.rejects(ask(server.port, "hello"), { message: 'the answer broke off after "hel"' });
    assert.equal((await server.nextRecord()).bytesDownstream, 3);
  });

  it("gives up a server that says nothing, and tries again", async () => {
    const server = await weir.proxy(await weir.echo(), { faults: ["timeout:timeout=0"] });
    await assert.rejects(ask(server.port, "hello", { timeout: 50, retries: 1 }), /no answer within 50 ms/);
    assert.equal(server.accepted, 2);
    await server.reset();
    await server.untilConnections(0);
    assert.equal(await ask(server.port, "hello"), "hello");
  });
});
