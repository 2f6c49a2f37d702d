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
/** Milliseconds between two looks at whether another thread has made room. */
const LOOK = 20;
/** Milliseconds without accepting after the kernel has said EMFILE or ENFILE in spite of the count. */
const RECOVERY = 100;

/** What a session counts for that has so many sockets or files beyond its two: as so many sessions without. */
export function sessionsFor(more: number): number {
  return Math.ceil((PER_SESSION + more) / PER_SESSION);
}

/** How many sessions a limit of descriptors allows. */
export function sessionsWithin(descriptors: number): number {
  return Math.max(1, Math.floor((descriptors - RESERVE) / PER_SESSION));
}

export class DescriptorBudget {
  readonly #runtime: Runtime;
  readonly #capacity: number;
  readonly #listeners = new Set<Listener>();
  /** Told when accepting stops. */
  onPause: () => void = () => {};
  /** How many there are, in all threads that share the count. */
  readonly #sessions: Int32Array;
  readonly #alone: boolean;
  #paused = false;
  #recovery: Timer | undefined;
  #look: Timer | undefined;

  /** `shared`: one number in shared memory, for threads that share the process's descriptors. */
  constructor(runtime: Runtime, shared?: Int32Array) {
    this.#runtime = runtime;
    this.#sessions = shared ?? new Int32Array(1);
    this.#alone = shared === undefined;
    this.#capacity = sessionsWithin(runtime.descriptors ?? Number.POSITIVE_INFINITY);
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

  /**
   * Counts a new session, which may be as much as `weight` of them; see {@link sessionsFor}. False: there is no room for
   * it, on a runtime that cannot stop accepting.
   */
  take(weight = 1): boolean {
    const sessions = Atomics.add(this.#sessions, 0, weight) + weight;
    // Another one like it would have no room.
    if (sessions + weight > this.#capacity) this.#pause();
    return sessions <= this.#capacity || this.#runtime.can.pauseAccept;
  }

  /** The same where nobody can be kept waiting: false, and nothing is counted, if there is no room. */
  tryTake(): boolean {
    return Atomics.load(this.#sessions, 0) < this.#capacity && this.take();
  }

  give(weight = 1): void {
    Atomics.sub(this.#sessions, 0, weight);
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
    this.#watch();
  }

  /** Sessions that end in other threads make room as well, and nobody tells. */
  #watch(): void {
    if (this.#alone || !this.#paused) return;
    this.#look?.cancel();
    this.#look = this.#runtime.after(LOOK, () => {
      if (!this.#recovery) this.#resume();
      this.#watch();
    });
  }

  #resume(): void {
    if (!this.#paused || Atomics.load(this.#sessions, 0) >= this.#capacity) return;
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

/** Makes the budget of `runtime`, one of several threads, count together with theirs. */
export function shareBudget(runtime: Runtime, shared: Int32Array): DescriptorBudget {
  const budget = new DescriptorBudget(runtime, shared);
  budgets.set(runtime, budget);
  return budget;
}

/** What `copy` opens counts as what `runtime` opens. */
export function sameBudget(copy: Runtime, runtime: Runtime): Runtime {
  budgets.set(copy, descriptorBudget(runtime));
  return copy;
}

/** The one budget of this process. */
export function descriptorBudget(runtime: Runtime): DescriptorBudget {
  let budget = budgets.get(runtime);
  if (!budget) {
    budget = new DescriptorBudget(runtime);
    budgets.set(runtime, budget);
  }
  return budget;
}
