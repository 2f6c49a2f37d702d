/** FIN, RST and close: who sees what, in which order, how often. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import type { StreamSocket } from "../../../src/net/runtime.ts";
import { type Case, type Kit, LOOPBACK, type Pair } from "../kit.ts";
import { Probe, pattern } from "../probe.ts";

export const closing: readonly Case[] = [
  { name: "half-close, the client first", run: (kit) => halfClose(kit, "client") },
  { name: "half-close, the server first", run: (kit) => halfClose(kit, "server") },
  {
    name: "half-close from both sides at once",
    async run(kit) {
      const { client, server } = await kit.pair();
      client.write(10_000);
      server.write(10_000);
      client.finish();
      server.finish();
      assert.equal(await client.untilClose(), undefined);
      assert.equal(await server.untilClose(), undefined);
      for (const side of [client, server]) {
        assert.equal(side.received, 10_000);
        assert.deepEqual(side.log.slice(-2), ["end", "close"]);
      }
    },
  },
  {
    name: "FIN goes out behind the buffered bytes",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      client.write(16_000_000);
      client.finish();
      assert.ok(client.socket.buffered > 0);
      server.resume();
      await server.untilEnd();
      assert.equal(server.received, 16_000_000);
      server.finish();
      assert.equal(await client.untilClose(), undefined);
    },
  },
  {
    name: "FIN while paused waits, and comes after the bytes before it",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      client.write(200_000);
      client.finish();
      await kit.busy(200);
      assert.deepEqual(server.log, []);
      server.resume();
      await server.untilEnd();
      assert.equal(server.received, 200_000);
    },
  },
  {
    name: "abort sends RST, which the peer sees as ECONNRESET; our own close has no error",
    async run(kit) {
      for (const [from, to] of [
        ["client", "server"],
        ["server", "client"],
      ] as const) {
        const pair = await kit.pair();
        pair[from].abort();
        assert.equal(await pair[to].untilClose(), "ECONNRESET");
        assert.equal(await pair[from].untilClose(), undefined);
        assert.deepEqual(pair[to].log, ["close"]);
      }
    },
  },
  {
    name: "RST after our FIN, and after the peer's, is still ECONNRESET",
    async run(kit) {
      const ours = await kit.pair();
      ours.client.finish();
      await ours.server.untilEnd();
      ours.server.abort();
      assert.equal(await ours.client.untilClose(), "ECONNRESET");
      const theirs = await kit.pair();
      theirs.server.finish();
      await theirs.client.untilEnd();
      theirs.server.abort();
      theirs.client.write(1);
      assert.equal(await theirs.client.untilClose(), "ECONNRESET");
    },
  },
  {
    name: "RST behind unread bytes is never taken for a clean end",
    async run(kit) {
      for (const paused of [true, false]) {
        const { client, server } = await kit.pair({ serverPaused: paused });
        client.write(100_000);
        client.abort();
        if (paused) {
          await kit.busy(50);
          server.resume();
        }
        assert.equal(await server.untilClose(), "ECONNRESET");
        assert.ok(!server.ended);
        assert.ok(server.received <= 100_000);
      }
    },
  },
  {
    name: "a unix peer that closes is no reset: all its bytes, its end, a clean close",
    async run(kit) {
      const path = join(kit.directory(), "s");
      const bytes = pattern(0, 3_000_000);
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.write(bytes);
        socket.destroySoon();
      });
      kit.later(() => void server.close());
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const client = new Probe(await kit.connect({ kind: "unix", path }));
      await client.untilEnd();
      assert.equal(client.received, bytes.length);
      client.finish();
      assert.equal(await client.untilClose(), undefined);
    },
  },
  {
    name: "a reset of a socket that nobody has read from is heard at once, whatever came before it",
    async run(kit) {
      for (const sent of [0, 1_000, 300_000]) {
        const { client, server } = await kit.pair({ serverPaused: true });
        if (sent > 0) client.write(sent);
        await kit.busy(20);
        client.abort();
        // Where reading has stopped the runtime may not look at the socket until it is read again.
        if (sent > 100_000) server.resume();
        assert.equal(await server.untilClose(), "ECONNRESET");
      }
    },
  },
  {
    name: "a socket that nothing can be sent through any more says so, even while paused",
    async run(kit) {
      for (const when of ["the write comes before the reset", "the write comes after the reset"]) {
        const { client, server } = await kit.pair({ clientPaused: true });
        client.write(1_000);
        await server.until(() => server.received === 1_000, "the first bytes");
        server.pause();
        client.write(100_000);
        const first = when === "the write comes before the reset";
        if (first) while (server.write(500_000));
        client.abort();
        const known = () => server.failure !== undefined || server.closed;
        for (let tries = 0; !first && !known() && tries < 200; tries++) {
          server.write(1_000);
          await kit.busy(20);
        }
        await server.until(known, "the reset");
        assert.equal((server.failure ?? server.error)?.code, "ECONNRESET");
        server.resume();
        assert.equal(await server.untilClose(), "ECONNRESET");
        assert.equal(server.ended, false, "a reset that looks like an end");
      }
    },
  },
  {
    name: "abort drops what is buffered and keeps its count",
    async run(kit) {
      const { client, server } = await kit.pair({ serverPaused: true });
      client.write(16_000_000);
      const left = client.socket.buffered;
      assert.ok(left > 0);
      client.abort();
      await client.untilClose();
      assert.equal(client.socket.buffered, left);
      server.resume();
      assert.equal(await server.untilClose(), "ECONNRESET");
    },
  },
  {
    name: "after end, abort and close every method is harmless and takes no bytes",
    async run(kit) {
      const { client, server } = await kit.pair();
      client.finish();
      assert.equal(client.writeText("late"), false);
      client.finish();
      await server.untilEnd();
      assert.equal(server.received, 0);
      server.finish();
      await Promise.all([client.untilClose(), server.untilClose()]);
      for (const side of [client, server]) everyMethod(side);
      const other = await kit.pair();
      other.client.abort();
      everyMethod(other.client);
      assert.equal(await other.server.untilClose(), "ECONNRESET");
      await other.client.untilClose();
      await kit.busy(20);
    },
  },
  {
    name: "end and close come exactly once in every order of three actions",
    async run(kit) {
      const runs: Promise<void>[] = [];
      for (let order = 0; order < ACTIONS.length ** 3; order++) runs.push(inOrder(kit, order));
      await Promise.all(runs);
    },
  },
  {
    name: "an exception in a handler closes its own connection with EHANDLER and no other",
    async run(kit) {
      const bystander = await kit.pair();
      const { client, server } = await kit.pair();
      server.onData = () => {
        throw new Error("thrown on purpose");
      };
      client.write(10);
      assert.equal(await server.untilClose(), "EHANDLER");
      assert.equal(await client.untilClose(), "ECONNRESET");
      await bystander.client.send(1_000);
      await bystander.server.until(() => bystander.server.received === 1_000, "bytes");
    },
  },
  {
    name: "closing a listener leaves its connections alive and refuses new ones",
    async run(kit) {
      const { client, server, listener } = await kit.pair();
      await listener.close();
      await assert.rejects(kit.connect(listener.address), { code: "ECONNREFUSED" });
      await Promise.all([client.send(500_000), server.send(500_000)]);
      await client.until(() => client.received === 500_000, "bytes");
      await server.until(() => server.received === 500_000, "bytes");
      client.finish();
      await server.untilEnd();
      server.finish();
      assert.equal(await client.untilClose(), undefined);
    },
  },
  {
    name: "1,000 connections opened and closed",
    async run(kit) {
      const listener = await kit.listen(LOOPBACK, echoOnce);
      const one = async () => {
        const probe = new Probe(await kit.runtime.connect(listener.address, OPTIONS).socket);
        probe.write(64);
        probe.finish();
        assert.equal(await probe.untilClose(), undefined);
        assert.equal(probe.received, 64);
      };
      for (let done = 0; done < 1_000; done += 100) await Promise.all(Array.from({ length: 100 }, one));
    },
  },
];

const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 20_000 };

async function halfClose(kit: Kit, first: "client" | "server"): Promise<void> {
  const pair = await kit.pair();
  const one = pair[first];
  const other = pair[first === "client" ? "server" : "client"];
  one.write(1_000);
  one.finish();
  await other.untilEnd();
  assert.equal(other.received, 1_000);
  await other.send(3_000_000);
  await one.until(() => one.received === 3_000_000, "bytes after our FIN");
  other.finish();
  assert.equal(await one.untilClose(), undefined);
  assert.equal(await other.untilClose(), undefined);
  assert.deepEqual(one.log.slice(-2), ["end", "close"]);
}

function everyMethod(side: Probe): void {
  assert.equal(side.writeText("late"), false);
  side.finish();
  side.pause();
  side.resume();
  side.abort();
}

type Action = (pair: Pair) => void;

const ACTIONS: readonly Action[] = [
  ({ client }) => client.write(5_000),
  ({ client }) => client.finish(),
  ({ client }) => client.abort(),
  ({ client }) => client.pause(),
  ({ server }) => server.write(5_000),
  ({ server }) => server.finish(),
  ({ server }) => server.abort(),
  ({ server }) => server.pause(),
];

/** Three actions chosen by the digits of `order`, then both sides read and finish; Probe checks the rest. */
async function inOrder(kit: Kit, order: number): Promise<void> {
  const pair = await kit.pair();
  for (let rest = order, step = 0; step < 3; step++, rest = Math.floor(rest / ACTIONS.length)) {
    ACTIONS[rest % ACTIONS.length]?.(pair);
    if (order % 2 === 1) await Promise.resolve();
  }
  for (const side of [pair.client, pair.server]) {
    side.resume();
    side.finish();
  }
  await Promise.all([pair.client.untilClose(), pair.server.untilClose()]);
  await pair.listener.close();
}

function echoOnce(socket: StreamSocket): void {
  socket.on({
    data: (chunk) => void socket.write(chunk),
    drain() {},
    end: () => socket.end(),
    close() {},
  });
  socket.resume();
}
