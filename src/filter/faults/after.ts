/** Lets a session work at first: a fault that begins only after some bytes, or some time. */
import type { Chunk, Timer } from "../../net/runtime.ts";
import { type Outlet, Step, type StepContext } from "../step.ts";

/** Whichever comes first; 0 for one that does not count. */
export interface Onset {
  /** Of its direction. */
  readonly bytes: number;
  /** Milliseconds since the step was made. */
  readonly time: number;
}

export class After extends Step {
  readonly #create: () => Step;
  #timer: Timer | undefined;
  /** Bytes until the fault begins. */
  #left: number;
  /** The fault, once it has begun. Its neighbours are those of this step, whoever they are at the time. */
  #inner: Step | undefined;
  /** The one before was told that the next one is full, and not by the fault. */
  #owesDrain = false;

  /** One of `bytes` and `time` at least is more than 0. */
  constructor({ bytes, time }: Onset, runtime: StepContext["runtime"], create: () => Step) {
    super();
    this.#create = create;
    this.#left = bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
    if (time > 0) this.#timer = runtime.after(time, () => this.#begin());
  }

  override get held(): number {
    return this.#inner?.held ?? 0;
  }

  override write(chunk: Chunk): boolean {
    if (this.#inner) return this.#inner.write(chunk);
    const head = chunk.subarray(0, this.#left);
    this.#left -= head.length;
    const room = this.next.write(head);
    if (!room) this.#owesDrain = true;
    if (this.#left > 0) return room;
    const inner = this.#begin();
    const tail = chunk.subarray(head.length);
    return (tail.length === 0 || inner.write(tail)) && room;
  }

  override end(): void {
    (this.#inner ?? this.next).end();
  }

  override broke(): void {
    (this.#inner ?? this.next).broke();
  }

  override get full(): boolean {
    return this.#inner?.full ?? this.next.full;
  }

  override drain(): void {
    this.#inner?.drain();
    if (!this.#owesDrain && this.#inner) return;
    // What the fault held may have filled the next one again, and it may be gone with that: the drain is not ours to pass on.
    if (this.#inner && this.next.full) return;
    this.#owesDrain = false;
    this.previous.drain();
  }

  override release(done: () => void): void {
    this.#timer?.cancel();
    if (this.#inner) this.#inner.release(done);
    else done();
  }

  override stop(): void {
    this.#timer?.cancel();
    this.#inner?.stop();
  }

  #begin(): Step {
    this.#timer?.cancel();
    this.#inner ??= this.#create();
    this.#inner.next = new Behind(this);
    this.#inner.previous = { drain: () => this.previous.drain() };
    this.#inner.join();
    return this.#inner;
  }
}

/** What is behind a step, whoever that is at the time. */
class Behind implements Outlet {
  readonly #step: Step;

  constructor(step: Step) {
    this.#step = step;
  }

  write(chunk: Chunk): boolean {
    return this.#step.next.write(chunk);
  }

  end(): void {
    this.#step.next.end();
  }

  broke(): void {
    this.#step.next.broke();
  }

  get full(): boolean {
    return this.#step.next.full;
  }
}
