/** Messages out of a stream, with a framer that is as simple as can be: a first byte that says how many follow. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Collector, type Framer } from "../../src/mux/collector.ts";
import { BadMessage } from "../../src/mux/message.ts";
import { cut, cuts } from "./reading.ts";

class Counted implements Framer {
  size = 0;
  /** Bytes that it was shown, all in all. */
  shown = 0;
  readonly #says: boolean;

  /** `says`: it tells the size as soon as it knows. */
  constructor(says: boolean) {
    this.#says = says;
  }

  end(bytes: Uint8Array, start: number, limit: number): number {
    this.shown += limit - start;
    this.size = 0;
    const size = 1 + (bytes[start] ?? 0);
    if (this.#says) this.size = size;
    return size <= limit - start ? start + size : -1;
  }
}

/** A message ends in a 1. It is looked for from the beginning each time. */
class Marked implements Framer {
  readonly size = 0;
  shown = 0;

  end(bytes: Uint8Array, start: number, limit: number): number {
    this.shown += limit - start;
    const at = bytes.subarray(start, limit).indexOf(1);
    return at < 0 ? -1 : start + at + 1;
  }
}

function all(collector: Collector, chunk: Uint8Array): Uint8Array[] {
  const messages: Uint8Array[] = [];
  collector.put(chunk);
  for (let message = collector.next(); message; message = collector.next()) messages.push(message);
  return messages;
}

const stream = (...sizes: number[]) => Uint8Array.from(sizes.flatMap((size) => [size, ...new Array(size).fill(7)]));

test("messages in one chunk are shown where they lie", () => {
  const chunk = stream(3, 0, 200);
  const messages = all(new Collector(new Counted(true), 1_000), chunk);
  expect(messages.map(({ length }) => length)).toEqual([4, 1, 201]);
  for (const { buffer } of messages) expect(buffer).toBe(chunk.buffer);
  const [only] = all(new Collector(new Counted(true), 1_000), stream(5));
  expect(only).toEqual(stream(5));
});

test("however it is cut, what comes out is the same, and stays until the next chunk", () => {
  const sizes = fc.array(fc.nat(255), { maxLength: 12 });
  fc.assert(
    fc.property(fc.boolean(), sizes, cuts(300), (says, lengths, pieces) => {
      const collector = new Collector(new Counted(says), 1_000);
      const bytes = stream(...lengths);
      const found: Uint8Array[] = [];
      for (const chunk of cut(bytes, pieces)) {
        const loan = chunk.slice();
        const messages = all(collector, loan);
        found.push(...messages.map((message) => message.slice()));
        loan.fill(0xdb);
      }
      expect(found).toEqual(lengths.map((length) => stream(length)));
      expect(collector.waiting).toBe(0);
    }),
  );
});

test("what waits is the beginning of a message", () => {
  const collector = new Collector(new Counted(true), 1_000);
  expect(all(collector, stream(3, 9).subarray(0, 6))).toHaveLength(1);
  expect(collector.waiting).toBe(2);
  expect(all(collector, new Uint8Array(0))).toEqual([]);
  expect(collector.waiting).toBe(2);
  expect(all(collector, new Uint8Array(9))).toHaveLength(2);
  expect(collector.waiting).toBe(0);
});

test("it knows when a message begins", () => {
  const collector = new Collector(new Counted(true), 1_000);
  expect(collector.begins).toBe(false);
  collector.put(stream(1, 5).subarray(0, 4));
  expect(collector.begins).toBe(true);
  expect(collector.next()).toHaveLength(2);
  expect(collector.begins).toBe(true);
  expect(collector.next()).toBeUndefined();
  expect(collector.begins).toBe(false);
  collector.put(new Uint8Array(4));
  expect(collector.begins).toBe(false);
  expect(collector.next()).toHaveLength(6);
  expect(collector.begins).toBe(false);
});

test("a message whose size is known gets a buffer of that size, and no byte of it is copied in vain", () => {
  const collector = new Collector(new Counted(true), 1_000);
  const bytes = stream(200, 100);
  all(collector, bytes.subarray(0, 10));
  const rest = bytes.slice(10);
  const [first, second] = all(collector, rest);
  expect(first?.buffer.byteLength).toBe(201);
  expect(second?.buffer).toBe(rest.buffer);
});

test("of a message of unknown size twice as much is looked at each time", () => {
  const framer = new Marked();
  const collector = new Collector(framer, 1 << 20);
  all(collector, Uint8Array.of(7));
  const size = 1 << 18;
  const [message] = all(collector, new Uint8Array(size).fill(1, size - 1));
  expect(message).toHaveLength(size + 1);
  expect(framer.shown).toBeLessThan(3 * size);
});

test("many messages behind one that has waited are not copied", () => {
  const framer = new Marked();
  const collector = new Collector(framer, 1 << 20);
  all(collector, Uint8Array.of(7));
  const chunk = new Uint8Array(10_000).fill(1);
  const messages = all(collector, chunk);
  expect(messages).toHaveLength(10_000);
  expect(messages.slice(1).every(({ buffer }) => buffer === chunk.buffer)).toBe(true);
});

test("nobody gets more memory than they have sent for a message that they say is large", () => {
  class Vast implements Framer {
    readonly size = 1 << 30;
    end(): number {
      return -1;
    }
  }
  // A buffer of 1 GiB for each of them would not be there.
  const collectors = Array.from({ length: 100 }, () => new Collector(new Vast(), 1 << 30));
  for (const collector of collectors) expect(all(collector, new Uint8Array(10))).toEqual([]);
  const before = process.memoryUsage().arrayBuffers;
  const more = Array.from({ length: 100 }, () => new Collector(new Vast(), 1 << 30));
  for (const collector of more) all(collector, new Uint8Array(10));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 << 20);
  expect(more.every(({ waiting }) => waiting === 10)).toBe(true);
});

test("the largest message passes, and one more byte is one too many, whether it is known before or not", () => {
  for (const says of [true, false]) {
    for (const pieces of [[], [1], [50], [101]]) {
      const run = (max: number) => {
        const collector = new Collector(new Counted(says), max);
        return cut(stream(100), pieces).flatMap((chunk) => all(collector, chunk));
      };
      expect(run(101)).toHaveLength(1);
      expect(() => run(100)).toThrow(BadMessage);
      expect(() => run(100)).toThrow(/\b10[01]\b.*max_message/);
    }
  }
});

test("cleared, it has forgotten everything", () => {
  const collector = new Collector(new Counted(true), 1_000);
  all(collector, stream(9).subarray(0, 5));
  collector.clear();
  expect(collector.waiting).toBe(0);
  expect(all(collector, stream(2))).toHaveLength(1);
  collector.put(stream(1, 1, 1));
  expect(collector.next()).toHaveLength(2);
  collector.clear();
  expect(collector.begins).toBe(false);
  expect(collector.next()).toBeUndefined();
});
