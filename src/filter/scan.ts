/** Finds patterns in a stream, however it is cut into chunks. */

import { latin1 } from "../net/latin1.ts";
import type { Chunk } from "../net/runtime.ts";
import { type LiteralPattern, Needle, type Pattern, type RegexPattern } from "./pattern.ts";
import type { Outlet } from "./step.ts";

export interface Scan {
  readonly held: number;
  /** Puts into `out` what goes on, which stays valid as long as `chunk`. False: nothing goes on any more. */
  scan(chunk: Chunk, out: Output): boolean;
  /** The same for what is held: there is no more. */
  flush(out: Output): boolean;
}

/** What is done about matches. Either puts into `out` what goes on; false: nothing does from here. */
export interface Finder {
  /** In place of the literal. */
  literal(out: Output): boolean;
  /** In place of a line in which there is a match, every byte of it a character. */
  line(line: string, regex: RegExp, out: Output): boolean;
}

export function createScan(pattern: Pattern, finder: Finder): Scan {
  return pattern.kind === "literal" ? new LiteralScan(pattern, finder) : new LineScan(pattern, finder);
}

/** What goes on of a chunk: in one write, since each may become a packet of its own. */
export class Output {
  #parts: Chunk[] = [];
  #size = 0;

  /** Until {@link send} the bytes stay as they are. */
  add(bytes: Chunk, start = 0, end = bytes.length): void {
    if (start >= end) return;
    this.#parts.push(end - start === bytes.length ? bytes : bytes.subarray(start, end));
    this.#size += end - start;
  }

  /** Answers as `Outlet.write`. */
  send(outlet: Pick<Outlet, "write">): boolean {
    const [first, second] = this.#parts;
    if (!first) return true;
    const whole = second ? this.#join() : first;
    this.#parts.length = 0;
    this.#size = 0;
    return outlet.write(whole);
  }

  #join(): Uint8Array {
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

class LiteralScan implements Scan {
  readonly #needle: Needle;
  readonly #finder: Finder;
  /** So many first bytes of the needle. They are those of the needle, so nobody has to keep them. */
  held = 0;

  constructor({ bytes }: LiteralPattern, finder: Finder) {
    this.#needle = Needle.of(bytes);
    this.#finder = finder;
  }

  scan(chunk: Chunk, out: Output): boolean {
    const needle = this.#needle;
    let found = this.held;
    let at = 0;
    // What begins in the bytes that are held can only be found byte by byte.
    while (found > at && found < needle.length) {
      if (at === chunk.length) {
        out.add(needle.bytes, 0, this.held + at - found);
        this.held = found;
        return true;
      }
      found = needle.next(found, chunk[at++] as number);
    }
    const whole = found === needle.length;
    out.add(needle.bytes, 0, whole ? this.held + at - found : this.held);
    this.held = 0;
    if (!whole) at = 0;
    else if (!this.#finder.literal(out)) return false;
    for (let next = needle.indexIn(chunk, at); next >= 0; next = needle.indexIn(chunk, at)) {
      out.add(chunk, at, next);
      if (!this.#finder.literal(out)) return false;
      at = next + needle.length;
    }
    this.held = needle.begunIn(chunk, at);
    out.add(chunk, at, chunk.length - this.held);
    return true;
  }

  flush(out: Output): boolean {
    out.add(this.#needle.bytes, 0, this.held);
    this.held = 0;
    return true;
  }
}

const NOTHING = new Uint8Array(0);

class LineScan implements Scan {
  readonly #delimiter: Needle;
  readonly #window: number;
  readonly #regex: RegExp;
  readonly #finder: Finder;
  /** Begins with the bytes that are held: those of a line that is not complete. */
  #kept = NOTHING;
  held = 0;
  /** The beginning of the line has gone before it was complete. */
  #torn = false;

  constructor({ delimiter, window, source, flags }: RegexPattern, finder: Finder) {
    this.#delimiter = Needle.of(delimiter);
    this.#window = window;
    this.#regex = new RegExp(source, `${flags}g`);
    this.#finder = finder;
  }

  scan(chunk: Chunk, out: Output): boolean {
    // What is held has been looked through, up to what may be the beginning of a delimiter.
    const searched = Math.max(0, this.held - this.#delimiter.length + 1);
    return this.#read(this.#withKept(chunk), searched, false, out);
  }

  flush(out: Output): boolean {
    return this.#read(this.#kept.subarray(0, this.held), this.held, true, out);
  }

  #read(text: Uint8Array, searched: number, last: boolean, out: Output): boolean {
    const { length } = this.#delimiter;
    let next = this.#delimiter.indexIn(text, searched);
    let start = 0;
    let passed = 0;
    let decoded: string | undefined;
    for (;;) {
      const complete = next >= 0 && next - start <= this.#window;
      if (!complete && (last ? start === text.length : text.length - start < this.#window + length)) break;
      const end = complete ? next : Math.min(start + this.#window, text.length);
      decoded ??= latin1(text);
      const line = decoded.slice(start, end);
      if (this.#matches(line)) {
        out.add(text, passed, start);
        passed = end;
        if (!this.#finder.line(line, this.#regex, out)) {
          this.held = 0;
          return false;
        }
      }
      this.#torn = last;
      start = complete ? end + length : end;
      if (complete) next = this.#delimiter.indexIn(text, start);
    }
    out.add(text, passed, start);
    this.#keep(text, start);
    return true;
  }

  #matches(line: string): boolean {
    // What is left of a line is no line if it is nothing.
    if (this.#torn && line === "") return false;
    // Not `test`, which begins where it has stopped the last time.
    return line.search(this.#regex) >= 0;
  }

  /** What is held and `chunk`: `chunk` itself if nothing is. */
  #withKept(chunk: Chunk): Uint8Array {
    if (this.held === 0) return chunk;
    const size = this.held + chunk.length;
    if (this.#kept.length < size) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#kept.length));
      larger.set(this.#kept.subarray(0, this.held));
      this.#kept = larger;
    }
    this.#kept.set(chunk, this.held);
    return this.#kept.subarray(0, size);
  }

  /** Holds `text` from `start` on, as a copy unless it is what is held already: it is on loan, or in the output. */
  #keep(text: Uint8Array, start: number): void {
    this.held = text.length - start;
    if (this.held === 0) this.#kept = NOTHING;
    else if (start > 0 || text.buffer !== this.#kept.buffer) this.#kept = text.slice(start);
  }
}
