/** A slow line. */
import { Holder, type Parcel, type Turn } from "../holder.ts";
import type { StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"rate", number>>;

export const BANDWIDTH: FaultKind<Attributes> = {
  about: "Lets so many bytes through in a second; with a rate of 0 none, as if the line were cut.",
  attributes: {
    rate: { unit: "KB/s", default: undefined, least: 0, most: 1_000_000_000, about: "The most that passes." },
  },
  create: (attributes, context) => new Bandwidth(attributes, context),
};

/** Milliseconds' worth of bytes that leave at once at most: a slow line trickles. */
const TRICKLE = 20;
/** Bytes. */
const HELD_MAX = 16 * 1_024 * 1_024;

/** A line that sends one byte after the other: what it takes leaves when the last byte of that has been sent. */
class Bandwidth extends Holder {
  /** Bytes per millisecond. */
  readonly #rate: number;
  /** When the line has sent all that it has taken. It counts on from here, so that late timers add up to nothing. */
  #free = 0;
  /** When it has sent the first of what waits. */
  #due = 0;

  constructor({ rate }: Attributes, context: StepContext) {
    // Timers count milliseconds: a fast line needs enough for the next one.
    super(context, Math.max(context.buffer, Math.min(rate * TRICKLE, HELD_MAX)));
    this.#rate = rate;
  }

  protected override turn({ at, bytes }: Parcel, now: number): Turn {
    const take = Math.min(bytes.length, Math.max(1, Math.floor(this.#rate * TRICKLE)));
    // Infinite with a rate of 0.
    this.#due = Math.max(this.#free, at) + take / this.#rate;
    if (this.#due > now) return { wait: this.#due - now };
    this.#free = this.#due;
    return { take };
  }

  /** While the next one was full the line stood still: it has nothing to catch up on. */
  override drain(): void {
    const now = this.context.runtime.now();
    if (this.#due < now) this.#free = now;
    super.drain();
  }
}
