/**
 * Cuts a stream into messages. A message that lies in one chunk is shown where it lies; of others each byte is copied
 * once, behind those that wait, and again when there are twice as many.
 */
import { BadMessage } from "./message.ts";

/** Finds the ends of messages. One for each stream. */
export interface Framer {
  /**
   * `bytes` hold a message from `start` on, and perhaps more, up to `limit`; behind it there is anything. Gives where
   * the message ends, or -1 as long as that is not known or not there. Asked again with more of the same message,
   * perhaps elsewhere: what it remembers counts from `start`.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, limit: number): number;
  /** Bytes that the message has at least, as far as the last call has shown; 0: that has shown nothing. */
  readonly size: number;
}

const NOTHING = new Uint8Array(0);
/** Bytes that a message gets at first, as long as nobody knows how long it will be. */
const LEAST = 512;
/** Bytes that it gets at first on the word of its sender; more as they come. */
const BELIEVED = 65_536;

/**
 *     collector.put(chunk);
 *     for (let message = collector.next(); message; message = collector.next()) take(message);
 */
export class Collector {
  readonly #framer: Framer;
  readonly #max: number;
  /** What came last, and where in it the next message begins, or goes on. */
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  /** The beginning of a message. */
  #bytes: Uint8Array = NOTHING;
  #used = 0;

  /** `max`: bytes of a message. */
  constructor(framer: Framer, max: number) {
    this.#framer = framer;
    this.#max = max;
  }

  /** Bytes that wait for the rest of their message. */
  get waiting(): number {
    return this.#used;
  }

  /** The next byte begins a message, and is there. */
  get begins(): boolean {
    return this.#used === 0 && this.#at < this.#chunk.length;
  }

  /** Bytes as they come; on loan until {@link next} gives no message any more, which is to be called until then. */
  put(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * A message, on loan until the next {@link put}; undefined: the rest has to come.
   *
   * @throws {BadMessage} It is not to be used any more.
   */
  next(): Uint8Array | undefined {
    const message = this.#used > 0 ? this.#complete() : this.#find();
    if (message) return message;
    this.#chunk = NOTHING;
    this.#at = 0;
    return undefined;
  }

  /** Forgets whatever it has. */
  clear(): void {
    this.#chunk = this.#bytes = NOTHING;
    this.#at = this.#used = 0;
  }

  #find(): Uint8Array | undefined {
    const chunk = this.#chunk;
    const at = this.#at;
    if (at === chunk.length) return undefined;
    const end = this.#framer.end(chunk, at, chunk.length);
    this.#check(end < 0 ? chunk.length - at : end - at);
    if (end < 0) {
      this.#keep(chunk.length);
      return undefined;
    }
    this.#at = end;
    return at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end);
  }

  /** Goes on with the message that waits. */
  #complete(): Uint8Array | undefined {
    const chunk = this.#chunk;
    for (let at = this.#at; at < chunk.length; at = this.#at) {
      const before = this.#used;
      // As long as nobody knows where it ends, no more than was there already: hardly anything is copied in vain.
      const known = this.#framer.size - before;
      const most = known > 0 ? known : Math.min(Math.max(LEAST, before), this.#max + 1 - before);
      this.#keep(Math.min(chunk.length, at + most));
      const end = this.#framer.end(this.#bytes, 0, this.#used);
      this.#check(end < 0 ? this.#used : end);
      if (end < 0) continue;
      this.#at = at + end - before;
      const message = this.#bytes.subarray(0, end);
      this.#bytes = NOTHING;
      this.#used = 0;
      return message;
    }
    return undefined;
  }

  /** Copies from the chunk, up to `to`. */
  #keep(to: number): void {
    const used = this.#used + to - this.#at;
    if (used > this.#bytes.length) this.#grow(used);
    this.#bytes.set(this.#chunk.subarray(this.#at, to), this.#used);
    this.#used = used;
    this.#at = to;
  }

  #grow(least: number): void {
    const { size } = this.#framer;
    const first = size > 0 ? Math.min(size, BELIEVED) : LEAST;
    const bytes = new Uint8Array(Math.max(least, Math.min(this.#max, Math.max(first, 2 * this.#bytes.length))));
    bytes.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = bytes;
  }

  #check(length: number): void {
    const { size } = this.#framer;
    if (length <= this.#max && size <= this.#max) return;
    throw new BadMessage(
      size > this.#max
        ? `a message of ${size} bytes or more, where max_message is ${this.#max}`
        : `a message of more than ${this.#max} bytes, which is max_message`,
    );
  }
}
