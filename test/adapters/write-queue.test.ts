import { expect, test } from "bun:test";
import fc from "fast-check";
import { WriteQueue } from "../../adapters/portable/write-queue.ts";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 40_000 });
const step = fc.oneof(
  fc.record({ kind: fc.constant("copy" as const), bytes }),
  fc.record({ kind: fc.constant("keep" as const), bytes }),
  fc.record({ kind: fc.constant("write" as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
);

test("what goes in comes out, in order and once, however it is cut", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new WriteQueue();
      const [put, got]: [number[], number[]] = [[], []];
      const take = (share: number) => {
        const first = queue.first();
        if (!first) return;
        const count = Math.ceil(first.length * share);
        got.push(...first.subarray(0, count));
        queue.advance(count);
      };
      for (const each of steps) {
        if (each.kind === "write") take(each.share);
        else {
          put.push(...each.bytes);
          const given = each.bytes.slice();
          queue[each.kind](given);
          if (each.kind === "copy") given.fill(0);
        }
        expect(queue.bytes).toBe(put.length - got.length);
      }
      while (queue.first()) take(1);
      expect(queue.bytes).toBe(0);
      expect(Buffer.compare(Buffer.from(got), Buffer.from(put))).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test("small writes share blocks", () => {
  const queue = new WriteQueue();
  for (let n = 0; n < 100_000; n++) queue.copy(new Uint8Array([n]));
  let blocks = 0;
  for (let first = queue.first(); first; first = queue.first()) {
    blocks++;
    queue.advance(first.length);
  }
  expect(blocks).toBeLessThan(10);
});
