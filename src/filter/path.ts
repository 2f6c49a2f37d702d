/** The steps of one direction of a session, in order. They may come and go while bytes are on their way. */
import type { Chunk } from "../net/runtime.ts";
import type { Inlet, Outlet, Step } from "./step.ts";

export class Path implements Outlet {
  readonly #source: Inlet;
  readonly #sink: Last;
  #steps: readonly Step[] = [];
  /** They are taken out as soon as they are empty. */
  readonly #leaving = new Set<Step>();
  #ended = false;

  /** `source`: who is told that there is room; `sink`: where everything ends up; `full`: it owes the source a drain. */
  constructor(source: Inlet, sink: Pick<Outlet, "write" | "end">, steps: readonly Step[], full = false) {
    this.#source = source;
    this.#sink = new Last(sink, full);
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

  /** Nothing more is written here, and there is no FIN: what is held for what might follow goes on. */
  broke(): void {
    if (this.#ended) return;
    this.#ended = true;
    (this.#steps[0] ?? this.#sink).broke();
  }

  /** Whoever writes here waits for a drain. */
  get full(): boolean {
    return (this.#steps[0] ?? this.#sink).full;
  }

  /** The sink has room again. */
  drain(): void {
    this.#sink.full = false;
    (this.#steps.at(-1) ?? this.#source).drain();
  }

  /**
   * Puts a step in front of another one, or at the end. What is held before it goes through it, what is behind it does
   * not.
   */
  insert(step: Step, before?: Step): void {
    const index = before ? this.#steps.indexOf(before) : -1;
    this.#steps = this.#steps.toSpliced(index < 0 ? this.#steps.length : index, 0, step);
    this.#join();
    step.join();
  }

  /** Takes a step out as soon as it has passed on what it holds: that goes as fast as those behind it take it. */
  remove(step: Step): void {
    if (!this.#steps.includes(step) || this.#leaving.has(step)) return;
    this.#leaving.add(step);
    step.release(() => {
      step.stop();
      this.#leaving.delete(step);
      this.#steps = this.#steps.filter((each) => each !== step);
      this.#join();
    });
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

/** The sink, and whether it owes a drain. */
class Last implements Outlet {
  full: boolean;
  readonly #sink: Pick<Outlet, "write" | "end">;

  constructor(sink: Pick<Outlet, "write" | "end">, full: boolean) {
    this.full = full;
    this.#sink = sink;
  }

  write(chunk: Chunk): boolean {
    const room = this.#sink.write(chunk);
    this.full = !room;
    return room;
  }

  end(): void {
    this.#sink.end();
  }

  broke(): void {}
}
