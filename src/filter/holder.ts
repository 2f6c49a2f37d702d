/** Steps that keep bytes for a while: they say when, and how many at a time; the rest is done here. */
import type { Chunk, Timer } from "../net/runtime.ts";
import { Step, type StepContext } from "./step.ts";

/** Bytes as they came in one write, in part passed on perhaps. */
export interface Parcel {
  readonly bytes: Uint8Array;
  /** When they came, in milliseconds of `Runtime.now`. */
  readonly at: number;
}

/** So many of the first bytes may go, at least one; or none before so many milliseconds have passed, which may be
 * `Infinity`. */
export type Turn = { readonly take: number } | { readonly wait: number };

const ALL: Turn = { take: Number.POSITIVE_INFINITY };

export abstract class Holder extends Step {
  protected readonly context: StepContext;
  #limit: number;
  readonly #parcels = new Parcels();
  #held = 0;
  /** The next one is full. */
  #blocked = false;
  /** The one before was told that we are. */
  #owesDrain = false;
  /** The FIN: not come, come at a time, or passed on. */
  #finAt: number | undefined;
  #finished = false;
  /** There is none: what came last is all there is. */
  #broken = false;
  #timer: Timer | undefined;
  /** It is to be told when nothing is held any more; from then on nothing is. */
  #released: (() => void) | undefined;
  /** Bytes are being passed on: whoever takes them may call back, and what that asks for is done next. */
  #busy = false;
  #stopped = false;

  /** `limit`: bytes it holds before it says that it is full. */
  constructor(context: StepContext, limit = context.buffer) {
    super();
    this.context = context;
    this.#limit = limit;
  }

  /** What is to become of the first parcel. Asked again after its answer has come true, and after {@link reconsider}. */
  protected abstract turn(first: Parcel, now: number): Turn;

  /** Milliseconds for which the FIN, which came at `since`, has still to wait when all bytes have gone. */
  protected finWait(_since: number, _now: number): number {
    return 0;
  }

  override get held(): number {
    return this.#held;
  }

  override write(chunk: Chunk): boolean {
    if (chunk.length > 0) {
      this.#parcels.push({ bytes: new Uint8Array(chunk), at: this.context.runtime.now() });
      this.#held += chunk.length;
      this.#work();
    }
    if (this.#held < this.#limit && !(this.#blocked && this.#held === 0)) return true;
    this.#owesDrain = true;
    return false;
  }

  override end(): void {
    this.#finAt ??= this.context.runtime.now();
    this.#work();
  }

  override broke(): void {
    this.#broken = true;
    this.end();
  }

  override drain(): void {
    this.#blocked = false;
    this.#work();
  }

  override get full(): boolean {
    return this.#owesDrain;
  }

  /** Who is before us waits for a drain that the next one owes, from now on to us. */
  override join(): void {
    this.#blocked = this.next.full;
    this.#owesDrain ||= this.#blocked;
  }

  override release(done: () => void): void {
    this.#released = done;
    // Who is before us is held back as it will be without us.
    this.#limit = 1;
    this.#work();
  }

  override stop(): void {
    this.#timer?.cancel();
    this.#stopped = true;
  }

  /** Something has changed that {@link turn} or {@link finWait} depend on. */
  protected reconsider(): void {
    this.#work();
  }

  #work(): void {
    if (this.#busy || this.#stopped) return;
    this.#timer?.cancel();
    this.#busy = true;
    const wait = this.#passOn();
    this.#busy = false;
    if (this.#stopped) return;
    if (wait > 0 && wait < Number.POSITIVE_INFINITY) {
      this.#timer = this.context.runtime.after(wait, () => this.#work());
    }
    const ended = this.#finAt === undefined || this.#finished;
    if (this.#held === 0 && !this.#blocked && ended) this.#released?.();
    if (!this.#owesDrain || this.#blocked || this.#held >= this.#limit) return;
    this.#owesDrain = false;
    this.previous.drain();
  }

  /** Passes on what may go; answers after how many milliseconds there may be more. */
  #passOn(): number {
    for (let first = this.#parcels.first; first; first = this.#parcels.first) {
      if (this.#blocked || this.#stopped) return Number.POSITIVE_INFINITY;
      const turn = this.#released ? ALL : this.turn(first, this.context.runtime.now());
      if ("wait" in turn) return turn.wait;
      this.#pass(first, turn.take);
    }
    if (this.#finAt === undefined || this.#finished || this.#stopped) return Number.POSITIVE_INFINITY;
    const wait = this.#released ? 0 : this.finWait(this.#finAt, this.context.runtime.now());
    if (wait > 0) return wait;
    this.#finish();
    return Number.POSITIVE_INFINITY;
  }

  #pass({ bytes, at }: Parcel, count: number): void {
    if (count < bytes.length) this.#parcels.first = { bytes: bytes.subarray(count), at };
    else this.#parcels.shift();
    const going = bytes.subarray(0, count);
    this.#held -= going.length;
    this.#blocked = !this.next.write(going);
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    if (this.#broken) this.next.broke();
    else this.next.end();
  }
}

/** A queue. Shifting an array costs as much as the array is long under Node, and tiny reads make long ones. */
class Parcels {
  readonly #parcels: (Parcel | undefined)[] = [];
  #at = 0;

  get first(): Parcel | undefined {
    return this.#parcels[this.#at];
  }

  set first(parcel: Parcel) {
    this.#parcels[this.#at] = parcel;
  }

  push(parcel: Parcel): void {
    this.#parcels.push(parcel);
  }

  shift(): void {
    this.#parcels[this.#at++] = undefined;
    if (2 * this.#at < this.#parcels.length) return;
    this.#parcels.splice(0, this.#at);
    this.#at = 0;
  }
}
