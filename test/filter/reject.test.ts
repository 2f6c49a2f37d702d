/** Rejecting: the match ends the session, wherever the stream is cut, and nothing of it gets through. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Pattern, RegexPattern } from "../../src/filter/pattern.ts";
import { Reject, type RejectConfig } from "../../src/filter/reject.ts";
import { latin1, latin1Bytes } from "../../src/net/latin1.ts";
import { pieces, Rig } from "./rig.ts";

function literal(text: string): Pattern {
  return { kind: "literal", bytes: latin1Bytes(text) };
}

function regex(source: string, more: Partial<RegexPattern> = {}): Pattern {
  return { kind: "regex", source, flags: "i", delimiter: latin1Bytes("\n"), window: 65_536, wait: 0, ...more };
}

function rejecting(pattern: Pattern, how: RejectConfig["how"] = "reset"): Rig {
  return new Rig((context) => [new Reject({ type: "reject", direction: "both", pattern, how }, context)]);
}

const text = fc.string({ unit: fc.constantFrom("a", "a", "b", "\n"), maxLength: 40 });
const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 });
const how = fc.constantFrom("reset" as const, "close" as const);

describe.each([
  ["a literal", ["a", "ab", "aab", "bab"], (find: string) => literal(find)],
  ["a regular expression", ["a", "ab", "^b", "a$", "b+a"], (find: string) => regex(find)],
])("%s", (_, finds, pattern) => {
  test("lets through what comes before it, and nothing after", () => {
    fc.assert(
      fc.property(fc.constantFrom(...finds), how, text, lengths, (find, ending, whole, cuts) => {
        const rig = rejecting(pattern(find), ending);
        rig.send(...pieces(latin1Bytes(whole), cuts));
        rig.finish();
        const found = whole.search(new RegExp(find, "m"));
        expect(latin1(rig.received)).toBe(found < 0 ? whole : whole.slice(0, found));
        expect(rig.endings.map((each) => each.how)).toEqual(found < 0 ? [] : [ending === "reset" ? "cut" : "close"]);
        expect(rig.fins).toBe(found >= 0 && ending === "reset" ? 0 : 1);
        expect([rig.misuses, rig.path.held, rig.timers]).toEqual([[], 0, 0]);
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  [literal("DROP TABLE"), 'reject find "DROP TABLE"', "drop table; DROP TABLE;"],
  [literal("\x00\xff"), 'reject find_hex "00ff"', "\x00\x00\xff"],
  [regex("drop\\s+table"), "reject find_regex /drop\\s+table/i", "Drop  Table x;\n"],
])("%# says what it has found", (pattern, rule, whole) => {
  const rig = rejecting(pattern);
  rig.send(latin1Bytes(whole));
  expect(rig.endings).toEqual([{ at: 0, how: "cut", reason: "rejected", rule }]);
});

test("what comes after it is not looked at any more", () => {
  const rig = rejecting(literal("x"), "close");
  rig.send("abx");
  const [step] = rig.path.steps;
  expect(step?.write(latin1Bytes("x more x"))).toBe(true);
  step?.end();
  step?.release(() => {});
  expect([rig.text, rig.endings.length, rig.fins]).toEqual(["ab", 1, 1]);
});

test("a line that is found only at the end of the stream ends it as well", () => {
  for (const [how, fins] of [
    ["reset", 0],
    ["close", 1],
  ] as const) {
    const rig = rejecting(regex("end$"), how);
    rig.send("the ", "end");
    expect(rig.endings).toEqual([]);
    rig.finish();
    expect([rig.text, rig.endings.length, rig.fins, rig.misuses]).toEqual(["the ", 1, fins, []]);
  }
});

test("a line whose beginning waits for too long is judged by that", async () => {
  const rig = rejecting(regex("^quit", { wait: 50 }));
  rig.send("quit");
  await rig.run(60);
  expect([rig.endings.length, rig.text, rig.timers]).toEqual([1, "", 0]);
});
