/** Where replies of Redis end (RESP2). Types of RESP3 do not come, since HELLO is not passed on. */
import type { Framer } from "../collector.ts";
import { BadMessage } from "../message.ts";
import { find, shown } from "./find.ts";
import { CR, checkLineEnd, INTEGER_DIGITS, LENGTH_DIGITS, RedisNumber } from "./redis-number.ts";

export const STATUS = 0x2b;
export const ERROR = 0x2d;
export const INTEGER = 0x3a;
export const BULK = 0x24;
export const ARRAY = 0x2a;

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
      case STATUS:
      case ERROR:
        return this.#line(bytes, start, at, limit);
      case INTEGER:
        return number.read(bytes, at + 1, limit, INTEGER_DIGITS) ? number.end : 0;
      case BULK:
        return this.#length(bytes, at, limit) ? this.#bulk(bytes, limit) : 0;
      case ARRAY:
        if (!this.#length(bytes, at, limit)) return 0;
        this.#left += Math.max(0, number.value);
        return number.end;
      default:
        return noReplyType(bytes[at] ?? 0);
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
    checkReplyLength(number.value);
    return true;
  }

  #bulk(bytes: Uint8Array, limit: number): number {
    const { value, end } = this.#number;
    if (value < 0) return end;
    const behind = end + value + 2;
    if (behind <= limit) checkLineEnd(bytes, behind - 2);
    return behind;
  }
}

/** @throws {BadMessage} */
export function noReplyType(type: number): never {
  throw new BadMessage(`a reply of the type ${shown(Uint8Array.of(type))}, which RESP2 does not have`);
}

/** @throws {BadMessage} */
export function checkReplyLength(length: number): void {
  if (length < -1) throw new BadMessage(`a length of ${length} in a reply`);
}
