/**
 * Sessions in the order of their last datagram. A datagram costs a look at whether its session is the last one already,
 * or a move to the end; one timer for all of them waits for the first.
 */
import type { Runtime, Timer } from "../../net/runtime.ts";

/** What is in a list, in one at most. */
export interface Aged {
  /** When its last datagram came, in `Runtime.now` milliseconds. */
  activeAt: number;
  /** Neighbours; the list's own. */
  older: Aged | undefined;
  younger: Aged | undefined;
}

export class IdleList<A extends Aged> {
  /** Milliseconds without a datagram; 0: none is ever due. */
  readonly timeout: number;
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #expired: (aged: A) => void;
  #idlest: A | undefined;
  #latest: A | undefined;
  #timer: Timer | undefined;

  /** `expired`: is told of each that is due, and removes it. */
  constructor(runtime: Pick<Runtime, "now" | "after">, timeout: number, expired: (aged: A) => void) {
    this.#runtime = runtime;
    this.timeout = timeout;
    this.#expired = expired;
  }

  /** The one whose last datagram is the oldest. */
  get idlest(): A | undefined {
    return this.#idlest;
  }

  add(aged: A): void {
    this.#append(aged);
    if (!this.#timer) this.#arm();
  }

  /** It had a datagram, now: its `activeAt` is that of the youngest. */
  touched(aged: A): void {
    if (aged === this.#latest) return;
    this.#unlink(aged);
    this.#append(aged);
  }

  remove(aged: A): void {
    this.#unlink(aged);
    if (this.#idlest) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #append(aged: A): void {
    const latest = this.#latest;
    aged.older = latest;
    if (latest) latest.younger = aged;
    else this.#idlest = aged;
    this.#latest = aged;
  }

  #unlink(aged: A): void {
    const { older, younger } = aged;
    if (older) older.younger = younger;
    else this.#idlest = younger as A | undefined;
    if (younger) younger.older = older;
    else this.#latest = older as A | undefined;
    aged.older = undefined;
    aged.younger = undefined;
  }

  #arm(): void {
    if (this.timeout === 0 || !this.#idlest) return;
    const due = this.#idlest.activeAt + this.timeout - this.#runtime.now();
    this.#timer = this.#runtime.after(Math.max(1, due), () => this.#look());
  }

  #look(): void {
    const now = this.#runtime.now();
    let first = this.#idlest;
    while (first && first.activeAt + this.timeout <= now) {
      this.#expired(first);
      first = this.#idlest;
    }
    this.#arm();
  }
}
