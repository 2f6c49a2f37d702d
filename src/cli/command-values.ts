/** How values of command lines are read that nothing but a command line has. All throw {@link UsageError}s that say what is wrong. */
import * as v from "valibot";
import { unexpected } from "../config/nearest.ts";
import { httpPath, label, words } from "../config/values.ts";
import { type Address, parseAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import { hostName } from "../tls/server-name.ts";

/** A kind of value that is one of these words. */
export function oneOf<const W extends readonly string[]>(placeholder: string, words: W) {
  const parse = (text: string): W[number] => {
    if (words.includes(text)) return text;
    throw new UsageError("EUSAGE", unexpected(text, words));
  };
  return { placeholder, parse, words };
}

/** A port alone is that of every interface, as tcp-multiplexer has it. */
export function parsePortOrListen(text: string): Address {
  return parseAddress(/^\d+$/.test(text) ? `:${text}` : text, "listen");
}

export function parseLabel(text: string): string {
  return bySchema(label("A name."), text);
}

export function parseSni(text: string): string {
  const name = hostName(text);
  if (name === undefined) throw new UsageError("EUSAGE", `expected a host name such as example.com, found "${text}"`);
  return name;
}

export function parseWords(text: string): string {
  // As in files, where TOML does it: a line feed could not be typed otherwise.
  const unescaped = text.replace(/\\([nrt\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
  return bySchema(words("Words."), unescaped);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };

export function parsePath(text: string): string {
  return bySchema(httpPath("A path."), text);
}

/** The rule for such values in files. */
function bySchema(schema: v.GenericSchema<string>, text: string): string {
  const result = v.safeParse(schema, text);
  if (!result.success) throw new UsageError("EUSAGE", result.issues[0].message);
  return result.output;
}

/** Milliseconds since 1970 UTC. */
export function parseTime(text: string): number {
  const form = /^(\d{4}-\d\d-(\d\d))(T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?$/;
  const [, date, day, time = "T00:00"] = form.exec(text) ?? [];
  // On its own Date.parse makes 2 March of 30 February, and takes a date without a time for one of UTC.
  const exists = new Date(`${date}T00:00Z`).getUTCDate() === Number(day);
  const at = exists ? Date.parse(`${date}${time}`) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  throw new UsageError("EUSAGE", `expected a time such as 2026-03-01T09:30 or 2026-03-01T09:30Z, found "${text}"`);
}

export function parseFile(text: string): string {
  if (text === "") throw new UsageError("EUSAGE", 'the name is empty; write that of a file, such as "weir.toml"');
  return text;
}

export function parseFolder(text: string): string {
  if (text === "") throw new UsageError("EUSAGE", "the name is empty; write that of a folder, such as /usr/local/bin");
  return text;
}

/** The longest that timers of all runtimes can wait: 31 bits of milliseconds. */
const MAX_SECONDS = 2_147_483;

export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= MAX_SECONDS) return seconds;
  throw new UsageError("EUSAGE", `expected a whole number of seconds from 1 to ${MAX_SECONDS}, found "${text}"`);
}
