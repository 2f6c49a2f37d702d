/** A long way between the two sides. */
import { MAX_DURATION } from "../../config/units.ts";
import { Holder, type Parcel, type Turn } from "../holder.ts";
import type { StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"latency" | "jitter", number>>;

export const LATENCY: FaultKind<Attributes> = {
  about: "Delays all bytes, and the FIN, by latency, give or take jitter; 16 MiB may be on their way at once.",
  attributes: {
    latency: { unit: "ms", default: undefined, least: 0, most: MAX_DURATION, about: "The delay." },
    jitter: { unit: "ms", default: 0, least: 0, most: MAX_DURATION, about: "How far it may be from latency." },
  },
  create: (attributes, context) => new Latency(attributes, context),
};

/** Bytes. A long way holds many: with less, a delay would be a limit of bandwidth as well. */
const ON_THEIR_WAY = 16 * 1_024 * 1_024;

/** Each write gets a delay of its own, from when it came; what would overtake another waits for it. */
class Latency extends Holder {
  readonly #latency: number;
  readonly #jitter: number;
  /** When the first of what is held may go, be it bytes or the FIN. */
  #due: number | undefined;

  constructor({ latency, jitter }: Attributes, context: StepContext) {
    super(context, Math.max(context.buffer, ON_THEIR_WAY));
    this.#latency = latency;
    this.#jitter = jitter;
  }

  protected override turn({ at, bytes }: Parcel, now: number): Turn {
    const wait = this.#wait(at, now);
    if (wait > 0) return { wait };
    this.#due = undefined;
    return { take: bytes.length };
  }

  protected override finWait(since: number, now: number): number {
    return this.#wait(since, now);
  }

  #wait(since: number, now: number): number {
    this.#due ??= since + this.#delay();
    return this.#due - now;
  }

  /** Milliseconds; less than 0 is as good as 0. */
  #delay(): number {
    if (this.#jitter === 0) return this.#latency;
    return this.#latency + (2 * this.context.random() - 1) * this.#jitter;
  }
}
