/** Replacing: the same comes out however the stream is cut, and nothing waits that need not. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Path } from "../../src/filter/path.ts";
import { type LiteralPattern, Needle, type RegexPattern } from "../../src/filter/pattern.ts";
import { Reject } from "../../src/filter/reject.ts";
import { Replace } from "../../src/filter/replace.ts";
import { latin1, latin1Bytes } from "../../src/net/latin1.ts";
import { pieces, Rig } from "./rig.ts";

function literal(text: string): LiteralPattern {
  return { kind: "literal", bytes: latin1Bytes(text) };
}

function regex(source: string, more: Partial<RegexPattern> = {}): RegexPattern {
  return { kind: "regex", source, flags: "", delimiter: latin1Bytes("\n"), window: 65_536, wait: 0, ...more };
}

function replacing(pattern: LiteralPattern | RegexPattern, replacement: string): Rig {
  return new Rig((context) => [new Replace({ pattern, with: latin1Bytes(replacement) }, context)]);
}

/** Sends `text` in pieces and answers what comes out, with every byte a character. */
function through(rig: Rig, text: string, lengths: readonly number[]): string {
  rig.send(...pieces(latin1Bytes(text), lengths));
  rig.finish();
  expect([rig.fins, rig.path.held, rig.misuses]).toEqual([1, 0, []]);
  return latin1(rig.received);
}

/** Few different characters, so that much of it looks like the beginning of a match. */
const text = fc.string({ unit: fc.constantFrom("a", "a", "b", "\n", "\xff"), maxLength: 60 });
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });

