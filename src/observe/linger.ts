/** The time that an observer gets, when the session is over, to take what is left. */
import type { Runtime, Timer } from "../net/runtime.ts";

/** Milliseconds without progress, and in all. */
const PATIENCE = 5_000;
const MOST = 60_000;
/** Milliseconds between two looks at how far it has come. */
const LOOK = 1_000;

export class Linger {
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #left: () => number;
  readonly #expired: () => void;
  readonly #began: number;
  /** When there was less left than ever before, and how much. */
  #progressAt: number;
  #least: number;
  #timer: Timer;

  /** `left`: bytes that have not arrived yet, as far as that can be known; `expired`: called once, unless stopped. */
  constructor(runtime: Pick<Runtime, "now" | "after">, left: () => number, expired: () => void) {
    this.#runtime = runtime;
    this.#left = left;
    this.#expired = expired;
    this.#began = runtime.now();
    this.#progressAt = this.#began;
    this.#least = left();
    this.#timer = this.#wait();
  }

  stop(): void {
    this.#timer.cancel();
  }

  #wait(): Timer {
    return this.#runtime.after(LOOK, () => this.#look());
  }

  #look(): void {
    const now = this.#runtime.now();
    const left = this.#left();
    if (left < this.#least) this.#progressAt = now;
    this.#least = Math.min(left, this.#least);
    if (now - this.#progressAt >= PATIENCE || now - this.#began >= MOST) this.#expired();
    else this.#timer = this.#wait();
  }
}
