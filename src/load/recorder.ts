/**
 * Latencies as they come, in the classes of an HdrHistogram with three significant digits: one addition for each, and
 * never any garbage. What is asked of them is up to a library (`result.ts`).
 */

/** Microseconds: about 71 minutes; what takes longer counts as that. */
export const LATENCY_MAX = 2 ** 32 - 1;
/** Values below 2^11 have a class each; above, each power of two has 2^10. */
const DIGITS = 11;
const HALF = 2 ** (DIGITS - 1);
const CLASSES = (32 - DIGITS + 2) * HALF;

export class Recorder {
  readonly #counts = new Uint32Array(CLASSES);
  #recorded = 0;

  get recorded(): number {
    return this.#recorded;
  }

  /** Milliseconds, with fractions. */
  record(ms: number): void {
    const us = Math.min(LATENCY_MAX, Math.max(0, Math.round(ms * 1_000)));
    const shift = Math.max(0, 32 - DIGITS - Math.clz32(us));
    const index = shift * HALF + (us >>> shift);
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#recorded++;
  }

  /** What was recorded since the last time: values in microseconds, each the lowest of its class, and behind each how often. */
  take(): number[] {
    const pairs: number[] = [];
    if (this.#recorded === 0) return pairs;
    for (let index = 0; index < CLASSES; index++) {
      const count = this.#counts[index] as number;
      if (count > 0) pairs.push(lowestOf(index), count);
    }
    this.#counts.fill(0);
    this.#recorded = 0;
    return pairs;
  }
}

function lowestOf(index: number): number {
  const shift = Math.max(0, Math.floor(index / HALF) - 1);
  return (index - shift * HALF) * 2 ** shift;
}
