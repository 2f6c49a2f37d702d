/** `[[proxy.filter]]` as users write it, and what it means. */
import * as v from "valibot";
import type { FilterConfig, FilterType } from "../filter/filter.ts";
import { burstOfRate, parseBurst, parseByteRate } from "../filter/limit.ts";
import { type Pattern, parseFlags, parseHex, parseRegex } from "../filter/pattern.ts";
import { ENDINGS } from "../filter/reject.ts";
import type { FilterOptions } from "../filter/script.ts";
import { DIRECTIONS } from "../filter/step.ts";
import { UsageError } from "../net/errors.ts";
import { latin1, latin1Bytes } from "../net/latin1.ts";
import { isTable } from "./toml.ts";
import * as t from "./values.ts";
import * as w from "./written.ts";

type Filter = v.InferOutput<ReturnType<typeof filterSchema>>;

const FIND = ["find", "find_hex", "find_regex"] as const;
const REGEX = ["flags", "delimiter", "window"] as const;

/** The keys that each type has beside `type` and `direction`. */
const KEYS = {
  replace: [...FIND, ...REGEX, "wait", "with", "with_hex"],
  drop: [...FIND, ...REGEX, "wait"],
  limit: ["rate", "burst"],
  reject: [...FIND, ...REGEX, "wait", "how"],
  script: ["path", "options"],
} as const satisfies Readonly<Record<FilterType, readonly string[]>>;

const TYPES = Object.keys(KEYS) as readonly FilterType[];

const DELIMITER = "\n";
/** Bytes. */
const WINDOW = 65_536;
/** Milliseconds: a prompt does not wait much longer for the end of its line, and few lines come in pieces so far apart. */
const WAIT = 1_000;
/** Milliseconds: TCP takes about as long to send again what was lost, and a request may end like the beginning of a match. */
const WAIT_LITERAL = 200;

/**
 * One table for all types, not one for each: what is wrong is then told of the keys that are there, and not that the
 * table is none of five.
 */
export function filterSchema() {
  const fields = t.table("Changes or stops the bytes of a connection on their way, in the order of the file.", {
    type: t.choice(
      "What it does: replace, drop, limit (bytes per second), reject (the connection), or a script.",
      TYPES,
    ),
    direction: v.optional(
      t.choice("Bytes from the client (upstream), from the target (downstream), or both, the default.", [
        ...DIRECTIONS,
        "both",
      ]),
    ),
    find: v.optional(t.words("Text to look for, wherever it is in the stream; its bytes are those of UTF-8.")),
    find_hex: v.optional(t.text('Bytes to look for, such as "0d 0a".', 'bytes such as "0d 0a"', parseSome, w.HEX)),
    find_regex: v.optional(
      t.text(
        "A regular expression of JavaScript to look for in each line. A byte is a character to it, 0 to \\xff.",
        'a regular expression such as "user=[a-z]+"',
        parseRegex,
        w.SOME_TEXT,
      ),
    ),
    flags: v.optional(
      t.text(
        "Of the regular expression: i (either case), m (^ and $ at line ends), s (. is any byte).",
        'flags such as "i"',
        parseFlags,
        { type: "string", pattern: "^[ims]*$" },
      ),
    ),
    delimiter: v.optional(t.words('What ends a line for find_regex, and belongs to none; "\\n" by default.')),
    window: v.optional(
      t.bufferSize(
        "Where find_regex takes a line for ended, delimiter or not; 64KiB by default. What is longer is not found.",
      ),
    ),
    wait: v.optional(
      t.durationOrOff(
        'Silence after which the beginning of a match, or with find_regex of a line, is no longer waited for; by default 200ms, with find_regex 1s, with reject "off".',
      ),
    ),
    with: v.optional(
      v.pipe(
        v.string(t.wrong("a string")),
        v.description("What to put in its place; with find_regex $1, $&, … stand for what was found."),
      ),
    ),
    with_hex: v.optional(
      t.text("The same as bytes, in which $ means nothing.", 'bytes such as "0d 0a"', parseHex, w.HEX),
    ),
    rate: v.optional(
      t.text(
        'Bytes per second of each connection and direction, such as "1MB/s".',
        'a rate such as "1MB/s"',
        parseByteRate,
        w.BYTE_RATE,
      ),
    ),
    burst: v.optional(
      t.text(
        "Bytes that may pass at once; by default those of 100ms.",
        'a size such as "64KiB"',
        parseBurst,
        w.SIZE_TEXT,
      ),
    ),
    how: v.optional(t.choice("What both sides get: reset (RST), the default, or close (FIN).", ENDINGS)),
    path: v.optional(t.fileName("A module, JavaScript or TypeScript, whose default export is the filter.")),
    options: v.optional(
      v.pipe(
        // Not a record, for which an array would do as well.
        v.custom<FilterOptions>(isTable, t.wrong("a table")),
        v.description("Anything that the script is to know."),
      ),
    ),
  });
  return v.pipe(
    fields,
    v.metadata({ json: { allOf: TYPES.map(keysOfType) } }),
    v.rawCheck(({ dataset, addIssue }) => {
      const filter: unknown = dataset.value;
      if (!isTable(filter)) return;
      for (const [key, message] of contradictions(filter)) {
        addIssue({ message, path: [{ type: "object", origin: "value", input: filter, key, value: filter[key] }] });
      }
    }),
  );
}

