/** What waits for an observer, held against a plain queue. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Ring } from "../../src/observe/ring.ts";
import { pattern } from "../contract/probe.ts";
import { joined, same } from "./bytes.ts";

const LIMIT = 10_000;
const PREFIX = 8;
/** Adds so many bytes, or (0) takes what is next. */
const actions = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 4_000 })), { maxLength: 200 });

test("a stream comes out as it went in, whatever is added and taken, in no more memory than its limit", () => {
  fc.assert(
    fc.property(actions, (plan) => {
      const ring = new Ring(LIMIT, false);
      let [added, taken] = [0, 0];
      for (const size of plan) {
        if (size > 0 && ring.fits(size)) {
          ring.add(new Uint8Array(0), pattern(added, size));
          added += size;
        }
        const next = size === 0 ? ring.next() : undefined;
        if (next) {
          expect(same(next, pattern(taken, next.length))).toBe(true);
          taken += next.length;
          expect(ring.shift()).toBe(next.length);
        }
        expect(ring.used).toBe(added - taken);
        expect(ring.payload).toBe(added - taken);
        expect(ring.size).toBeLessThanOrEqual(LIMIT);
      }
    }),
  );
});

test("records come out whole, one by one, in no more memory than its limit", () => {
  fc.assert(
    fc.property(actions, fc.integer({ min: 0, max: 300 }), (plan, headSize) => {
      const ring = new Ring(LIMIT, true);
      const head = new Uint8Array(headSize).fill(7);
      const waiting: number[] = [];
      let [added, taken] = [0, 0];
      for (const size of plan) {
        if (size > 0 && ring.fits(headSize + size)) {
          ring.add(head, pattern(added, size));
          waiting.push(size);
          added += size;
        }
        if (size === 0) {
          const next = ring.next();
          const first = waiting.shift();
          expect(next?.length).toBe(first === undefined ? undefined : headSize + first);
          if (!next || first === undefined) continue;
          expect(same(next, joined([head, pattern(taken, first)]))).toBe(true);
          taken += first;
          expect(ring.shift()).toBe(first);
        }
        expect(ring.payload).toBe(added - taken);
        expect(ring.used).toBe(added - taken + waiting.length * (PREFIX + headSize));
        expect(ring.size).toBeLessThanOrEqual(LIMIT);
      }
    }),
  );
});

describe("its memory", () => {
  test("is given up when nothing waits", () => {
    for (const records of [true, false]) {
      const ring = new Ring(LIMIT, records);
      expect(ring.size).toBe(0);
      ring.add(new Uint8Array(0), pattern(0, 9_000));
      expect(ring.size).toBe(records ? 9_008 : 9_000);
      ring.next();
      ring.shift();
      expect(ring.size).toBe(0);
      ring.add(new Uint8Array(0), pattern(0, 10));
      expect(ring.clear()).toBe(10);
      expect({ size: ring.size, payload: ring.payload }).toEqual({ size: 0, payload: 0 });
    }
  });

  test("grows beyond the limit only for who does not ask", () => {
    const ring = new Ring(LIMIT, false);
    expect(ring.fits(LIMIT)).toBe(true);
    expect(ring.fits(LIMIT + 1)).toBe(false);
    ring.add(new Uint8Array(0), pattern(0, LIMIT - 1));
    expect(ring.full).toBe(false);
    ring.add(new Uint8Array(0), pattern(LIMIT - 1, LIMIT));
    expect(ring.full).toBe(true);
    const parts: Uint8Array[] = [];
    for (let next = ring.next(); next; next = ring.next()) {
      parts.push(next.slice());
      ring.shift();
    }
    expect(same(joined(parts), pattern(0, 2 * LIMIT - 1))).toBe(true);
  });

  test("many small writes of a stream come out in large pieces", () => {
    const ring = new Ring(1 << 20, false);
    for (let n = 0; n < 200_000; n++) ring.add(new Uint8Array(0), pattern(n, 1));
    expect(ring.next()?.length).toBe(65_536);
  });
});
