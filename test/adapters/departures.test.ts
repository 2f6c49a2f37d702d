/**
 * What leaves a thread, against a kernel that is made up: it reads the headers as Linux does, takes some, is full,
 * refuses, or tells of an earlier datagram. Whatever it does, each datagram is taken, lost or kept, once and in order.
 */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { ffi } from "#ffi";
import { EAGAIN, ECONNREFUSED } from "../../adapters/linux/abi.ts";
import { Departures, type Sender } from "../../adapters/linux/departures.ts";
import { Inbox } from "../../adapters/linux/inbox.ts";
import type { Deferred, Loop } from "../../adapters/linux/loop.ts";
import { MESSAGES } from "../../adapters/linux/messages.ts";
import type { Pointer } from "../../adapters/linux/symbols.ts";
import { System } from "../../adapters/linux/system.ts";

const onLinux = test.skipIf(process.platform !== "linux");
const EINVAL = 22;
const EMSGSIZE = 90;
const EHOSTUNREACH = 113;
const HEADER = 64;

type Answer = { readonly take: number } | { readonly errno: number };

interface Message {
  readonly bytes: string;
  readonly name: string;
}

/** Native memory at an address, which Bun has as a number. */
function memory(address: bigint | number, length: number): DataView {
  return new DataView(ffi.view(Number(address) as unknown as Pointer, length));
}

function text(address: bigint, length: number): string {
  if (length === 0) return "";
  const view = memory(address, length);
  return Buffer.from(view.buffer, view.byteOffset, length).toString();
}

/** The datagrams of one header: its buffers one after the other, cut into segments if it says so. */
function read(header: DataView): Message[] {
  const name = text(header.getBigUint64(0, true), header.getUint32(8, true));
  let bytes = "";
  for (let i = 0n; i < header.getBigUint64(24, true); i++) {
    const iovec = memory(header.getBigUint64(16, true) + i * 16n, 16);
    bytes += text(iovec.getBigUint64(0, true), Number(iovec.getBigUint64(8, true)));
  }
  if (header.getBigUint64(40, true) === 0n) return [{ bytes, name }];
  const control = memory(header.getBigUint64(32, true), 18);
  expect([control.getBigUint64(0, true), control.getUint32(8, true), control.getUint32(12, true)]).toEqual([
    18n,
    17,
    103,
  ]);
  const size = control.getUint16(16, true);
  const cut: Message[] = [];
  for (let at = 0; at < bytes.length; at += size) cut.push({ bytes: bytes.slice(at, at + size), name });
  expect(cut.length).toBeLessThanOrEqual(64);
  expect(bytes.length).toBeLessThanOrEqual(65_507);
  return cut;
}

class World {
  readonly departures: Departures;
  readonly inbox: Inbox;
  /** What the kernel has taken, by descriptor. */
  readonly taken = new Map<number, Message[]>();
  answers: Answer[] = [];
  calls = 0;
  due: Deferred | undefined;
  arriving: readonly string[] = [];
  readonly #system = new System(ffi, true);

  constructor() {
    let errno = 0;
    const fail = (code: number) => {
      errno = code;
      return -1;
    };
    const libc = {
      recvmmsg: (_fd: number, at: Pointer) => {
        for (const [i, each] of this.arriving.entries()) {
          const header = memory(at as unknown as number, MESSAGES * HEADER);
          const place = memory(header.getBigUint64(i * HEADER + 16, true), 16).getBigUint64(0, true);
          new Uint8Array(memory(place, 65_536).buffer).set(Buffer.from(each));
          header.setUint32(i * HEADER + 56, each.length, true);
        }
        return this.arriving.length;
      },
      sendmmsg: (fd: number, at: Pointer, count: number) => {
        this.calls++;
        const answer = this.answers.shift() ?? { take: count };
        const header = (i: number) => {
          const all = memory(at as unknown as number, count * HEADER);
          return new DataView(all.buffer, all.byteOffset + i * HEADER, HEADER);
        };
        if ("errno" in answer) return fail(answer.errno);
        const number = Math.min(answer.take, count);
        const taken = this.taken.get(fd) ?? [];
        this.taken.set(fd, taken);
        for (let i = 0; i < number; i++) taken.push(...read(header(i)));
        return number;
      },
    };
    const system = Object.create(this.#system, {
      libc: { value: { ...this.#system.libc, ...libc } },
      errno: { get: () => errno },
    }) as System;
    const loop = { defer: (work: Deferred) => (this.due = work) } as unknown as Loop;
    this.inbox = new Inbox(system);
    this.departures = new Departures(system, loop, this.inbox);
  }

  /** The chunks of what has just arrived, where the kernel has written it. */
  receive(arriving: readonly string[]): Uint8Array[] {
    this.arriving = arriving;
    const count = this.inbox.receive(0, 0);
    return Array.from({ length: count }, (_, i) => this.inbox.received(i));
  }

  destroy(): void {
    this.#system.arena.verify();
    this.departures.destroy();
    this.inbox.destroy();
  }
}

class TestSender implements Sender {
  lane: Sender["lane"];
  segments = true;
  refusals = 0;
  losses = 0;
  readonly kept: Message[] = [];
  readonly fd: number;
  readonly connected: boolean;

