/** Pauses before another attempt, each twice as long as the one before, and half of it left to chance. */

/** Milliseconds: the first pause, and the longest. */
const FIRST = 100;
const LONGEST = 5_000;

export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random`: from 0 up to 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The last attempt has failed. */
  get failing(): boolean {
    return this.#failures > 0;
  }

  /** An attempt has failed: so many milliseconds until the next one. */
  failed(): number {
    return Math.min(FIRST * 2 ** this.#failures++, LONGEST) * (0.5 + 0.5 * this.#random());
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
