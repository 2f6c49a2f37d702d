/** TLS: the rules of a stream hold within it. */
import assert from "node:assert/strict";
import type { StreamSocket } from "../../../src/net/runtime.ts";
import type { Case } from "../kit.ts";
import { Probe } from "../probe.ts";
import { AT, pairOf, serving, skip, worldOf } from "../tls-world.ts";

export const tls: readonly Case[] = [
  {
    name: "TLS: passes a hundred megabytes both ways, exact, and FIN both ways",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit);
      const total = 100_000_000;
      await Promise.all([client.send(total), server.send(total)]);
      client.finish();
      server.finish();
      await Promise.all([client.untilEnd(), server.untilEnd()]);
      assert.equal(client.received, total);
      assert.equal(server.received, total);
      assert.equal(await client.untilClose(), undefined);
      assert.equal(await server.untilClose(), undefined);
    },
  },
  {
    name: "TLS: a FIN of the client leaves the other way open",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit);
      await client.send(100_000);
      client.finish();
      await server.untilEnd();
      await server.send(3_000_000);
      server.finish();
      await client.untilEnd();
      assert.equal(client.received, 3_000_000);
      assert.equal(server.received, 100_000);
    },
  },
  {
    name: "TLS: a FIN of the server leaves the other way open",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit);
      server.finish();
      await client.untilEnd();
      await client.send(3_000_000);
      client.finish();
      await server.untilEnd();
      assert.equal(server.received, 3_000_000);
    },
  },
  {
    name: "TLS: an abort is a reset for the other side",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit);
      await client.send(1_000);
      await server.until(() => server.received === 1_000, "bytes");
      server.abort();
      assert.equal(await client.untilClose(), "ECONNRESET");
    },
  },
  {
    name: "TLS: a reset of the client is told as one, behind its bytes",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit);
      await client.send(1_000);
      await server.until(() => server.received === 1_000, "bytes");
      client.abort();
      assert.equal(await server.untilClose(), "ECONNRESET");
      assert.equal(server.ended, false);
    },
  },
  {
    name: "TLS: may be aborted in accept and within data, and the other side sees a reset",
    skip,
    async run(kit) {
      const { server: credential, trusting } = worldOf(kit);
      const within = {
        accept: (socket: StreamSocket) => socket.abort(),
        data: (socket: StreamSocket) => {
          socket.on({ data: () => socket.abort(), drain() {}, end() {}, close() {} });
          socket.resume();
        },
      };
      for (const accept of Object.values(within)) {
        const listener = await kit.listen(AT, accept, { serverTls: serving(credential) });
        for (let round = 0; round < 20; round++) {
          const client = new Probe(await kit.connect(listener.address, { clientTls: trusting }));
          client.write(1_000);
          assert.equal(await client.untilClose(), "ECONNRESET");
        }
      }
    },
  },
  {
    name: "TLS: a paused socket delivers nothing, holds its sender, and everything afterwards",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit, { serverPaused: true, buffer: 65_536 });
      const total = 40_000_000;
      let stalled = false;
      const sending = client.send(total).then(() => {
        stalled = true;
      });
      await kit.busy();
      assert.equal(stalled, false, "somebody has taken 40 MB that nobody reads");
      assert.equal(server.received, 0);
      server.resume();
      await sending;
      client.finish();
      await server.untilEnd();
      assert.equal(server.received, total);
    },
  },
  {
    name: "TLS: pausing within data holds the rest back",
    skip,
    async run(kit) {
      const { client, server } = await pairOf(kit, { buffer: 65_536 });
      let pauses = 0;
      server.onData = () => {
        server.pause();
        pauses++;
        void kit.busy(20).then(() => server.resume());
      };
      await client.send(2_000_000);
      client.finish();
      await server.until(() => server.ended, "end");
      assert.equal(server.received, 2_000_000);
      assert.ok(pauses > 1);
    },
  },
];
