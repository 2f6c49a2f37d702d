/** What filters look for: bytes as they are written, or a regular expression. */
import { UsageError } from "../net/errors.ts";
import type { Chunk } from "../net/runtime.ts";

/** Plain, like everything in a configuration: it can be cloned and sent to other threads. */
export type Pattern = LiteralPattern | RegexPattern;

/** Found wherever it is in the stream. */
export interface LiteralPattern {
  readonly kind: "literal";
  /** At least one. */
  readonly bytes: Uint8Array;
  /**
   * Milliseconds of silence after which the beginning of it, at the end of what has come, is taken for something else:
   * whoever waits for an answer to just that must not wait for ever. Without it, it waits for as long as it takes.
   */
  readonly wait?: number;
}

/**
 * Found within single lines: whether more bytes would make a match longer, or one where there is none, no regular
 * expression can tell, but behind the end of a line there are none. It sees each byte as one character, 0 to 0xff, so
 * that no byte is changed that it does not find.
 */
export interface RegexPattern {
  readonly kind: "regex";
  /** ASCII. */
  readonly source: string;
  /** Some of i, m and s. */
  readonly flags: string;
  /** What ends a line, and belongs to none; at least one byte. */
  readonly delimiter: Uint8Array;
  /** Bytes of a line after which another one begins, delimiter or not. */
  readonly window: number;
  /** Milliseconds without a byte after which a line is taken to be complete as it is; 0: never. */
  readonly wait: number;
}

/** As people write it: `find "http://internal"`. */
export function formatPattern(pattern: Pattern): string {
  if (pattern.kind === "regex") return `find_regex /${pattern.source}/${pattern.flags}`;
  const { bytes } = pattern;
  try {
    return `find ${JSON.stringify(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes))}`;
  } catch {
    return `find_hex "${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
  }
}

/**
 * Reads bytes: two hexadecimal digits for each, with spaces between them or without.
 *
 * @example parseHex("0d 0a") // Uint8Array [13, 10]
 * @throws {UsageError} `EHEX`
 */
export function parseHex(text: string): Uint8Array {
  const digits = text.replaceAll(" ", "");
  if (/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
      Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
    );
  }
  throw new UsageError("EHEX", `Cannot parse bytes "${text}": write two hexadecimal digits for each, such as "0d 0a"`);
}

/**
 * Reads a regular expression for {@link RegexPattern}: it is that of JavaScript, in ASCII.
 *
 * @throws {UsageError} `EREGEX`, with what the runtime says of it.
 */
export function parseRegex(text: string): string {
  const fail = (why: string) => new UsageError("EREGEX", `Cannot use regular expression "${text}": ${why}`);
  if (text === "") throw fail("it is empty and would be found everywhere; write what to look for");
  const [foreign] = /\P{ASCII}/u.exec(text) ?? [];
  if (foreign !== undefined) {
    const bytes = Array.from(new TextEncoder().encode(foreign), (byte) => `\\x${byte.toString(16)}`);
    throw fail(`it sees single bytes, and "${foreign}" is ${bytes.length}; write (?:${bytes.join("")}), or use find`);
  }
  try {
    new RegExp(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw fail(error.message.replace("Invalid regular expression: ", "").replace(`/${text}/: `, ""));
  }
  return text;
}

/**
 * Reads the flags of a regular expression for {@link RegexPattern}.
 *
 * @throws {UsageError} `EREGEX`
 */
export function parseFlags(text: string): string {
  const fail = (why: string) => new UsageError("EREGEX", `Cannot use flags "${text}": ${why}`);
  for (const [at, flag] of [...text].entries()) {
    if (flag === "g") throw fail('every match is found without "g"; leave it out');
    if (flag === "u" || flag === "v") throw fail(`"${flag}" is about characters, and patterns see bytes; leave it out`);
    if (!"ims".includes(flag)) throw fail(`unknown flag "${flag}"; use i, m or s`);
    if (text.indexOf(flag) < at) throw fail(`"${flag}" is given twice; keep one`);
  }
  return text;
}

/** Bytes that are looked for, with what makes it fast. */
export class Needle {
  readonly bytes: Uint8Array;
  /** Knuth, Morris, Pratt (1977): with so many bytes found and not the next, how many of them may be found still. */
  readonly #fallback: Uint32Array;
  /** Horspool (1980): where this byte is under the last one of the needle, nothing is found for so many bytes. */
  readonly #skip = new Uint32Array(256);

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#skip.fill(bytes.length);
    for (let at = 0; at < bytes.length - 1; at++) this.#skip[bytes[at] as number] = bytes.length - 1 - at;
    this.#fallback = new Uint32Array(bytes.length);
    for (let at = 1; at < bytes.length; at++) {
      this.#fallback[at] = this.next(this.#fallback[at - 1] as number, bytes[at] as number);
    }
  }

  /** The same for the same array, which is one in a configuration: sessions share it. */
  static of(bytes: Uint8Array): Needle {
    const known = needles.get(bytes);
    if (known) return known;
    const needle = new Needle(bytes);
    needles.set(bytes, needle);
    return needle;
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Where it is first, from `from` on; -1: nowhere. Takes time in proportion to the text, whatever that is. */
  indexIn(text: Chunk, from: number): number {
    const { bytes } = this;
    const last = bytes.length - 1;
    if (last === 0) return text.indexOf(bytes[0] as number, from);
    // Horspool's is several times as fast, but with texts that are made for it it compares each byte again and again.
    let patience = text.length - from;
    for (let at = from; at + last < text.length; at += this.#skip[text[at + last] as number] as number) {
      let left = last;
      while (left >= 0 && text[at + left] === bytes[left]) left--;
      if (left < 0) return at;
      patience -= last - left;
      if (patience < 0) return this.#indexIn(text, at);
    }
    return -1;
  }

  #indexIn(text: Chunk, from: number): number {
    let found = 0;
    for (let at = from; at < text.length; at++) {
      found = this.next(found, text[at] as number);
      if (found === this.length) return at + 1 - found;
    }
    return -1;
  }

  /** How many of its first bytes the text ends with, after `found` of them and `byte`; at most one more. */
  next(found: number, byte: number): number {
    let at = found;
    while (at > 0 && this.bytes[at] !== byte) at = this.#fallback[at - 1] as number;
    return this.bytes[at] === byte ? at + 1 : at;
  }

  /** How many of its first bytes, not all of them, `text` ends with; it is nowhere in it from `from` on. */
  begunIn(text: Chunk, from: number): number {
    let found = 0;
    for (let at = Math.max(from, text.length - this.length + 1); at < text.length; at++) {
      found = this.next(found, text[at] as number);
    }
    return found;
  }
}

const needles = new WeakMap<Uint8Array, Needle>();
