/** Bytes in motion: all of them, in order, and never more in memory than agreed. */
import assert from "node:assert/strict";
import { memoryUsage } from "node:process";
import { type Case, deferred } from "../kit.ts";
import { pattern } from "../probe.ts";

const MB = 1_000_000;

export const flow: readonly Case[] = [
  {
    name: "64 MB both ways at once arrive intact",
    async run(kit) {
      const { client, server } = await kit.pair();
      await Promise.all([client.send(64 * MB, 1_000_003), server.send(64 * MB, 77_777)]);
      client.finish();
      server.finish();
      await Promise.all([client.untilClose(), server.untilClose()]);
      assert.equal(client.received, 64 * MB);
      assert.equal(server.received, 64 * MB);
    },
  },
  {
    name: "20,000 writes of one byte arrive in order",
    async run(kit) {
      const { client, server } = await kit.pair();
      await client.send(20_000, 1);
      client.finish();
      await server.untilEnd();
      assert.equal(server.received, 20_000);
    },
  },
  {
    name: "pause really stops reading: 500 MB against a stalled reader stay bounded, then all arrive",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      const before = memoryUsage().rss;
      const sending = client.send(500 * MB, 500_000).then(() => client.finish());
      await kit.busy();
      assert.equal(server.received, 0);
      assert.ok(client.sent < 40 * MB, `${client.sent} bytes went to a reader that does not read`);
      const grown = memoryUsage().rss - before;
      assert.ok(grown < 100 * MB, `memory grew by ${grown} bytes`);
      server.resume();
      await server.untilEnd();
      await sending;
      assert.equal(server.received, 500 * MB);
    },
  },
  {
    name: "pausing in the middle of a stream holds everything back until resume",
    async run(kit) {
      const { client, server } = await kit.pair();
      const sending = client.send(20 * MB);
      for (const mark of [1, 2, 3].map((n) => n * 4 * MB)) {
        await server.until(() => server.received >= mark, "the mark");
        server.pause();
        const seen = server.received;
        await kit.busy(100);
        assert.equal(server.received, seen);
        server.resume();
      }
      await sending;
      await server.until(() => server.received === 20 * MB, "all");
    },
  },
  {
    name: "drain comes exactly once after a write that returned false",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      assert.equal(client.write(32 * MB), false);
      assert.equal(client.write(1_000), false);
      await kit.busy(50);
      assert.equal(client.drains, 0);
      server.resume();
      await client.until(() => client.drains > 0, "drain");
      await server.until(() => server.received === 32 * MB + 1_000, "all");
      await kit.busy(50);
      assert.equal(client.drains, 1);
    },
  },
  {
    name: "write returns true below the buffer's size and false from there on",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true, buffer: 4 * MB });
      let last = true;
      while (last) last = client.write(100_000);
      assert.ok(client.socket.buffered >= 4 * MB, `false at ${client.socket.buffered}`);
      assert.ok(client.socket.buffered < 4 * MB + 200_000, `false only at ${client.socket.buffered}`);
      server.resume();
      await server.until(() => server.received === client.sent, "all");
    },
  },
  {
    name: "where answers are looked out for, they come, and so does everything else",
    async run(kit) {
      const { client, server } = await kit.pair();
      const bulk = server.until(() => server.received === 16 * MB, "bulk");
      client.write(16 * MB);
      await kit.busy(2_000, { busyPoll: 1_000 });
      await bulk;
      // An answer that takes longer than anybody looks out for it.
      const asking = await kit.pair({ busyPoll: 1_000 });
      asking.client.write(1);
      await asking.server.until(() => asking.server.received === 1, "the question");
      await kit.busy(200);
      asking.server.write(1);
      await asking.client.until(() => asking.client.received === 1, "the answer");
    },
  },
  {
    name: "the caller may reuse its chunk as soon as write returns",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      const chunk = new Uint8Array(1_000);
      for (let at = 0; at < 16 * MB; at += chunk.length) {
        chunk.set(pattern(at, chunk.length));
        client.socket.write(chunk);
      }
      chunk.fill(0);
      server.resume();
      await server.until(() => server.received === 16 * MB, "all");
    },
  },
  {
    name: "what is sliced off a chunk is a copy",
    async run(kit) {
      const { client, server } = await kit.pair();
      server.raw = true;
      const seen = deferred<void>();
      server.onData = (chunk) => {
        const first = chunk[0];
        chunk.slice().fill(0);
        chunk.slice(0, 1).fill(0);
        assert.equal(chunk[0], first);
        seen.resolve();
      };
      client.writeText("x");
      await seen.promise;
    },
  },
  {
    name: "a chunk passed on to another socket survives, however slow that one is",
    async run(kit) {
      const { client, server } = await kit.pair();
      const onward = await kit.pair({ serverPaused: true });
      const stalled = deferred<void>();
      server.onData = (chunk) => {
        if (!onward.client.socket.write(chunk)) {
          server.pause();
          stalled.resolve();
        }
      };
      onward.client.onDrain = () => server.resume();
      const sending = client.send(30 * MB);
      await stalled.promise;
      onward.server.resume();
      await onward.server.until(() => onward.server.received === 30 * MB, "all");
      await sending;
    },
  },
  {
    name: "a million one-byte writes to a stalled reader cost little memory",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      client.write(16 * MB);
      const before = memoryUsage().rss;
      const byte = new Uint8Array(1);
      for (let n = 0; n < MB; n++) {
        byte[0] = pattern(client.sent, 1)[0] ?? 0;
        client.socket.write(byte);
        client.sent++;
      }
      const grown = memoryUsage().rss - before;
      assert.ok(grown < 400 * MB, `memory grew by ${grown} bytes`);
      server.resume();
      await server.until(() => server.received === 17 * MB, "all");
    },
  },
];
