/**
 * Replies of Redis as they come, in pieces: what one client has asked for may be of any size, and neither waits here nor
 * costs the others their connection.
 */
import { BadMessage, type ReplyReader, type ReplySink } from "../message.ts";
import { find, shown } from "./find.ts";
import { CR, INTEGER_DIGITS, LENGTH_DIGITS, LF, RedisNumber } from "./redis-number.ts";
import { ARRAY, BULK, checkReplyLength, ERROR, INTEGER, noReplyType, STATUS } from "./redis-reply.ts";

/** More bytes than a line has that is a number. */
const NUMBER_MAX = 32;

/**
 * What the next byte belongs to: to the beginning of an element, a number, a line, or a string; or it has to be CR, or LF,
 * behind one of these.
 */
type Place = "element" | "number" | "line" | "string" | "cr" | "lf";

/** Arrays in arrays are counted as in `RedisReplyFramer`. */
export class RedisReplies implements ReplyReader {
  readonly waiting = 0;
  readonly #number = new RedisNumber();
  /** A number of which some has come, with its type in front. The client has got it. */
  readonly #begun = new Uint8Array(NUMBER_MAX);
  #used = 0;
  #place: Place = "element";
  /** Bytes of a string that are still to come. */
  #string = 0;
  /** Elements of the reply that are still to come; 0: the next byte begins another one. */
  #left = 0;

  read(chunk: Uint8Array, sink: ReplySink): void {
    for (let from = 0, to = 0; from < chunk.length; from = to) {
      if (this.#left === 0 && sink.unasked) throw new BadMessage("a reply that nobody has asked for");
      to = this.#skip(chunk, from);
      sink.part(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
      if (this.#left === 0) sink.done(false, false);
    }
  }

  /** Nothing is completed by a FIN. */
  end(): void {}

  /** Where the reply ends that begins, or goes on, at `from`; if that is not there, where the chunk does. */
  #skip(chunk: Uint8Array, from: number): number {
    if (this.#left === 0) this.#left = 1;
    let at = from;
    while (this.#left > 0 && at < chunk.length) at = this.#step(chunk, at);
    return at;
  }

  #step(chunk: Uint8Array, at: number): number {
    switch (this.#place) {
      case "element":
        return this.#element(chunk, at);
      case "number":
        return this.#restOfNumber(chunk, at);
      case "line":
        return this.#line(chunk, at);
      case "string":
        return this.#restOfString(chunk, at);
      case "cr":
        expectByte(CR, chunk, at);
        this.#place = "lf";
        return at + 1;
      case "lf":
        expectByte(LF, chunk, at);
        return this.#complete(at + 1);
    }
  }

  #element(chunk: Uint8Array, at: number): number {
    const type = chunk[at] ?? 0;
    if (type === STATUS || type === ERROR) {
      this.#place = "line";
      return at + 1;
    }
    if (this.#number.read(chunk, at + 1, chunk.length, digitsOf(type))) return this.#counted(type, this.#number.end);
    this.#begun.set(chunk.subarray(at));
    this.#used = chunk.length - at;
    this.#place = "number";
    return chunk.length;
  }

  #restOfNumber(chunk: Uint8Array, at: number): number {
    const [bytes, used] = [this.#begun, this.#used];
    const rest = chunk.subarray(at, at + NUMBER_MAX - used);
    bytes.set(rest, used);
    const [type = 0] = bytes;
    this.#used += rest.length;
    if (!this.#number.read(bytes, 1, this.#used, digitsOf(type))) return at + rest.length;
    return this.#counted(type, at + this.#number.end - used);
  }

  /** A number was read, which ends at `end`. */
  #counted(type: number, end: number): number {
    const { value } = this.#number;
    if (type !== INTEGER) checkReplyLength(value);
    if (type === ARRAY) this.#left += Math.max(0, value);
    if (!Number.isSafeInteger(this.#left)) throw new BadMessage("a reply of more elements than can be counted");
    if (type !== BULK || value < 0) return this.#complete(end);
    this.#string = value;
    this.#place = "string";
    return end;
  }

  #line(chunk: Uint8Array, at: number): number {
    // However long it is: nothing of it waits, and a client can make Redis write a long one.
    const cr = find(chunk, CR, at, chunk.length);
    if (cr < 0) return chunk.length;
    this.#place = "lf";
    return cr + 1;
  }

  #restOfString(chunk: Uint8Array, at: number): number {
    const end = Math.min(at + this.#string, chunk.length);
    this.#string -= end - at;
    if (this.#string === 0) this.#place = "cr";
    return end;
  }

  /** An element is, which ends at `end`. */
  #complete(end: number): number {
    this.#left--;
    this.#place = "element";
    return end;
  }
}

/** @throws {BadMessage} It is no type that has a number. */
function digitsOf(type: number): number {
  if (type === BULK || type === ARRAY) return LENGTH_DIGITS;
  return type === INTEGER ? INTEGER_DIGITS : noReplyType(type);
}

function expectByte(byte: number, chunk: Uint8Array, at: number): void {
  if (chunk[at] === byte) return;
  throw new BadMessage(`${shown(chunk.slice(at, at + 2))} where a line or a string ends, which is in CR LF`);
}
