/** Delimiters and length fields as the command line has them, and what is said when they are wrong. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseLengthField } from "../../src/config/length-options.ts";
import { parseDelimiter } from "../../src/config/mux-values.ts";
import { MUX } from "../../src/mux/mux-config.ts";
import { UsageError } from "../../src/net/errors.ts";

test.each([
  ["\\r\\n", "\r\n"],
  ["\\x03", "\x03"],
  ["\\xFFa\\x0aB", "\xffa\nB"],
  ["\\\\n", "\\n"],
  ["\\t|", "\t|"],
  ["ÿ", "\xff"],
  ["\n", "\n"],
])("the delimiter %j is %j", (text, bytes) => {
  expect(parseDelimiter(text)).toBe(bytes);
});

const escapes = "is no byte; use \\r, \\n, \\t, \\\\ or two digits as in \\x03";
test.each([
  ["", "it has 0 bytes; write 1 to 64"],
  ["x".repeat(65), "it has 65 bytes; write 1 to 64"],
  ["a\\q", `"\\q" ${escapes}`],
  ["a\\", `"\\" ${escapes}`],
  ["\\x3", `"\\x" ${escapes}`],
  ["\\N", `"\\N" ${escapes}`],
  ["a→", 'each character stands for one byte, \\u0000 to \\u00ff, and "→" is none'],
])("the delimiter %j is refused", (text, why) => {
  expect(complaint(() => parseDelimiter(text))).toEqual({
    code: "EDELIMITER",
    message: `Cannot use delimiter "${text}": ${why}`,
  });
});

test("any bytes can be written as a delimiter", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      const text = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
      expect(parseDelimiter(text)).toBe(String.fromCharCode(...bytes));
    }),
  );
});

test.each([
  ["width=2", {}],
  ["width=8,offset=65535", { width: 8, offset: 65_535 }],
  ["byte_order=little,includes=all,adjust=-2", { byteOrder: "little", includes: "all", adjust: -2 }],
])("the length %p is read", (text, field) => {
  expect(parseLengthField(text)).toEqual({ ...MUX.length, ...field } as never);
});

const use = "use offset, width, byte_order, adjust, includes";
test.each([
  ["width=5", "write width=N, with N 1, 2, 3, 4 or 8"],
  ["width", "write width=N, with N 1, 2, 3, 4 or 8"],
  ["offset=-1", "write offset=N, with N from 0 to 65535"],
  ["offset=", "write offset=N, with N from 0 to 65535"],
  ["adjust=1.5", "write adjust=N, with N from -1000000 to 1000000"],
  ["byte_order=network", "write byte_order=WHICH, with big or little"],
  ["includes=header", "write includes=WHICH, with all or rest"],
  ["width=2,width=2", '"width" is given twice; keep one'],
  ["witdh=2", 'unknown option "witdh"; did you mean "width"?'],
  ["2", `unknown option "2"; ${use}`],
  ["", `unknown option ""; ${use}`],
  ["constructor", `unknown option "constructor"; ${use}`],
])("the length %p is refused", (text, why) => {
  expect(complaint(() => parseLengthField(text))).toEqual({
    code: "ELENGTH",
    message: `Cannot parse length "${text}": ${why}`,
  });
});

function complaint(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was wrong with it");
}
