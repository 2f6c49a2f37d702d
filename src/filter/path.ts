/** The steps of one direction of a session, in order. They may come and go while bytes are on their way. */
import type { Chunk } from "../net/runtime.ts";
import { type Inlet, NOBODY, type Outlet, type Step } from "./step.ts";

export class Path implements Outlet {
  readonly #source: Inlet;
  readonly #sink: Outlet;
  #steps: readonly Step[] = [];
  #ended = false;

  /** `source`: who is told that there is room; `sink`: where everything ends up. */
  constructor(source: Inlet, sink: Outlet, steps: readonly Step[]) {
    this.#source = source;
    this.#sink = sink;
    this.#steps = steps;
    this.#join();
  }

  get steps(): readonly Step[] {
    return this.#steps;
  }

  /** Bytes that came in and have not come out, but will. */
  get held(): number {
    let held = 0;
    for (const step of this.#steps) held += step.held;
    return held;
  }

  write(chunk: Chunk): boolean {
    return (this.#steps[0] ?? this.#sink).write(chunk);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    (this.#steps[0] ?? this.#sink).end();
  }

  /** The sink has room again. */
  drain(): void {
    (this.#steps.at(-1) ?? this.#source).drain();
  }

  /** Puts a step in front of the one at `index`; what is held before it goes through it, what is behind it does not. */
  insert(step: Step, index = this.#steps.length): void {
    this.#steps = this.#steps.toSpliced(index, 0, step);
    this.#join();
    // Whoever waits for those behind it would wait for ever: it does not know that they owe a drain.
    step.previous.drain();
  }

  /** Takes a step out: what it holds goes on to those behind it. */
  remove(step: Step): void {
    if (!this.#steps.includes(step)) return;
    const { previous } = step;
    // Until it is empty nobody is to write to it, even if the next one finds room meanwhile.
    step.previous = NOBODY;
    step.release();
    step.stop();
    this.#steps = this.#steps.filter((each) => each !== step);
    this.#join();
    // Whoever was waiting for it finds out from the next one whether there is room.
    previous.drain();
  }

  stop(): void {
    for (const step of this.#steps) step.stop();
  }

  #join(): void {
    let previous = this.#source;
    for (const [index, step] of this.#steps.entries()) {
      step.previous = previous;
      step.next = this.#steps[index + 1] ?? this.#sink;
      previous = step;
    }
  }
}
