/** `[[proxy.filter]]`: what it means, and what is said when it is wrong. */
import { describe, expect, test } from "bun:test";
import { filterSchema, toFilter } from "../../src/config/filter-schema.ts";
import { formatPath } from "../../src/config/problem.ts";
import { read } from "../../src/config/read.ts";
import { parseToml } from "../../src/config/toml.ts";
import type { FilterConfig } from "../../src/filter/filter.ts";
import { latin1Bytes } from "../../src/net/latin1.ts";

function reading(text: string) {
  const toml = parseToml(text);
  if (!toml.ok) throw new Error(toml.message);
  return read(filterSchema(), toml.table);
}

function filter(text: string): FilterConfig {
  const result = reading(text);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return toFilter(result.value);
}

/** Each with the key it is at. */
function problems(text: string): string[] {
  const result = reading(text);
  return result.ok ? [] : result.problems.map(({ path, message }) => `${formatPath(path)}: ${message}`);
}

const utf8 = (text: string) => new TextEncoder().encode(text);
const literal = (bytes: Uint8Array, wait = 200) => ({ kind: "literal", bytes, ...(wait > 0 ? { wait } : {}) }) as const;
const line = { kind: "regex", source: "a", flags: "", delimiter: utf8("\n"), window: 65_536, wait: 1_000 } as const;

describe("reads", () => {
  test.each<[string, string, FilterConfig]>([
    [
      "replace",
      'type = "replace"\ndirection = "downstream"\nfind = "http://internal"\nwith = "https://public"',
      {
        ...{ type: "replace", direction: "downstream" },
        ...{ pattern: literal(utf8("http://internal")), with: utf8("https://public") },
      },
    ],
    [
      "text as UTF-8",
      'type = "replace"\nfind = "ü"\nwith = ""',
      { type: "replace", direction: "both", pattern: literal(Uint8Array.of(0xc3, 0xbc)), with: new Uint8Array(0) },
    ],
    [
      "bytes",
      'type = "replace"\nfind_hex = "0D 0a"\nwith_hex = "ff00"',
      { type: "replace", direction: "both", pattern: literal(Uint8Array.of(13, 10)), with: Uint8Array.of(255, 0) },
    ],
    [
      "a regular expression",
      'type = "replace"\nfind_regex = "a"\nwith = "<$&>"',
      { type: "replace", direction: "both", pattern: line, with: utf8("<$&>") },
    ],
    [
      "a regular expression with all there is to it",
      'type = "drop"\nfind_regex = "a"\nflags = "ims"\ndelimiter = "\\u0000"\nwindow = "1MiB"\nwait = "off"',
      {
        ...{ type: "drop", direction: "both" },
        pattern: { ...line, flags: "ims", delimiter: utf8("\0"), window: 1_048_576, wait: 0 },
      },
    ],
    [
      "bytes in place of a regular expression, in which a dollar is one",
      'type = "replace"\nfind_regex = "a"\nwith_hex = "24 26 ff"',
      { type: "replace", direction: "both", pattern: line, with: latin1Bytes("$$&\xff") },
    ],
    ["drop, of everything", 'type = "drop"\ndirection = "both"', { type: "drop", direction: "both", pattern: null }],
    [
      "limit",
      'type = "limit"\nrate = "64KiB/s"\nburst = "1MB"',
      { type: "limit", direction: "both", rate: 65_536, burst: 1_000_000 },
    ],
    [
      "limit, with a tenth of a second for the burst",
      'type = "limit"\nrate = "1MB/s"',
      { type: "limit", direction: "both", rate: 1_000_000, burst: 100_000 },
    ],
    [
      "reject",
      'type = "reject"\nfind = "x"',
      { type: "reject", direction: "both", pattern: literal(utf8("x"), 0), how: "reset" },
    ],
    [
      "reject, which waits for a line to end",
      'type = "reject"\nfind_regex = "a"\nhow = "close"',
      { type: "reject", direction: "both", pattern: { ...line, wait: 0 }, how: "close" },
    ],
    [
      "script",
      'type = "script"\ndirection = "upstream"\npath = "./my.ts"',
      { type: "script", direction: "upstream", path: "./my.ts", options: {} },
    ],
    [
      "script, with options",
      'type = "script"\npath = "./my.ts"\noptions = { words = ["a"], deep = { n = 1 } }',
      { type: "script", direction: "both", path: "./my.ts", options: { words: ["a"], deep: { n: 1 } } },
    ],
  ])("%s", (_, text, expected) => {
    expect(filter(text)).toEqual(expected);
    // It is sent to other threads.
    expect(structuredClone(filter(text))).toEqual(expected);
  });
});

