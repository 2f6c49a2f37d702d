/** Text for terminals: harmless, and of a width that is known. Bun's own table of widths is the judge. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { cut, fit, neutral, widthOf } from "../../src/overview/text.ts";
import { anyText } from "./world.ts";

test.each([
  ["db-1 (main)", "db-1 (main)"],
  ["a\x1b[2J\x07b", "a\\u001b[2J\\u0007b"],
  ["\x9b31m", "\\u009b31m"],
  ["one\ntwo\r", "one\\u000atwo\\u000d"],
  ["abc\u202edcba", "abc\\u202edcba"],
  ["zero\u200bwidth\u{e0041}", "zero\\u200bwidth\\u{e0041}"],
  ["half \ud83d", "half \\ud83d"],
  ["数据库 🚀 é", "数据库 🚀 é"],
  ["e\u0301 is one letter", "e\u0301 is one letter"],
  ["\u0301 alone", "\\u0301 alone"],
  ["z\u0301\u0301\u0301\u0301", "z\u0301\u0301\\u0301\\u0301"],
  ["❤\ufe0f 🇩🇪", "❤\\ufe0f \\u{1f1e9}\\u{1f1ea}"],
])("%j is shown as %j", (text, shown) => {
  expect(neutral(text)).toBe(shown);
});

test("what is neutral has nothing in it that is no letter, figure, mark, sign or blank", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(neutral(text)).toMatch(/^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}]*$/u);
    }),
  );
});

test("what is neutral stays as it is", () => {
  fc.assert(fc.property(anyText, (text) => neutral(neutral(text)) === neutral(text)));
});

test.each([
  ["", 0],
  ["abc", 3],
  ["数据库", 6],
  ["🚀", 2],
  ["e\u0301", 1],
  ["ｆｕｌｌ", 8],
  ["한국", 4],
  ["→", 1],
])("%j takes %d columns", (text, columns) => {
  expect(widthOf(text)).toBe(columns);
  expect(Bun.stringWidth(text)).toBe(columns);
});

test("no neutral text is wider than it is said to be", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(Bun.stringWidth(neutral(text))).toBeLessThanOrEqual(widthOf(neutral(text)));
    }),
  );
});

test("every character that may be shown is as wide as it is said to be, or narrower", () => {
  const wrong: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const char = String.fromCodePoint(code);
    if (neutral(char) !== char) continue;
    if (Bun.stringWidth(char) > widthOf(char)) wrong.push(code.toString(16));
  }
  expect(wrong).toEqual([]);
});

test("a text that is made to fit takes the room exactly, and says that something is missing", () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 30 }), fc.constantFrom("left", "right"), (text, width, align) => {
      const fitted = fit(neutral(text), width, align);
      expect(widthOf(fitted)).toBe(width);
      if (widthOf(neutral(text)) > width) expect(fitted).toContain("~");
      else expect(fitted.trim()).toBe(neutral(text).trim());
    }),
  );
});

test("a wide character is not cut in two", () => {
  expect(cut("数据库", 4)).toBe("数~");
  expect(fit("数据库", 4)).toBe("数~ ");
  expect(cut("abc", 0)).toBe("");
});
