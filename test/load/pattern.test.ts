/** What is sent is recognised however it is cut, and nothing else is taken for it. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Pattern } from "../../src/load/pattern.ts";

const size = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 250, max: 3_000 }));
const number = fc.nat(2 ** 30 - 1);

/** A copy that begins anywhere in a buffer, as reads do. */
function placed(bytes: Uint8Array, offset: number): Uint8Array {
  const buffer = new Uint8Array(bytes.length + offset);
  buffer.set(bytes, offset);
  return buffer.subarray(offset);
}

test("every cut of a message is that message, wherever it lies in memory", () => {
  fc.assert(
    fc.property(
      size,
      number,
      number,
      fc.array(fc.nat(700), { maxLength: 6 }),
      fc.nat(9),
      (bytes, client, request, cuts, offset) => {
        const pattern = new Pattern(bytes);
        pattern.stamp(client, request);
        const chunk = placed(pattern.message, offset);
        let at = 0;
        for (const length of [...cuts, bytes]) {
          const piece = Math.min(length, bytes - at);
          expect(pattern.matches(chunk, at, piece, at, client, request)).toBe(true);
          at += piece;
        }
      },
    ),
  );
});

test("a byte that is another one shows, whichever it is", () => {
  fc.assert(
    fc.property(
      size,
      number,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(9),
      (bytes, client, where, change, offset) => {
        const pattern = new Pattern(bytes);
        pattern.stamp(client, 5);
        const chunk = placed(pattern.message, offset);
        const at = where % bytes;
        chunk[at] = (chunk[at] as number) ^ change;
        expect(pattern.matches(chunk, 0, bytes, 0, client, 5)).toBe(false);
      },
    ),
  );
});

test("a message that was moved is none, from 64 bytes on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 2_000 }), fc.integer({ min: 1, max: 50 }), (bytes, shift) => {
      const pattern = new Pattern(bytes);
      pattern.stamp(1, 1);
      expect(pattern.matches(pattern.message, shift, bytes - shift, 0, 1, 1)).toBe(false);
    }),
  );
});

test("one of another client or another request is not taken for ours, from 11 bytes on", () => {
  fc.assert(
    fc.property(fc.integer({ min: 11, max: 400 }), number, number, number, (bytes, client, request, other) => {
      fc.pre(other !== client && other !== request);
      const pattern = new Pattern(bytes);
      pattern.stamp(client, request);
      expect(pattern.matches(pattern.message, 0, bytes, 0, other, request)).toBe(false);
      expect(pattern.matches(pattern.message, 0, bytes, 0, client, other)).toBe(false);
    }),
  );
});

test("it is a line of text", () => {
  const pattern = new Pattern(300);
  pattern.stamp(123_456, 789);
  expect(new TextDecoder().decode(pattern.message)).toMatch(/^[\w-]{299}\n$/);
});
