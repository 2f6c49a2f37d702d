import { expect, test } from "bun:test";
import { ffi } from "#ffi";
import { Arena } from "../../adapters/linux/arena.ts";

test("a write past the end of a block is found when it is given back, and by verify", () => {
  const arena = new Arena(ffi, true);
  const block = arena.take(64);
  new Uint8Array(block.bytes.buffer)[block.bytes.byteOffset + 64] = 1;
  expect(() => arena.verify()).toThrow("past its end");
  expect(() => arena.give(block)).toThrow("past its end");
});

test("a write after a block was given back is found before its next use", () => {
  const arena = new Arena(ffi, true);
  const block = arena.take(64);
  arena.give(block);
  block.bytes[3] = 1;
  expect(() => arena.take(64)).toThrow("after it had been given back");
});

test("no block is given back twice, and no pointer leaves its block", () => {
  const arena = new Arena(ffi, false);
  const block = arena.take(64);
  expect(() => arena.at(block, 65)).toThrow("outside");
  arena.give(block);
  expect(() => arena.give(block)).toThrow("twice");
  expect(arena.size).toBe(0);
});

test("blocks in use never overlap, whatever comes and goes", () => {
  const arena = new Arena(ffi, true);
  const held = [];
  for (let n = 0; n < 2_000; n++) {
    const block = arena.take([64, 4_096, 65_536][n % 3] ?? 64);
    block.bytes.fill(n & 255);
    held.push({ block, mark: n & 255 });
    if (n % 2 === 1) {
      const [old] = held.splice((n * 7) % held.length, 1);
      expect(old?.block.bytes.every((byte) => byte === old.mark)).toBe(true);
      if (old) arena.give(old.block);
    }
    if (held.length > 50) for (const { block: each } of held.splice(0, 25)) arena.give(each);
  }
  arena.verify();
});
