/** Where replies of Redis end (RESP2). Types of RESP3 do not come, since HELLO is not passed on. */
import type { Framer } from "../collector.ts";
import { BadMessage } from "../message.ts";
import { find, shown } from "./find.ts";
import { CR, checkLineEnd, INTEGER_DIGITS, LENGTH_DIGITS, RedisNumber } from "./redis-number.ts";

/** Bytes of the shortest element: "+", CR LF. */
const ELEMENT_MIN = 3;

/**
 * Arrays in arrays need no memory of their own: what counts is how many elements are still to come, and each array is
 * one of them that brings others. How deep they are nested does not matter then.
 */
export class RedisReplyFramer implements Framer {
  size = 0;
  readonly #number = new RedisNumber();
  /** Bytes of the message that were read and need not be read again. */
  #read = 0;
  /** Of the line that is being read, up to so many bytes of the message, no CR was found. */
  #searched = 0;
  #left = 1;

  end(bytes: Uint8Array, start: number, limit: number): number {
    let at = start + this.#read;
    this.size = 0;
    while (this.#left > 0) {
      const end = at < limit ? this.#element(bytes, start, at, limit) : 0;
      if (end === 0 || end > limit) {
        this.#read = at - start;
        this.size = (end > 0 ? end - ELEMENT_MIN : at) - start + this.#left * ELEMENT_MIN;
        return -1;
      }
      this.#left--;
      at = end;
    }
    this.#read = 0;
    this.#searched = 0;
    this.#left = 1;
    return at;
  }

  /** Where the element at `at` ends, which may be behind `limit`; of an array, where its elements begin. 0: unknown. */
  #element(bytes: Uint8Array, start: number, at: number, limit: number): number {
    const number = this.#number;
    switch (bytes[at]) {
      case 0x2b: // +
      case 0x2d: // -
        return this.#line(bytes, start, at, limit);
      case 0x3a: // :
        return number.read(bytes, at + 1, limit, INTEGER_DIGITS) ? number.end : 0;
      case 0x24: // $
        return this.#length(bytes, at, limit) ? this.#bulk(bytes, limit) : 0;
      case 0x2a: // *
        if (!this.#length(bytes, at, limit)) return 0;
        this.#left += Math.max(0, number.value);
        return number.end;
      default:
        throw new BadMessage(`a reply of the type ${shown(bytes.slice(at, at + 1))}, which RESP2 does not have`);
    }
  }

  #line(bytes: Uint8Array, start: number, at: number, limit: number): number {
    const cr = find(bytes, CR, Math.max(at + 1, start + this.#searched), limit);
    this.#searched = (cr < 0 ? limit : cr) - start;
    if (cr < 0 || cr + 1 >= limit) return 0;
    checkLineEnd(bytes, cr);
    return cr + 2;
  }

  #length(bytes: Uint8Array, at: number, limit: number): boolean {
    const number = this.#number;
    if (!number.read(bytes, at + 1, limit, LENGTH_DIGITS)) return false;
    if (number.value >= -1) return true;
    throw new BadMessage(`a length of ${number.value} in a reply`);
  }

  #bulk(bytes: Uint8Array, limit: number): number {
    const { value, end } = this.#number;
    if (value < 0) return end;
    const behind = end + value + 2;
    if (behind <= limit) checkLineEnd(bytes, behind - 2);
    return behind;
  }
}
