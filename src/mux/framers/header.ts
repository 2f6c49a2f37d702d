/** Messages whose first bytes say how long they are. */
import type { Framer } from "../collector.ts";

/**
 * Bytes of the message that begins at `start`, header and all, from the bytes of its header alone: not fewer than those.
 *
 * @throws {BadMessage}
 */
export type Measure = (bytes: Uint8Array, start: number) => number;

export class HeaderFramer implements Framer {
  size = 0;
  readonly #header: number;
  readonly #measure: Measure;

  /** `header`: bytes that are there before a message is measured. */
  constructor(header: number, measure: Measure) {
    this.#header = header;
    this.#measure = measure;
  }

  end(bytes: Uint8Array, start: number, limit: number): number {
    this.size = 0;
    if (limit - start < this.#header) return -1;
    this.size = this.#measure(bytes, start);
    return this.size <= limit - start ? start + this.size : -1;
  }
}
