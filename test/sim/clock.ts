/**
 * Virtual time. What is due runs in the order of its time, and in random order where times are equal, so events
 * that no kernel orders come in every order. Nothing here waits: a minute passes as fast as its events can run.
 */
import type { Timer } from "../../src/net/runtime.ts";
import type { Random } from "../peers/random.ts";

interface Event {
  readonly at: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Rounds of the microtask queue after a batch, and when there is nothing else to do. */
const SETTLE = 12;
const SETTLE_ALL = 100;
/** Events in one batch at most, as of one epoll_wait(2): promises run between batches, not between events. */
const BATCH = 6;
/** Milliseconds between the first and the last of them. */
const BATCH_TIME = 1;

export class Clock {
  /** Milliseconds since the beginning of the simulation. */
  now = 0;
  /** Events that have run. */
  steps = 0;
  readonly #random: Random;
  readonly #heap: Event[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** Runs `run` in `ms` milliseconds, which may be a fraction. */
  after(ms: number, run: () => void): Timer {
    const event: Event = { at: this.now + Math.max(0, ms), order: this.#random.next(), run };
    this.#push(event);
    const cancel = () => {
      event.run = undefined;
    };
    return { cancel };
  }

  /** Runs events until `done`, or until none is left, or until virtual time is `until`. */
  async run(done: () => boolean, until: number): Promise<void> {
    for (;;) {
      // Between batches promises get some rounds; before time stands still they get all that they can need.
      const rounds = this.#isDue(until) ? SETTLE : SETTLE_ALL;
      for (let round = 0; round < rounds; round++) await null;
      if (done()) return;
      if (!this.#isDue(until)) break;
      const end = Math.min(until, (this.#heap[0]?.at ?? 0) + BATCH_TIME);
      for (let left = this.#random.between(1, BATCH); left > 0 && this.#isDue(end); left--) {
        const next = this.#pop();
        if (!next.run) continue;
        this.now = next.at;
        this.steps++;
        next.run();
      }
    }
    if (this.#heap.length > 0) this.now = until;
  }

  #isDue(until: number): boolean {
    const [next] = this.#heap;
    return next !== undefined && next.at <= until;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event {
    const heap = this.#heap;
    const first = heap[0] as Event;
    const last = heap.pop() as Event;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Event, heap[child] as Event)) child++;
      if (!before(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
