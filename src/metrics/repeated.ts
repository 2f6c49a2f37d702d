/** Something that may happen thousands of times a second, and is told of once a second with its number. */

/** Milliseconds between two words about it. */
const REPEAT = 1_000;

export class Repeated {
  #untold = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  /** It has happened again: how often since it was told of last, or undefined, if it is not to be told of yet. */
  count(now: number): number | undefined {
    this.#untold++;
    if (now - this.#toldAt < REPEAT) return undefined;
    const count = this.#untold;
    this.#untold = 0;
    this.#toldAt = now;
    return count;
  }
}

/** What follows a line that stands for `count` of them. */
export function andMore(count: number): string {
  return count > 1 ? ` (and ${count - 1} more like it)` : "";
}
