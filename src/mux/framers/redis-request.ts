/**
 * Where requests to Redis end: arrays of bulk strings, and inline commands ("Redis serialization protocol
 * specification", "Sending commands to a Redis server" and "Inline commands").
 */
import type { Framer } from "../collector.ts";
import { BadMessage } from "../message.ts";
import { find, shown } from "./find.ts";
import { checkLineEnd, LENGTH_DIGITS, LF, RedisNumber } from "./redis-number.ts";

export const ARRAY = 0x2a;
const BULK = 0x24;
/** Bytes of an inline command, as Redis has it (`PROTO_INLINE_MAX_SIZE`). */
const INLINE_MAX = 65_536;
/** Bytes of the shortest argument: "$0", CR LF, CR LF. */
const ARGUMENT_MIN = 6;

/** An array of no arguments, or fewer, is a message like others here, though Redis does not answer it. */
export class RedisRequestFramer implements Framer {
  size = 0;
  readonly #number = new RedisNumber();
  /** Bytes of the message that were read and need not be read again. */
  #read = 0;
  /** Arguments still to come; -1: nobody knows how many there are. */
  #left = -1;

  end(bytes: Uint8Array, start: number, limit: number): number {
    this.size = 0;
    const end = bytes[start] === ARRAY ? this.#array(bytes, start, limit) : this.#inline(bytes, start, limit);
    if (end >= 0) {
      this.#read = 0;
      this.#left = -1;
    }
    return end;
  }

  #inline(bytes: Uint8Array, start: number, limit: number): number {
    const at = find(bytes, LF, start + this.#read, limit);
    const length = (at < 0 ? limit : at + 1) - start;
    if (length > INLINE_MAX) throw new BadMessage(`an inline command of more than ${INLINE_MAX} bytes`);
    this.#read = length;
    return at < 0 ? -1 : at + 1;
  }

  #array(bytes: Uint8Array, start: number, limit: number): number {
    const number = this.#number;
    let at = start + this.#read;
    if (this.#left < 0) {
      if (!number.read(bytes, start + 1, limit, LENGTH_DIGITS)) return -1;
      this.#left = Math.max(0, number.value);
      at = number.end;
    }
    while (this.#left > 0) {
      const end = bulkEnd(number, bytes, at, limit);
      if (end === 0 || end > limit) {
        this.#read = at - start;
        this.size = (end > 0 ? end - ARGUMENT_MIN : at) - start + this.#left * ARGUMENT_MIN;
        return -1;
      }
      this.#left--;
      at = end;
    }
    return at;
  }
}

/**
 * Where a bulk string of a request ends that begins at `at`, which may be behind `limit`; 0: its length is not there.
 *
 * @throws {BadMessage}
 */
function bulkEnd(number: RedisNumber, bytes: Uint8Array, at: number, limit: number): number {
  if (at >= limit) return 0;
  if (bytes[at] !== BULK) throw new BadMessage(`${shown(bytes.slice(at, at + 1))} where an argument begins with "$"`);
  if (!number.read(bytes, at + 1, limit, LENGTH_DIGITS)) return 0;
  if (number.value < 0) throw new BadMessage(`an argument of ${number.value} bytes`);
  const end = number.end + number.value + 2;
  if (end <= limit) checkLineEnd(bytes, end - 2);
  return end;
}
