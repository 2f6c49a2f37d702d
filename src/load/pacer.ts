/** Whose turn it is, for thousands of clients with one alarm: a binary heap of the moments that they wait for. */
import type { Alarm, Runtime } from "../net/runtime.ts";

interface Waiting {
  readonly at: number;
  readonly run: () => void;
}

export class Pacer {
  readonly #runtime: Pick<Runtime, "exactNow">;
  readonly #alarm: Alarm;
  readonly #heap: Waiting[] = [];
  #ringing = false;

  constructor(runtime: Pick<Runtime, "exactNow" | "alarm">) {
    this.#runtime = runtime;
    this.#alarm = runtime.alarm(() => this.#rang());
  }

  /** Calls `run` once, at `at` on the clock of `exactNow` or a little later, never from inside. */
  wait(at: number, run: () => void): void {
    this.#push({ at, run });
    if (!this.#ringing && this.#heap[0]?.run === run) this.#alarm.set(at);
  }

  close(): void {
    this.#alarm.close();
    this.#heap.length = 0;
  }

  #rang(): void {
    // Whoever waits again while others are called may be due again before they are: once for each is enough.
    const now = this.#runtime.exactNow();
    this.#ringing = true;
    for (let [first] = this.#heap; first && first.at <= now; [first] = this.#heap) {
      this.#pop();
      first.run();
    }
    this.#ringing = false;
    const [next] = this.#heap;
    if (next) this.#alarm.set(next.at);
  }

  #push(waiting: Waiting): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(waiting);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as Waiting).at <= waiting.at) break;
      heap[at] = heap[parent] as Waiting;
      at = parent;
    }
    heap[at] = waiting;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Waiting).at < (heap[child] as Waiting).at) child++;
      if ((heap[child] as Waiting).at >= last.at) break;
      heap[at] = heap[child] as Waiting;
      at = child;
    }
    heap[at] = last;
  }
}