describe("explains", () => {
  const types = '"replace", "drop", "limit", "reject" or "script"';
  const rate = 'write bytes in a second, such as "1MB/s" or "64KiB/s"';
  const hex = "write two hexadecimal digits for each, such as";
  const find = "find, find_hex, find_regex, flags, delimiter, window, wait";

  test.each<[string, string[]]>([
    // the type
    ["", ['type: the key "type" is missing']],
    ['type = "relpace"', [`type: expected ${types}, found "relpace"; did you mean "replace"?`]],
    ['type = "x"\nrate = 5', [`type: expected ${types}, found "x"`, `rate: Cannot parse rate "5": ${rate}`]],
    // keys
    ['type = "limit"\nrat = "1/s"', ['rat: unknown key "rat"; did you mean "rate"?']],
    [
      'type = "limit"\nrate = "1/s"\nfind = "a"',
      ['find: a filter of type "limit" has no key "find"; its keys are type, direction, rate, burst'],
    ],
    [
      'type = "reject"\nfind = "a"\nwith = "b"',
      [`with: a filter of type "reject" has no key "with"; its keys are type, direction, ${find}, how`],
    ],
    [
      'type = "limit"\ndirection = "up"\nrate = "1/s"',
      ['direction: expected "upstream", "downstream" or "both", found "up"'],
    ],
    // what is missing
    [
      'type = "replace"',
      ['find: the key "find" (or find_hex or find_regex) is missing', 'with: the key "with" (or with_hex) is missing'],
    ],
    ['type = "reject"', ['find: the key "find" (or find_hex or find_regex) is missing']],
    ['type = "limit"\nburst = 5', ['rate: the key "rate" is missing']],
    ['type = "script"', ['path: the key "path" is missing']],
    ['type = "drop"', ['find: the key "find" is missing; to drop everything, write direction']],
    // what is too much
    [
      'type = "drop"\nfind_hex = "00"\nfind_regex = "a"',
      ['find_regex: there is "find_hex" already; keep one of the two'],
    ],
    [
      'type = "replace"\nfind = "a"\nwith = "b"\nwith_hex = "00"',
      ['with_hex: there is "with" already; keep one of the two'],
    ],
    ['type = "drop"\nfind = "a"\nflags = "i"', ['flags: "flags" is for find_regex alone; leave it out']],
    // values
    ['type = "drop"\nfind = ""', ["find: it is empty; leave it out"]],
    ['type = "drop"\nfind_hex = ""', ["find_hex: it is empty; leave it out"]],
    ['type = "drop"\nfind_hex = "0d0"', [`find_hex: Cannot parse bytes "0d0": ${hex} "0d 0a"`]],
    ['type = "drop"\nfind_hex = "xy"', [`find_hex: Cannot parse bytes "xy": ${hex} "0d 0a"`]],
    [
      'type = "drop"\nfind_regex = "[a"',
      ['find_regex: Cannot use regular expression "[a": missing terminating ] for character class'],
    ],
    [
      'type = "drop"\nfind_regex = ""',
      [
        'find_regex: Cannot use regular expression "": it is empty and would be found everywhere; write what to look for',
      ],
    ],
    [
      'type = "drop"\nfind_regex = "aü"',
      [
        'find_regex: Cannot use regular expression "aü": it sees single bytes, and "ü" is 2; write (?:\\xc3\\xbc), or use find',
      ],
    ],
    [
      'type = "drop"\nfind_regex = "a"\nflags = "iu"',
      ['flags: Cannot use flags "iu": "u" is about characters, and patterns see bytes; leave it out'],
    ],
    [
      'type = "drop"\nfind_regex = "a"\nflags = "g"',
      ['flags: Cannot use flags "g": every match is found without "g"; leave it out'],
    ],
    ['type = "drop"\nfind_regex = "a"\nflags = "ii"', ['flags: Cannot use flags "ii": "i" is given twice; keep one']],
    ['type = "drop"\nfind_regex = "a"\nflags = "x"', ['flags: Cannot use flags "x": unknown flag "x"; use i, m or s']],
    [
      'type = "drop"\nfind_regex = "a"\nwindow = 5',
      ['window: Cannot parse size "5": it is too small for a buffer; use 1KiB to 1GiB'],
    ],
    ['type = "limit"\nrate = "fast"', [`rate: Cannot parse rate "fast": ${rate}`]],
    [
      'type = "limit"\nrate = "1/s"\nburst = 0',
      ['burst: Cannot use "0" as a burst: nothing would pass; write more, such as "64KiB"'],
    ],
    ['type = "reject"\nfind = "a"\nhow = "fin"', ['how: expected "reset" or "close", found "fin"']],
    ['type = "script"\npath = "x"\noptions = [1]', ["options: expected a table, found an array"]],
    ['type = "script"\npath = "x"\noptions = 2000-01-01', ["options: expected a table, found a date"]],
    ['type = "script"\npath = ""', ["path: the name is empty; write that of a file"]],
    // more than one at a time
    [
      'type = "replace"\nfind_regex = "("\nhow = "reset"',
      [
        'find_regex: Cannot use regular expression "(": missing )',
        `how: a filter of type "replace" has no key "how"; its keys are type, direction, ${find}, with, with_hex`,
        'with: the key "with" (or with_hex) is missing',
      ],
    ],
  ])("%j", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