describe("a literal", () => {
  const needle = fc.string({ unit: fc.constantFrom("a", "a", "b", "\xff"), minLength: 1, maxLength: 6 });

  test("is replaced as in the whole stream at once", () => {
    fc.assert(
      fc.property(needle, fc.constantFrom("", "x", "ab", "a$&a"), text, lengths, (find, replacement, whole, cuts) => {
        const expected = whole.replaceAll(find, () => replacement);
        expect(through(replacing(literal(find), replacement), whole, cuts)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
  });

  test("holds nothing but what may become a match", () => {
    fc.assert(
      fc.property(needle, text, lengths, (find, whole, cuts) => {
        const rig = replacing(literal(find), "");
        let seen = "";
        for (const piece of pieces(latin1Bytes(whole), cuts)) {
          rig.send(piece);
          seen += latin1(piece);
          const rest = seen.split(find).at(-1) ?? "";
          let held = Math.min(rest.length, find.length - 1);
          while (!find.startsWith(rest.slice(rest.length - held))) held--;
          expect(rig.path.held).toBe(held);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("of which there is nothing in a chunk lets it pass as it is", () => {
    const step = new Replace({ pattern: literal("needle"), with: latin1Bytes("x") }, new Rig(() => []).context());
    const passed: Uint8Array[] = [];
    const sink = { write: (chunk: Uint8Array) => passed.push(chunk) > 0, end() {} };
    const path = new Path({ drain() {} }, sink, [step]);
    const chunk = latin1Bytes("hay, hay, hay");
    path.write(chunk);
    expect(passed[0]).toBe(chunk);
  });

  test("is one write for each chunk, however many there are in it", () => {
    const rig = replacing(literal("a"), "xyz");
    rig.send("abcabcabc", "aaa");
    expect(rig.arrivals.map(({ chunk }) => latin1(chunk))).toEqual(["xyzbcxyzbcxyzbc", "xyzxyzxyz"]);
  });

  test("that has begun goes on when the step is taken out, and when the stream ends", () => {
    for (const leave of [(rig: Rig) => rig.path.remove(rig.path.steps[0] as Replace), (rig: Rig) => rig.finish()]) {
      const rig = replacing(literal("needle"), "x");
      rig.send("a nee");
      expect([rig.text, rig.path.held]).toEqual(["a ", 3]);
      leave(rig);
      expect(rig.text).toBe("a nee");
    }
  });

  test("tells the source that the sink is full", async () => {
    const rig = replacing(literal("ab"), "x");
    rig.stall(true);
    rig.send("a", "b", "c");
    expect([rig.text, rig.waiting]).toEqual(["x", 1]);
    rig.stall(false);
    expect(rig.text).toBe("xc");
  });
});

describe("where a needle is", () => {
  test("is what indexOf says", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 8 }),
        text,
        fc.nat(70),
        (find, whole, from) => {
          expect(Needle.of(latin1Bytes(find)).indexIn(latin1Bytes(whole), from)).toBe(
            from > whole.length ? -1 : whole.indexOf(find, from),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test("takes time in proportion to the text, even if that is made to look like it", () => {
    const needle = Needle.of(latin1Bytes(`b${"a".repeat(50_000)}`));
    const [hay, end] = ["a".repeat(2_000_000), `b${"a".repeat(50_000)}`];
    expect(needle.indexIn(latin1Bytes(hay), 0)).toBe(-1);
    expect(needle.indexIn(latin1Bytes(hay + end), 0)).toBe(hay.length);
  });
});

describe("a regular expression", () => {
  const sources = ["a+", "a*", "^a", "b$", "^$", "$", "(a)(b)?", "[^a]", "a.b", "(?<=b)a", "a(?!b)", "\\xff|ab"];

  test("is replaced as in each line, and each line is as long as the window lets it be", () => {
    const config = fc.record({
      source: fc.constantFrom(...sources),
      replacement: fc.constantFrom("", "x", "<$&>", "$1$2", "$$"),
      delimiter: fc.constantFrom("\n", "\n", "b", "\n\n", "aab"),
      window: fc.constantFrom(1, 2, 5, 1_000),
    });
    fc.assert(
      fc.property(config, text, lengths, ({ source, replacement, delimiter, window }, whole, cuts) => {
        const pattern = regex(source, { delimiter: latin1Bytes(delimiter), window });
        const lines = whole.split(delimiter);
        const expected = lines.map((line, index) => {
          const parts = line.match(new RegExp(`[^]{1,${window}}`, "g")) ?? (index < lines.length - 1 ? [""] : []);
          return parts.map((part) => part.replaceAll(new RegExp(source, "g"), replacement)).join("");
        });
        expect(through(replacing(pattern, replacement), whole, cuts)).toBe(expected.join(delimiter));
      }),
      { numRuns: 5_000 },
    );
  });

  test("leaves every other byte as it is", () => {
    const all = latin1(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    const rig = replacing(regex("[\\x80-\\x8f]"), "$&$&");
    const doubled = all.replace(/[\x80-\x8f]/g, "$&$&");
    expect(through(rig, all.repeat(100), [10_000])).toBe(doubled.repeat(100));
  });

  test("takes flags", () => {
    expect(through(replacing(regex("^a", { flags: "i" }), "x"), "Aa\nab\n", [3])).toBe("xa\nxb\n");
    expect(through(replacing(regex("a$", { flags: "m" }), "x"), "a\r\na\r\n", [3])).toBe("x\r\nx\r\n");
    expect(through(replacing(regex("a.b", { flags: "s" }), "x"), "a\rb", [3])).toBe("x");
  });

  test("lets what is in no line that it changes pass as it is, in one write", () => {
    const rig = replacing(regex("secret"), "***");
    rig.send("one\ntwo\n", "a secret\nthree\nfo", "ur\n");
    expect(rig.arrivals.map(({ chunk }) => latin1(chunk))).toEqual(["one\ntwo\n", "a ***\nthree\n", "four\n"]);
  });
});

test("what looks like the beginning of a match goes on when nothing has come for a while", async () => {
  const rig = replacing({ ...literal("never"), wait: 200 }, "x");
  rig.send("a question, then");
  await rig.run(199);
  expect([rig.text, rig.path.held]).toEqual(["a question, the", 1]);
  await rig.run(2);
  expect([rig.text, rig.path.held, rig.timers]).toEqual(["a question, then", 0, 0]);
  rig.send("never");
  expect(rig.text).toBe("a question, thenx");
});

describe("the beginning of a line", () => {
  test("is taken for all of it when nothing has come for a while", async () => {
    const rig = replacing(regex("login|password", { wait: 100 }), "x");
    rig.send("welcome\nlog");
    await rig.run(60);
    rig.send("in: ");
    await rig.run(99);
    expect([rig.text, rig.path.held]).toEqual(["welcome\n", 7]);
    await rig.run(2);
    expect([rig.text, rig.path.held, rig.timers]).toEqual(["welcome\nx: ", 0, 0]);
    rig.send("login\n");
    expect(rig.text).toBe("welcome\nx: x\n");
  });

  test("is so every time", async () => {
    const rig = replacing(regex("a", { wait: 100 }), "x");
    for (let n = 0; n < 3; n++) {
      rig.send("a\n");
      await rig.run(500);
      rig.send("a");
      await rig.run(500);
    }
    expect(rig.text).toBe("x\nx".repeat(3));
  });

  test("and then nothing is left of it that would be a line", async () => {
    const rig = replacing(regex("$", { wait: 100 }), ";");
    rig.send("a");
    await rig.run(101);
    rig.send("\n", "\n", "b\n");
    expect(rig.text).toBe("a;\n;\nb;\n");
  });

  test("waits for ever if it is to", async () => {
    const rig = replacing(regex("a"), "x");
    rig.send("aa");
    await rig.run(1e9);
    expect([rig.text, rig.path.held, rig.timers]).toEqual(["", 2, 0]);
    rig.path.remove(rig.path.steps[0] as Replace);
    expect(rig.text).toBe("xx");
  });

  test("leaves no timer when the session ends, not even from within its own write", async () => {
    const rig = replacing(regex("a", { wait: 100 }), "x");
    rig.send("aa");
    expect(rig.timers).toBe(1);
    rig.path.stop();
    expect(rig.timers).toBe(0);

    const other = new Rig((context) => [
      new Replace({ pattern: regex("a", { wait: 100 }), with: latin1Bytes("x") }, context),
      new Reject({ type: "reject", direction: "both", pattern: literal("b"), how: "reset" }, context),
    ]);
    other.send("b\nmore");
    expect([other.endings.length, other.timers]).toEqual([1, 0]);
  });

  test("of any length, byte by byte, takes no longer than it is long", () => {
    const rig = replacing(regex("x$", { window: 1_000_000 }), "y");
    for (let n = 0; n < 200_000; n++) rig.path.write(latin1Bytes("x"));
    rig.path.write(latin1Bytes("\n"));
    expect(latin1(rig.received)).toBe(`${"x".repeat(199_999)}y\n`);
  });
});
