/** UDP: whole datagrams or none, what is lost is counted, and a socket is ended by nothing but its owner. */
import assert from "node:assert/strict";
import { numbered, open, senderOf, smallBuffer, two, untilUnsent, upTo } from "../datagram-probe.ts";
import type { Case, Kit } from "../kit.ts";
import { pattern } from "../probe.ts";
import { rejects } from "./addresses.ts";

/** What 65,535 bytes of IPv4 packet leave for a payload (RFC 768, RFC 791). */
const BIGGEST = 65_507;
const MANY = 2_000;
const MIB = 1 << 20;

export const datagrams: readonly Case[] = [
  { name: "datagrams over IPv4, each with its sender", run: (kit) => exchange(kit, "127.0.0.1") },
  { name: "datagrams over IPv6, each with its sender", run: (kit) => exchange(kit, "::1") },
  {
    name: "a datagram socket on :: takes IPv4 too, shows its sender as IPv4 and answers it",
    async run(kit) {
      const wide = await open(kit, { host: "::" });
      const narrow = await open(kit);
      const { port } = wide.socket.local;
      narrow.send(numbered(1), { host: "127.0.0.1", port });
      await wide.untilReceived(1);
      const from = senderOf(wide);
      assert.deepEqual(from, narrow.socket.local);
      wide.send(numbered(2), from);
      await narrow.untilReceived(1);
      assert.deepEqual(senderOf(narrow), { host: "127.0.0.1", port });
    },
  },
  {
    name: "an empty datagram arrives",
    async run(kit) {
      const { a, b } = await two(kit);
      a.send(new Uint8Array(0), b.socket.local);
      await b.untilReceived(1);
      assert.equal(b.received[0]?.bytes.length, 0);
      assert.deepEqual(senderOf(b), a.socket.local);
    },
  },
  {
    name: "the biggest datagram arrives whole",
    async run(kit) {
      const { a, b } = await two(kit);
      const biggest = pattern(0, BIGGEST);
      a.send(biggest, b.socket.local);
      await b.untilReceived(1);
      assert.deepEqual(new Uint8Array(b.received[0]?.bytes ?? []), biggest);
    },
  },
  {
    name: "a datagram that is too big, or for the other family, counts as unsent and does nothing else",
    async run(kit) {
      const { a, b } = await two(kit);
      const { port } = b.socket.local;
      a.send(new Uint8Array(BIGGEST + 1), b.socket.local);
      a.send(numbered(0), { host: "::1", port });
      await untilUnsent(a, b, 2);
      assert.ok(b.received.every(({ bytes }) => bytes.length === 100));
    },
  },
  {
    name: "a taken datagram port is EADDRINUSE, and free again after close",
    async run(kit) {
      const { a, b } = await two(kit);
      const again = () => kit.runtime.datagram(a.socket.local, { receiveBuffer: MIB });
      await rejects(again(), "EADDRINUSE");
      a.send(numbered(1), b.socket.local);
      await b.untilReceived(1);
      a.shut();
      await a.until(() => a.closes > 0, "close");
      const heir = await again();
      kit.later(() => heir.close());
      assert.deepEqual(heir.local, a.socket.local);
    },
  },
  {
    name: "a datagram port on an address of another machine is EADDRNOTAVAIL",
    run: ({ runtime }) =>
      rejects(runtime.datagram({ host: "192.0.2.1", port: 0 }, { receiveBuffer: 0 }), "EADDRNOTAVAIL"),
  },
  {
    name: "the sender may reuse its chunk at once",
    async run(kit) {
      const { a, b } = await two(kit);
      const chunk = new Uint8Array(1_000);
      for (let n = 0; n < 50; n++) {
        chunk.set(pattern(n, chunk.length));
        a.send(chunk, b.socket.local);
        chunk.fill(0);
      }
      await b.untilReceived(50);
      for (const [n, { bytes }] of b.received.entries()) {
        assert.deepEqual(new Uint8Array(bytes), pattern(n, chunk.length));
      }
    },
  },
  {
    name: "what is sliced off a datagram is a copy",
    async run(kit) {
      const { a, b } = await two(kit);
      b.onMessage = (chunk) => {
        const first = chunk[0];
        chunk.slice().fill(0);
        assert.equal(chunk[0], first);
      };
      a.send(pattern(1, 10), b.socket.local);
      await b.untilReceived(1);
    },
  },
  {
    name: "who waits for drain when a socket is full loses nothing, however much it sends",
    async run(kit) {
      const { a, b } = await two(kit);
      let waits = 0;
      for (let n = 0; n < 3_000; n++) {
        a.send(numbered(n, 1_400), b.socket.local);
        if (a.socket.full) {
          const before = a.drains;
          waits++;
          await a.until(() => a.drains > before, "drain");
        }
        // The receiver keeps up: its own buffer is another matter.
        if (n % 50 === 49) await b.untilReceived(n + 1);
      }
      assert.deepEqual(b.numbers(), upTo(3_000));
      assert.equal(a.socket.unsent, 0);
      assert.equal(a.drains, waits);
    },
  },
  {
    name: "2,000 datagrams, 50 at a time, all arrive in order",
    async run(kit) {
      const { a, b } = await two(kit);
      for (let n = 0; n < MANY; n++) {
        a.send(numbered(n), b.socket.local);
        if (n % 50 === 49) await b.untilReceived(n + 1);
      }
      assert.deepEqual(b.numbers(), upTo(MANY));
    },
  },
  {
    name: "a burst of 2,000 datagrams fits into a receive buffer of 4 MiB",
    skip: smallBuffer,
    async run(kit) {
      const a = await open(kit);
      const b = await open(kit, { receiveBuffer: 4 * MIB });
      for (let n = 0; n < MANY; n++) a.send(numbered(n), b.socket.local);
      await b.untilReceived(MANY);
      assert.deepEqual(b.numbers(), upTo(MANY));
      assert.equal(a.socket.unsent, 0);
    },
  },
  {
    name: "a datagram socket is created paused, and delivers after resume what came before",
    async run(kit) {
      const a = await open(kit);
      const b = await open(kit, { paused: true });
      for (let n = 0; n < 100; n++) a.send(numbered(n), b.socket.local);
      await kit.busy(100);
      assert.equal(b.received.length, 0);
      b.resume();
      await b.untilReceived(100);
      assert.deepEqual(b.numbers(), upTo(100));
    },
  },
  {
    name: "a datagram socket that pauses at each datagram gets one at each resume, and all in order",
    async run(kit) {
      const { a, b } = await two(kit);
      b.onMessage = () => b.pause();
      for (let n = 0; n < 20; n++) a.send(numbered(n), b.socket.local);
      for (let n = 1; n <= 20; n++) {
        await b.untilReceived(n);
        await kit.busy(10);
        assert.equal(b.received.length, n);
        b.resume();
        b.pause();
        b.resume();
      }
      assert.deepEqual(b.numbers(), upTo(20));
    },
  },
  {
    name: "what was sent before close leaves; what is sent after it counts as unsent",
    async run(kit) {
      const { a, b } = await two(kit);
      for (let n = 0; n < 20; n++) a.send(numbered(n), b.socket.local);
      a.shut();
      a.send(numbered(20), b.socket.local);
      await a.until(() => a.closes > 0, "close");
      a.send(numbered(21), b.socket.local);
      await b.untilReceived(20);
      await kit.busy(50);
      assert.deepEqual(b.numbers(), upTo(20));
      assert.equal(a.socket.unsent, 2);
    },
  },
  {
    name: "close comes once and last, however often and wherever close is called",
    async run(kit) {
      const { a, b } = await two(kit);
      const idle = await open(kit, { paused: true });
      b.onMessage = () => {
        b.shut();
        b.resume();
      };
      for (let n = 0; n < 10; n++) {
        a.send(numbered(n), b.socket.local);
        a.send(numbered(n), idle.socket.local);
      }
      await b.until(() => b.closes > 0, "close");
      await kit.busy(50);
      for (const probe of [a, b, idle]) {
        probe.shut();
        probe.shut();
        probe.resume();
        await probe.until(() => probe.closes > 0, "close");
      }
      await kit.busy(50);
      assert.equal(b.received.length, 1);
      assert.deepEqual([a.closes, b.closes, idle.closes], [1, 1, 1]);
      assert.deepEqual([a.error, b.error, idle.error], [undefined, undefined, undefined]);
    },
  },
  {
    name: "a message handler that throws closes its datagram socket with EHANDLER and no other",
    async run(kit) {
      const { a, b } = await two(kit);
      const other = await open(kit);
      b.onMessage = () => {
        throw new Error("as the case wants it");
      };
      for (let n = 0; n < 5; n++) a.send(numbered(n), b.socket.local);
      await b.until(() => b.closes > 0, "close");
      assert.equal(b.error?.code, "EHANDLER");
      assert.equal(b.received.length, 1);
      a.send(numbered(9), other.socket.local);
      await other.untilReceived(1);
      assert.deepEqual([a.closes, b.closes, other.closes], [0, 1, 0]);
    },
  },
  {
    name: "a datagram to a closed port ends nothing and costs no other datagram",
    async run(kit) {
      const { a, b } = await two(kit);
      const gone = await open(kit);
      gone.shut();
      await gone.until(() => gone.closes > 0, "close");
      for (let n = 0; n < 50; n++) {
        a.send(numbered(n), gone.socket.local);
        a.send(numbered(n), b.socket.local);
        b.send(numbered(n), a.socket.local);
      }
      await Promise.all([a.untilReceived(50), b.untilReceived(50)]);
      await kit.busy(50);
      assert.deepEqual([a.numbers(), b.numbers()], [upTo(50), upTo(50)]);
      assert.deepEqual([a.closes, a.socket.unsent], [0, 0]);
    },
  },
  {
    name: "a connected datagram socket hears its remote alone, and sends there whatever it is told",
    async run(kit) {
      const { a, b } = await two(kit);
      const connected = await open(kit, { remote: a.socket.local, sendBuffer: 1 << 18 });
      for (let n = 0; n < 5; n++) {
        b.send(numbered(100 + n), connected.socket.local);
        a.send(numbered(n), connected.socket.local);
        connected.send(numbered(n), b.socket.local);
      }
      await Promise.all([a.untilReceived(5), connected.untilReceived(5)]);
      await kit.busy(50);
      assert.deepEqual([connected.numbers(), a.numbers(), b.numbers()], [upTo(5), upTo(5), []]);
      assert.deepEqual(senderOf(connected), a.socket.local);
      assert.deepEqual(senderOf(a), connected.socket.local);
      assert.deepEqual([connected.socket.unsent, connected.socket.refused], [0, 0]);
    },
  },
  {
    name: "a connected datagram socket counts who refuses, and lives on",
    skip: ({ name }) => (name === "deno" ? "Deno says nothing of it" : undefined),
    async run(kit) {
      const gone = await open(kit);
      const at = gone.socket.local;
      gone.shut();
      await gone.until(() => gone.closes > 0, "close");
      const connected = await open(kit, { remote: at });
      for (let n = 1; n <= 3; n++) {
        connected.send(numbered(n), at);
        for (let left = 100; connected.socket.refused < n; left--) {
          assert.ok(left > 0, `${connected.socket.refused} of ${n} counted as refused`);
          await kit.busy(10);
        }
      }
      assert.equal(connected.socket.refused, 3);
      const heir = await open(kit, at);
      connected.send(numbered(4), at);
      await heir.untilReceived(1);
      heir.send(numbered(5), connected.socket.local);
      await connected.untilReceived(1);
      assert.deepEqual([heir.numbers(), connected.numbers()], [[4], [5]]);
      assert.deepEqual([connected.closes, connected.socket.unsent], [0, 0]);
    },
  },
];

async function exchange(kit: Kit, host: string): Promise<void> {
  const a = await open(kit, { host });
  const b = await open(kit, { host });
  assert.equal(a.socket.local.host, host);
  assert.ok(a.socket.local.port > 0 && a.socket.local.port !== b.socket.local.port);
  b.onMessage = (chunk, from) => b.socket.send(chunk, from);
  for (let n = 0; n < 3; n++) a.send(numbered(n), b.socket.local);
  await a.untilReceived(3);
  assert.deepEqual(a.numbers(), [0, 1, 2]);
  for (const { from } of a.received) assert.deepEqual(from, b.socket.local);
  for (const { from } of b.received) assert.deepEqual(from, a.socket.local);
}
