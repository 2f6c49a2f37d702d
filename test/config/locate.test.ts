/** Places of keys and values in TOML, whichever of its spellings a file uses. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { locator } from "../../src/config/locate.ts";
import type { Path } from "../../src/config/problem.ts";
import { parseToml } from "../../src/config/toml.ts";

const TEXT = `top = 1
dotted.one = 2
dotted."t.w o" = [10, [20, 21],
  { deep = 3 }]

[log]
level = "x"
inline = { a = 1, b.c = { d = 2 } }

[[proxy]]
name = "a"
[proxy.timeouts]
idle = 5
[[proxy]]
  name = "b"
  [[proxy.observer]]
  address = 1
  [[ proxy . "observer" ]]
  address = 2

[outer.inner]
x = 1
[outer]
y = 2
`;

describe("locator", () => {
  const find = locator(TEXT);

  test.each<[Path, string, string]>([
    [["top"], "1:1", "1:7"],
    [["dotted", "one"], "2:8", "2:14"],
    [["dotted", "t.w o"], "3:8", "3:18"],
    [["dotted", "t.w o", 0], "3:19", "3:19"],
    [["dotted", "t.w o", 1, 1], "3:28", "3:28"],
    [["dotted", "t.w o", 2, "deep"], "4:5", "4:12"],
    [["log"], "6:2", "6:1"],
    [["log", "level"], "7:1", "7:9"],
    [["log", "inline"], "8:1", "8:10"],
    [["log", "inline", "a"], "8:12", "8:16"],
    [["log", "inline", "b", "c"], "8:21", "8:25"],
    [["log", "inline", "b", "c", "d"], "8:27", "8:31"],
    [["proxy"], "10:3", "10:1"],
    [["proxy", 0], "10:3", "10:1"],
    [["proxy", 0, "name"], "11:1", "11:8"],
    [["proxy", 0, "timeouts"], "12:8", "12:1"],
    [["proxy", 0, "timeouts", "idle"], "13:1", "13:8"],
    [["proxy", 1], "14:3", "14:1"],
    [["proxy", 1, "name"], "15:3", "15:10"],
    [["proxy", 1, "observer", 0, "address"], "17:3", "17:13"],
    [["proxy", 1, "observer", 1], "18:14", "18:3"],
    [["proxy", 1, "observer", 1, "address"], "19:3", "19:13"],
    [["outer", "inner", "x"], "22:1", "22:5"],
    [["outer"], "23:2", "23:1"],
    [["outer", "y"], "24:1", "24:5"],
  ])("finds %j: the key at %p, the value at %p", (path, key, value) => {
    expect(place(find({ path, at: "key" }))).toBe(key);
    expect(place(find({ path, at: "value" }))).toBe(value);
  });

  test.each<[Path, string]>([
    [["missing"], "1:1"],
    [[], "1:1"],
    [["log", "missing"], "6:1"],
    [["log", "inline", "missing"], "8:10"],
    [["dotted", "t.w o", 2, "missing"], "4:3"],
    [["proxy", 0, "missing"], "10:1"],
    [["proxy", 0, "timeouts", "missing"], "12:1"],
    [["proxy", 1, "observer", 0, "missing"], "16:3"],
    [["outer", "missing"], "23:1"],
  ])("puts the missing %j at the table around it: %p", (path, around) => {
    expect(place(find({ path, at: "value" }))).toBe(around);
    expect(place(find({ path, at: "key" }))).toBe(around);
  });

  test("counts the same where lines end in CRLF", () => {
    const windows = locator(TEXT.replaceAll("\n", "\r\n"));
    expect(place(windows({ path: ["proxy", 1, "name"], at: "value" }))).toBe("15:10");
  });

  test("finds everything at the top of what is no TOML", () => {
    expect(place(locator("[a\nb = ")({ path: ["a", "b"], at: "key" }))).toBe("1:1");
  });

  test("finds every string of any file at a text that starts with its quote", () => {
    fc.assert(
      fc.property(tables(), (table) => {
        const text = stringify(table);
        const lines = text.split("\n");
        const findIn = locator(text);
        const parsed = parseToml(text);
        for (const [path, value] of leaves(parsed.ok ? parsed.table : {})) {
          const { line, column } = findIn({ path, at: "value" });
          expect(lines[line - 1]?.slice(column - 1).startsWith(JSON.stringify(value))).toBeTrue();
        }
      }),
      { numRuns: 200 },
    );
  });
});

function place({ line, column }: { line: number; column: number }): string {
  return `${line}:${column}`;
}

/** Nested tables and arrays whose leaves are strings, each with a text of its own. */
function tables(): fc.Arbitrary<Record<string, unknown>> {
  const key = fc.oneof(fc.constantFrom("a", "b", "c d", "e.f", "1", "ä"), fc.string({ minLength: 1, maxLength: 3 }));
  const { table } = fc.letrec<{ table: Record<string, unknown>; value: unknown }>((tie) => ({
    table: fc.dictionary(key, tie("value"), { maxKeys: 4 }),
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constant("leaf"),
      fc.array(tie("table"), { maxLength: 3 }),
      fc.array(fc.constant("leaf"), { maxLength: 3 }),
      tie("table"),
    ),
  }));
  return table.map((value) => {
    let count = 0;
    return JSON.parse(JSON.stringify(value), (_, leaf) => (leaf === "leaf" ? `leaf ${count++}` : leaf));
  });
}

function leaves(value: unknown, path: Path = []): [Path, string][] {
  if (typeof value === "string") return [[path, value]];
  if (Array.isArray(value)) return value.flatMap((each, index) => leaves(each, [...path, index]));
  return Object.entries(value ?? {}).flatMap(([key, each]) => leaves(each, [...path, key]));
}
