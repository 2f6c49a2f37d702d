/**
 * What is sent, and whether it has come back. Every message says whose it is and which: one that reaches the wrong
 * client, or comes twice, shows. It is printable and has a line feed at its end and nowhere else, so that servers
 * which echo lines can be measured as well.
 */
import type { Chunk } from "../net/runtime.ts";

const ALPHABET = new TextEncoder().encode("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_");
const LINE_FEED = 10;
/** Characters of six bits: five for the number of the request, five for the client's. */
const STAMP = 10;
/** Shorter pieces are compared byte by byte: a view on them would cost more. */
const WORTH_WORDS = 256;
const WORD = 8;

export class Pattern {
  /** One message; {@link Pattern.stamp} makes it somebody's. */
  readonly message: Uint8Array;
  readonly #stamped: number;
  /**
   * The message at each offset from a word, so that any part of it can be compared by words: as numbers, since what is
   * printable is never NaN nor a zero, and so only the same bytes are the same number.
   */
  readonly #words: readonly Float64Array[];

  /** `size`: bytes of a message, 1 or more. */
  constructor(size: number) {
    this.message = Uint8Array.from({ length: size }, (_, at) => ALPHABET[(at * 7 + (at >> 6) * 13) & 63] as number);
    this.message[size - 1] = LINE_FEED;
    this.#stamped = Math.min(STAMP, size - 1);
    this.#words = Array.from({ length: size < WORTH_WORDS ? 0 : WORD }, (_, offset) => {
      const words = new Float64Array(Math.ceil((size + offset) / WORD));
      new Uint8Array(words.buffer).set(this.message, offset);
      return words;
    });
  }

  /** Writes into {@link Pattern.message} which request of which client it is: both 0 to 2^30 - 1, what is above is cut off. */
  stamp(client: number, request: number): void {
    for (let at = 0; at < this.#stamped; at++) this.message[at] = stampAt(at, client, request);
  }

  /** Whether `length` bytes of `chunk` from `from` on are those of that message from `at` on. */
  matches(chunk: Chunk, from: number, length: number, at: number, client: number, request: number): boolean {
    let done = 0;
    for (; done < length && at + done < this.#stamped; done++) {
      if (chunk[from + done] !== stampAt(at + done, client, request)) return false;
    }
    return this.#same(chunk, from + done, length - done, at + done);
  }

  #same(chunk: Chunk, from: number, length: number, at: number): boolean {
    const { message } = this;
    let done = 0;
    if (length >= WORTH_WORDS) {
      // Up to where the chunk has a word, then word by word with the copy that has one at the same place.
      const first = -(chunk.byteOffset + from) & (WORD - 1);
      for (; done < first; done++) if (chunk[from + done] !== message[at + done]) return false;
      const count = Math.floor((length - first) / WORD);
      const theirs = new Float64Array(chunk.buffer, chunk.byteOffset + from + first, count);
      const offset = -(at + first) & (WORD - 1);
      const ours = this.#words[offset] as Float64Array;
      const begin = (at + first + offset) / WORD;
      for (let word = 0; word < count; word++) if (theirs[word] !== ours[begin + word]) return false;
      done = first + WORD * count;
    }
    for (; done < length; done++) if (chunk[from + done] !== message[at + done]) return false;
    return true;
  }
}

function stampAt(at: number, client: number, request: number): number {
  return ALPHABET[(at < 5 ? request >>> (6 * at) : client >>> (6 * (at - 5))) & 63] as number;
}
