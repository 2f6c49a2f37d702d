/**
 * The process may open only so many descriptors. A proxy that runs out of them in `accept` or `connect`
 * fails at random, so all proxies of a process share this count and stop accepting before: clients then
 * wait in the kernel's queue, as in front of any busy server, until a connection ends.
 */
import type { Listener, Runtime, Timer } from "../net/runtime.ts";

/** A session needs one for the client and one for the target. */
const PER_SESSION = 2;
/** Kept for listeners, logs, the admin server and the runtime itself. */
const RESERVE = 64;
/** Milliseconds without accepting after the kernel has said EMFILE or ENFILE in spite of the count. */
const RECOVERY = 100;

export class DescriptorBudget {
  readonly #runtime: Runtime;
  readonly #capacity: number;
  readonly #listeners = new Set<Listener>();
  /** Told when accepting stops. */
  onPause: () => void = () => {};
  #sessions = 0;
  #paused = false;
  #recovery: Timer | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    const limit = runtime.descriptors ?? Number.POSITIVE_INFINITY;
    this.#capacity = Math.max(1, Math.floor((limit - RESERVE) / PER_SESSION));
  }

  /** Sessions that fit into the process. */
  get capacity(): number {
    return this.#capacity;
  }

  join(listener: Listener): void {
    this.#listeners.add(listener);
    if (this.#paused) listener.pause();
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
  }

  /** Counts a new session. False: there is no room for it, on a runtime that cannot stop accepting. */
  take(): boolean {
    this.#sessions++;
    if (this.#sessions >= this.#capacity) this.#pause();
    return this.#sessions <= this.#capacity || this.#runtime.can.pauseAccept;
  }

  give(): void {
    this.#sessions--;
    if (!this.#recovery) this.#resume();
  }

  /** The kernel refused a descriptor: something else in this process or machine holds them. */
  exhausted(): void {
    this.#pause();
    this.#recovery ??= this.#runtime.after(RECOVERY, () => {
      this.#recovery = undefined;
      this.#resume();
    });
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.onPause();
    for (const listener of this.#listeners) listener.pause();
  }

  #resume(): void {
    if (!this.#paused || this.#sessions >= this.#capacity) return;
    this.#paused = false;
    try {
      for (const listener of this.#listeners) listener.resume();
    } catch {
      // No descriptor for it yet: stay paused and try again.
      this.exhausted();
    }
  }
}

const budgets = new WeakMap<Runtime, DescriptorBudget>();

/** The one budget of this process. */
export function descriptorBudget(runtime: Runtime): DescriptorBudget {
  let budget = budgets.get(runtime);
  if (!budget) {
    budget = new DescriptorBudget(runtime);
    budgets.set(runtime, budget);
  }
  return budget;
}
