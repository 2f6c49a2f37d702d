/**
 * A body in chunks (RFC 9112, 7.1), up to its trailer section. Stricter than the grammar where readers are known to
 * differ: a size has 13 digits at most, and nothing stands between it and its CRLF but an extension without whitespace.
 */
import { CR, LF, VALUE } from "./http-bytes.ts";
import type { Complaint } from "./http-own.ts";

/** What {@link Chunks.step} has passed: the lines of sizes and the ends of chunks, data, or an extension. */
export type Passed = "frame" | "data" | "extension";

/** What comes next. `size`: a digit at least. */
type Next = "size" | "more size" | "extension" | "size cr" | "size lf" | "data" | "data cr" | "data lf" | "trailers";

const DIGITS = 13;
/** Bytes of all extensions of a body. Nothing is known to need them. */
const EXTENSIONS = 4_096;
const SEMICOLON = 0x3b;
const EXTENSION = /^(?:;[!#$%&'*+.^_`|~\w-]+(?:=(?:[!#$%&'*+.^_`|~\w-]+|"(?:[^"\\]|\\.)*"))?)+$/;

export class Chunks {
  /** Of what the last step has passed. */
  passed: Passed = "frame";
  /** Bytes of data that are still to come of the chunk. */
  left = 0;
  #next: Next = "size";
  #digits = 0;
  #extension = "";
  #extensions = 0;
  readonly #bad: Complaint;

  constructor(bad: Complaint) {
    this.#bad = bad;
  }

  /** Another body begins. */
  begin(): void {
    this.#next = "size";
    this.#extensions = 0;
  }

  /** The last chunk has ended: the trailer section follows. */
  get over(): boolean {
    return this.#next === "trailers";
  }

  /** {@link left} is known: the chunk's data follows, or goes on. */
  get sized(): boolean {
    return this.#next === "data";
  }

  /**
   * Reads bytes of one kind, up to `limit` or less. Gives where it stopped.
   *
   * @throws {BadMessage}
   */
  step(bytes: Uint8Array, from: number, limit: number): number {
    if (this.#next === "data") return this.#data(from, limit);
    if (this.#next === "extension") return this.#extended(bytes, from, limit);
    this.passed = "frame";
    let at = from;
    while (at < limit) {
      const next = this.#frame(bytes[at] as number);
      this.#next = next;
      // The semicolon is the first byte of what the next step passes.
      if (next === "extension") return at > from ? at : this.#extended(bytes, at, limit);
      at++;
      if (next === "data" || next === "trailers") break;
    }
    return at;
  }

  #data(from: number, limit: number): number {
    this.passed = "data";
    const to = Math.min(limit, from + this.left);
    this.left -= to - from;
    if (this.left === 0) this.#next = "data cr";
    return to;
  }

  #extended(bytes: Uint8Array, from: number, limit: number): number {
    this.passed = "extension";
    let at = from;
    for (; at < limit && bytes[at] !== CR; at++) {
      const byte = bytes[at] as number;
      if (VALUE[byte] === 0) throw this.#bad("a control character in a chunk extension");
      if (++this.#extensions > EXTENSIONS) throw this.#bad("chunk extensions that are too long");
      this.#extension += String.fromCharCode(byte);
    }
    if (at === limit) return at;
    if (!EXTENSION.test(this.#extension)) throw this.#bad("a malformed chunk extension");
    this.#next = "size cr";
    return at;
  }

  #frame(byte: number): Next {
    switch (this.#next) {
      case "size":
        if (digit(byte) < 0) throw this.#bad("a chunk without a size");
        this.left = digit(byte);
        this.#digits = 1;
        return "more size";
      case "more size":
        return this.#size(byte);
      case "size cr":
        // Only a CR ends an extension.
        return "size lf";
      case "size lf":
        if (byte !== LF) throw this.#bad("a bare CR behind the size of a chunk");
        return this.left > 0 ? "data" : "trailers";
      case "data cr":
        if (byte !== CR) throw this.#bad("a chunk that is longer than its size");
        return "data lf";
      default:
        if (byte !== LF) throw this.#bad("a chunk without its CRLF");
        return "size";
    }
  }

  #size(byte: number): Next {
    if (byte === CR) return "size lf";
    if (byte === SEMICOLON) {
      this.#extension = "";
      return "extension";
    }
    if (digit(byte) < 0) throw this.#bad("a malformed size of a chunk");
    if (++this.#digits > DIGITS) throw this.#bad("a size of a chunk with too many digits");
    this.left = this.left * 16 + digit(byte);
    return "more size";
  }
}

/** -1: it is none. */
function digit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
