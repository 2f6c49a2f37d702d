/** A line that passes everything on in small pieces. */
import { MAX_DURATION } from "../../config/units.ts";
import { Holder, type Parcel, type Turn } from "../holder.ts";
import type { StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"average_size" | "size_variation" | "delay", number>>;

const SIZE_MAX = Number.MAX_SAFE_INTEGER;

export const SLICER: FaultKind<Attributes> = {
  about: "Cuts what comes into small pieces, which are written one by one, with a pause between them.",
  attributes: {
    average_size: { unit: "bytes", default: undefined, least: 1, most: SIZE_MAX, about: "The size of a piece." },
    size_variation: {
      unit: "bytes",
      default: 0,
      least: 0,
      most: SIZE_MAX,
      about: "How far that may vary; less than average_size.",
    },
    delay: { unit: "us", default: 0, least: 0, most: MAX_DURATION * 1_000, about: "The pause after each piece." },
  },
  create: (attributes, context) => new Slicer(attributes, context),
};

/** Each write is cut on its own: what is left of it in the end makes a shorter piece. */
class Slicer extends Holder {
  readonly #size: number;
  readonly #variation: number;
  /** Milliseconds. */
  readonly #delay: number;
  /**
   * When the next piece may go. Timers are late, and count milliseconds while pauses are of microseconds: it counts on
   * from here and not from when the last piece went, so that pauses are right on average.
   */
  #due = 0;

  constructor({ average_size: size, size_variation: variation, delay }: Attributes, context: StepContext) {
    super(context);
    this.#size = size;
    this.#variation = variation;
    this.#delay = delay / 1_000;
  }

  protected override turn({ at, bytes }: Parcel, now: number): Turn {
    if (this.#due > now) return { wait: this.#due - now };
    this.#due = Math.max(this.#due, at) + this.#delay;
    return { take: Math.min(this.#piece(), bytes.length) };
  }

  /** While the next one was full no pause went by. */
  override drain(): void {
    this.#due = Math.max(this.#due, this.context.runtime.now());
    super.drain();
  }

  #piece(): number {
    if (this.#variation === 0) return this.#size;
    const off = Math.floor(this.context.random() * (2 * this.#variation + 1)) - this.#variation;
    return Math.max(1, this.#size + off);
  }
}
