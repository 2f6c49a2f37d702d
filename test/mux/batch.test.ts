/** What is written within one turn goes out together, in order, and none of it twice. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { Batch } from "../../src/mux/batch.ts";
import { pattern } from "../contract/probe.ts";

function world() {
  const writes: Uint8Array[] = [];
  const batch = new Batch((bytes) => void writes.push(bytes.slice()));
  return { writes, batch, sizes: () => writes.map(({ length }) => length) };
}

test("many small ones are one write, at the end of the turn", async () => {
  const { batch, sizes } = world();
  for (let n = 0; n < 100; n++) batch.add(new Uint8Array(10));
  expect(sizes()).toEqual([]);
  await null;
  expect(sizes()).toEqual([1_000]);
  await null;
  expect(sizes()).toEqual([1_000]);
});

test("what goes through at once goes behind what was gathered", async () => {
  const { batch, writes } = world();
  batch.add(Uint8Array.of(1));
  batch.through(Uint8Array.of(2));
  batch.add(Uint8Array.of(3));
  await null;
  expect(writes.map((bytes) => [...bytes])).toEqual([[1], [2], [3]]);
});

test("a large one is not copied, and does not overtake", () => {
  const shown: Uint8Array[] = [];
  const batch = new Batch((bytes) => void shown.push(bytes));
  const large = new Uint8Array(40_000);
  batch.add(new Uint8Array(10));
  batch.add(large);
  expect(shown.map(({ length }) => length)).toEqual([10, 40_000]);
  expect(shown[1]).toBe(large);
});

test("whatever is written, in whatever turns, arrives whole and in order", async () => {
  const size = fc.oneof(fc.nat(100), fc.nat(40_000), fc.constantFrom(32_768, 32_769, 65_536, 65_537));
  const step = fc.record({ size, how: fc.constantFrom("add", "add", "add", "through", "turn", "flush") });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { batch, writes } = world();
      let sent = 0;
      for (const { size: bytes, how } of steps) {
        if (how === "turn") await null;
        else if (how === "flush") batch.flush();
        else {
          // It is on loan: whatever becomes of it afterwards, these are its bytes.
          const chunk = pattern(sent, bytes);
          batch[how](chunk);
          chunk.fill(0);
          sent += bytes;
        }
      }
      await null;
      expect(Buffer.concat(writes).equals(pattern(0, sent))).toBe(true);
    }),
    { numRuns: 200 },
  );
});