  constructor(fd: number, connected = false) {
    this.fd = fd;
    this.connected = connected;
  }

  get full(): boolean {
    return this.kept.length > 0;
  }

  keep(bytes: Uint8Array, name: Uint8Array): void {
    this.kept.push({ bytes: Buffer.from(bytes).toString(), name: Buffer.from(name).toString() });
  }

  refusal(): void {
    this.refusals++;
  }

  lost(): void {
    this.losses++;
  }
}

const bytes = (word: string) => new Uint8Array(Buffer.from(word));
const NAMES = ["one", "other"].map(bytes);

function world(): World & Disposable {
  const made = new World();
  return Object.assign(made, { [Symbol.dispose]: () => made.destroy() });
}

onLinux("datagrams of one size and address leave as segments of one packet, a shorter one last", () => {
  using w = world();
  const sender = new TestSender(3);
  const [one, other] = NAMES as [Uint8Array, Uint8Array];
  for (const word of ["aaaa", "bbbb", "cc", "dddd"]) w.departures.send(sender, bytes(word), one);
  w.departures.send(sender, bytes("eeee"), other);
  w.departures.send(sender, bytes(""), other);
  expect(w.calls).toBe(0);
  w.answers = [{ take: 1 }];
  w.due?.turn();
  expect(w.calls).toBe(2);
  expect(w.taken.get(3)?.map(({ bytes, name }) => `${bytes} ${name}`)).toEqual([
    "aaaa one",
    "bbbb one",
    "cc one",
    "dddd one",
    "eeee other",
    " other",
  ]);
});

onLinux("where segments are refused each leaves by itself, from then on", () => {
  using w = world();
  const sender = new TestSender(3);
  const [one] = NAMES as [Uint8Array];
  for (let n = 0; n < 5; n++) w.departures.send(sender, bytes(`${n}`), one);
  w.answers = [{ errno: EINVAL }];
  w.departures.flush(sender);
  expect(w.taken.get(3)?.map(({ bytes }) => bytes)).toEqual(["0", "1", "2", "3", "4"]);
  expect([sender.segments, sender.losses]).toEqual([false, 0]);
});

onLinux("what is passed on is sent from where it arrived, and what is the sender's own is copied at once", () => {
  using w = world();
  const sender = new TestSender(3, true);
  const chunks = w.receive(["first", "second", "third"]);
  const own = bytes("own");
  for (const chunk of chunks) w.departures.send(sender, chunk, new Uint8Array(0));
  w.departures.send(sender, own, new Uint8Array(0));
  own.fill(0);
  w.departures.flushAll();
  expect(w.taken.get(3)?.map(({ bytes }) => bytes)).toEqual(["first", "second", "third", "own"]);
});

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ take: fc.integer({ min: 1, max: MESSAGES }) }),
  fc.record({ errno: fc.constantFrom(EAGAIN, ECONNREFUSED, EINVAL, EMSGSIZE, EHOSTUNREACH) }),
);

const order = fc.record({
  sender: fc.nat(19),
  // Sizes that repeat, so that there are segments.
  size: fc.constantFrom(6, 6, 6, 7, 40, 30_000),
  name: fc.nat(1),
  arrived: fc.boolean(),
  answers: fc.array(answer, { maxLength: 4 }),
});

onLinux("whatever the kernel answers, each datagram is taken, lost or kept, once and in order", () => {
  fc.assert(
    fc.property(fc.array(order, { minLength: 1, maxLength: 200 }), (orders) => {
      using w = world();
      const senders = Array.from({ length: 20 }, (_, n) => new TestSender(n + 3, n % 2 === 0));
      const given = senders.map((): string[] => []);
      for (const [n, each] of orders.entries()) {
        const sender = senders[each.sender] as TestSender;
        const word = `${String(n).padStart(6, "0")}${"x".repeat(each.size - 6)}`;
        w.answers.push(...each.answers);
        if (each.arrived) w.departures.flushAll();
        const [chunk] = each.arrived ? w.receive([word]) : [bytes(word)];
        given[each.sender]?.push(word);
        w.departures.send(
          sender,
          chunk as Uint8Array,
          sender.connected ? new Uint8Array(0) : (NAMES[each.name] as Uint8Array),
        );
      }
      w.departures.flushAll();
      for (const [n, sender] of senders.entries()) {
        const taken = (w.taken.get(sender.fd) ?? []).map((each) => each.bytes);
        const kept = sender.kept.map((each) => each.bytes);
        const all = given[n] ?? [];
        expect(taken.length + sender.losses + kept.length).toBe(all.length);
        expect(all.slice(all.length - kept.length)).toEqual(kept);
        expect(all.filter((each) => taken.includes(each))).toEqual(taken);
      }
    }),
    { numRuns: 60 },
  );
});
