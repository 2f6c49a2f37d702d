/** The time of day to the microsecond, made of a clock that shows milliseconds and one that only shows how many passed. */
import type { Runtime } from "../../net/runtime.ts";

export type ClockRuntime = Pick<Runtime, "now" | "wallClock">;

export class Stamps {
  readonly #runtime: ClockRuntime;
  /** What `now` lacks to the time of day, milliseconds. */
  #offset: number;

  constructor(runtime: ClockRuntime) {
    this.#runtime = runtime;
    this.#offset = runtime.wallClock() - runtime.now();
  }

  /** Microseconds since 1970 UTC, whole ones. */
  now(): number {
    const wall = this.#runtime.wallClock();
    const now = this.#runtime.now();
    // The wall clock is right to its millisecond, also after somebody has set it.
    const exact = Math.min(Math.max(this.#offset + now, wall), wall + LAST);
    this.#offset = exact - now;
    return Math.round(exact * 1_000);
  }
}

/** The last microsecond of a millisecond. */
const LAST = 0.999;

/**
 * ISO 8601, UTC.
 *
 * @example formatStamp(1_767_225_600_000_250) // "2026-01-01T00:00:00.000250Z"
 */
export function formatStamp(micros: number): string {
  const iso = new Date(Math.floor(micros / 1_000)).toISOString();
  return `${iso.slice(0, -1)}${String(micros % 1_000).padStart(3, "0")}Z`;
}
