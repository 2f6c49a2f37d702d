/** Lets no more than so many bytes pass in a second. */
import { parseSize } from "../config/units.ts";
import { UsageError } from "../net/errors.ts";
import { Holder, type Parcel, type Turn } from "./holder.ts";
import type { Direction, StepContext } from "./step.ts";

export interface LimitConfig {
  readonly type: "limit";
  readonly direction: Direction | "both";
  /** Bytes per second, above 0. */
  readonly rate: number;
  /** Bytes that may pass at once when none have for a while, at least 1. */
  readonly burst: number;
}

/**
 * Reads how fast bytes may pass: a size and `/s`.
 *
 * @example parseByteRate("64KiB/s") // 65536
 * @returns bytes per second, at least 1
 * @throws {UsageError} `ERATE`, or `ESIZE` for the size in it
 */
export function parseByteRate(text: string): number {
  const fail = (why: string) => new UsageError("ERATE", `Cannot parse rate "${text}": ${why}`);
  const [, size] = /^(.*)\/s$/s.exec(text) ?? [];
  if (size === undefined) throw fail('write bytes in a second, such as "1MB/s" or "64KiB/s"');
  const rate = parseSize(size);
  if (rate === 0) throw fail('nothing would pass; write more, such as "64KiB/s", or a filter of type "drop"');
  return rate;
}

/**
 * Reads how many bytes may pass at once.
 *
 * @returns bytes, at least 1
 * @throws {UsageError} `ESIZE`
 */
export function parseBurst(text: string): number {
  const burst = parseSize(text);
  if (burst > 0) return burst;
  throw new UsageError("ESIZE", `Cannot use "${text}" as a burst: nothing would pass; write more, such as "64KiB"`);
}

/** Without another word as many as in a tenth of a second, which is more than timers are late, and two at least. */
export function burstOfRate(rate: number): number {
  return Math.max(2, Math.ceil(rate / 10));
}

/** Milliseconds' worth of bytes that it waits for at a time, lest it pass them on one by one. */
const GRAIN = 10;

/**
 * A token bucket, reckoned from the clock alone: in any time of t seconds at most `burst + rate × t` bytes pass. Nor are
 * there fewer when a timer is late, by less than the burst is worth over what it waits for at a time. Holds as much as
 * `context.buffer`; whoever sends more has to wait.
 */
export class Limit extends Holder {
  /** Bytes per millisecond. */
  readonly #rate: number;
  readonly #burst: number;
  readonly #grain: number;
  /** When the bucket was full last, and the bytes that have passed since. */
  #fullAt: number;
  #passed = 0;

  constructor({ rate, burst }: Pick<LimitConfig, "rate" | "burst">, context: StepContext) {
    super(context);
    this.#rate = rate / 1_000;
    this.#burst = burst;
    this.#grain = Math.max(1, Math.min(burst, Math.ceil(this.#rate * GRAIN)));
    this.#fullAt = context.runtime.now();
  }

  protected override turn({ bytes }: Parcel, now: number): Turn {
    const spent = this.#passed - this.#rate * (now - this.#fullAt);
    if (spent <= 0) {
      this.#fullAt = now;
      this.#passed = 0;
    }
    const least = Math.min(bytes.length, this.#grain);
    // A time, not a number of tokens: once the clock has got there it is over, whatever the rounding.
    const wait = this.#fullAt + (this.#passed + least - this.#burst) / this.#rate - now;
    if (wait > 0) return { wait };
    const take = Math.min(bytes.length, Math.max(least, Math.floor(this.#burst - Math.max(0, spent))));
    this.#passed += take;
    return { take };
  }
}
