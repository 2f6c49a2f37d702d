/** Keys, however their bytes come. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { KeyReader } from "../../src/top/keys.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const keys = (text: string) => new KeyReader().take(bytes(text));

test.each([
  ["q", ["q"]],
  ["\x03\x1a\x0c\t\r", ["ctrl-c", "ctrl-z", "ctrl-l", "tab", "enter"]],
  ["\x1b[A\x1b[B\x1bOC\x1bOD", ["up", "down", "right", "left"]],
  ["\x1b[5~\x1b[6~\x1b[H\x1b[F\x1b[1~\x1bOF", ["page-up", "page-down", "home", "end", "home", "end"]],
  ["\x1b[Z\x7f\x08", ["back-tab", "backspace", "backspace"]],
  ["é界🚀", ["é", "界", "🚀"]],
  ["\x1b[200~x\x1b[201~", ["x"]],
  ["\x1b[1;5Aq", ["q"]],
  ["\x1b\x1b[A", ["escape", "up"]],
  ["\x01\x02z", ["z"]],
])("%j is %j", (text, expected) => {
  expect(keys(text)).toEqual(expected);
});

test("Escape alone is a key, as is what comes after it", () => {
  const reader = new KeyReader();
  expect(reader.take(bytes("\x1b"))).toEqual(["escape"]);
  expect(reader.take(bytes("q"))).toEqual(["q"]);
});

test("sequences and characters that are cut anywhere behind their first byte are whole", () => {
  const text = "a\x1b[5~é🚀\x1b[Ab";
  const whole = bytes(text);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: whole.length - 1 }), (at) => {
      fc.pre(whole[at - 1] !== 0x1b);
      const reader = new KeyReader();
      expect([...reader.take(whole.subarray(0, at)), ...reader.take(whole.subarray(at))]).toEqual([...keys(text)]);
    }),
  );
});

test("no bytes are a key that is a control character", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 20 })), (chunks) => {
      const reader = new KeyReader();
      for (const key of chunks.flatMap((chunk) => reader.take(chunk))) expect(key).not.toMatch(/\p{Cc}/u);
    }),
  );
});
