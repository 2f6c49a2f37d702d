/** Sees when nothing goes on any more, and has memory given back then. */
import { CELL, type Counters } from "../metrics/counters.ts";
import type { Runtime, Timer } from "../net/runtime.ts";

/** Milliseconds from the start of weir, or of the collectors, until what only they needed can go. */
export const MOMENT = 1_000;
/** Milliseconds without a connection, a byte or a datagram after which memory is given back. */
export const QUIET = 5_000;

export interface Household {
  /** Those whose counters tell whether anything goes on; undefined if something does that they do not count. */
  proxies(): Iterable<{ readonly counters: Counters }> | undefined;
  /** Gives back code that is not needed now. */
  trimCode(): void;
  /** Has the threads collect what they have thrown away: it costs them some milliseconds. */
  trimHeaps(): void;
}

export class Housekeeping {
  readonly #runtime: Pick<Runtime, "after">;
  readonly #household: Household;
  #timer: Timer;
  /** What had happened when we looked last, and when we gave back last; undefined while nobody can know. */
  #seen: number | undefined = 0;
  #trimmed: number | undefined = 0;

  constructor(runtime: Pick<Runtime, "after">, household: Household) {
    this.#runtime = runtime;
    this.#household = household;
    this.#timer = this.#trimCode();
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** What has just run is done in a moment. A measurement is not disturbed even then. */
  #trimCode(): Timer {
    return this.#runtime.after(MOMENT, () => {
      if (this.#household.proxies()) this.#household.trimCode();
      this.#look();
    });
  }

  #look(): void {
    const happened = sum(this.#household.proxies());
    const quiet = happened !== undefined && happened === this.#seen && happened !== this.#trimmed;
    this.#seen = happened;
    if (quiet) {
      this.#trimmed = happened;
      this.#household.trimHeaps();
    }
    this.#timer = quiet ? this.#trimCode() : this.#runtime.after(QUIET, () => this.#look());
  }
}

const HAPPENED = [
  CELL.connections,
  CELL.bytesUpstream,
  CELL.bytesDownstream,
  CELL.datagramsUpstream,
  CELL.datagramsDownstream,
] as const;

/** A figure that changes with everything that happens. */
function sum(proxies: Iterable<{ readonly counters: Counters }> | undefined): number | undefined {
  if (!proxies) return undefined;
  let sum = 0;
  for (const { counters } of proxies) for (const cell of HAPPENED) sum += counters.get(cell);
  return sum;
}