/** In JSON Schema: the keys of one type. */
function keysOfType(type: FilterType): w.Json {
  return {
    if: { properties: { type: { const: type } }, required: ["type"] },
    // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
    then: { propertyNames: { enum: ["type", "direction", ...KEYS[type]] } },
  };
}

export function toFilter(filter: Filter): FilterConfig {
  const { type, direction = "both" } = filter;
  switch (type) {
    case "replace":
      return { type, direction, pattern: patternOf(filter, false), with: withOf(filter) };
    case "drop":
      return { type, direction, pattern: given(filter, FIND).length > 0 ? patternOf(filter, false) : null };
    case "limit": {
      const { rate = 0, burst = burstOfRate(rate) } = filter;
      return { type, direction, rate, burst };
    }
    case "reject":
      // Nobody is to get through by typing slowly.
      return { type, direction, pattern: patternOf(filter, true), how: filter.how ?? "reset" };
    case "script":
      return { type, direction, path: filter.path ?? "", options: filter.options ?? {} };
  }
}

function parseSome(text: string): Uint8Array {
  const bytes = parseHex(text);
  if (bytes.length > 0) return bytes;
  throw new UsageError("EHEX", "it is empty; leave it out");
}

type Given = Readonly<Record<string, unknown>>;
type Contradiction = readonly [key: string, message: string];

/** What is wrong between the keys of one filter. The values may be wrong as well. */
function contradictions(filter: Given): Contradiction[] {
  const type = TYPES.find((each) => each === filter["type"]);
  if (!type) return [];
  const broken = RULES[type].map((rule) => rule(filter));
  return [...strangers(type, filter), ...broken.filter((each) => each !== undefined)];
}

function strangers(type: FilterType, filter: Given): Contradiction[] {
  const own = ["type", "direction", ...KEYS[type]];
  const others = given(filter, Object.keys(filter)).filter((key) => !own.includes(key));
  return others.map((key) => [key, `a filter of type "${type}" has no key "${key}"; its keys are ${own.join(", ")}`]);
}

type Rule = (filter: Given) => Contradiction | undefined;

const RULES: Readonly<Record<FilterType, readonly Rule[]>> = {
  replace: [oneOf(FIND), regexAlone, oneOf(["with", "with_hex"])],
  drop: [atMostOneOf(FIND), regexAlone, wayOfAll],
  limit: [oneOf(["rate"])],
  reject: [oneOf(FIND), regexAlone],
  script: [oneOf(["path"])],
};

function oneOf(keys: readonly [string, ...string[]]): Rule {
  const [first, ...others] = keys;
  const instead = others.length > 0 ? ` (or ${others.join(" or ")})` : "";
  const several = atMostOneOf(keys);
  return (filter) => {
    return given(filter, keys).length === 0 ? [first, `the key "${first}"${instead} is missing`] : several(filter);
  };
}

function atMostOneOf(keys: readonly string[]): Rule {
  return (filter) => {
    const [first, second] = given(filter, keys);
    return second === undefined ? undefined : [second, `there is "${first}" already; keep one of the two`];
  };
}

function regexAlone(filter: Given): Contradiction | undefined {
  const [key] = filter["find_regex"] === undefined ? given(filter, REGEX) : [];
  return key === undefined ? undefined : [key, `"${key}" is for find_regex alone; leave it out`];
}

/** Forgetting to say what to find should not end in a connection on which nothing arrives. */
function wayOfAll(filter: Given): Contradiction | undefined {
  if (filter["direction"] !== undefined || given(filter, FIND).length > 0) return undefined;
  return ["find", 'the key "find" is missing; to drop everything, write direction'];
}

function given<const K extends string>(filter: Given, keys: readonly K[]): K[] {
  return keys.filter((key) => filter[key] !== undefined);
}

/** `waits`: whether it does so for ever where nobody has written a time. */
function patternOf(filter: Filter, waits: boolean): Pattern {
  const { find = "", find_hex: bytes = utf8(find), find_regex: source, delimiter = DELIMITER } = filter;
  const wait = filter.wait ?? (waits ? 0 : source === undefined ? WAIT_LITERAL : WAIT);
  if (source === undefined) return { kind: "literal", bytes, ...(wait > 0 ? { wait } : {}) };
  return {
    kind: "regex",
    source,
    flags: filter.flags ?? "",
    delimiter: utf8(delimiter),
    window: filter.window ?? WINDOW,
    wait,
  };
}

function withOf({ find_regex: regex, with: text = "", with_hex: bytes }: Filter): Uint8Array {
  if (bytes === undefined) return utf8(text);
  // `$$` is how String.replace is told of a `$`.
  return regex === undefined ? bytes : latin1Bytes(latin1(bytes).replaceAll("$", "$$$$"));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
