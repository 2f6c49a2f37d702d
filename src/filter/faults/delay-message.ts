/** Messages that take longer than others. */
import { MAX_DURATION } from "../../config/units.ts";
import { Fifo } from "../../mux/fifo.ts";
import type { Chunk } from "../../net/runtime.ts";
import type { Parcel, Turn } from "../holder.ts";
import type { FaultContext, FaultKind } from "./kind.ts";
import { Messages } from "./messages.ts";
import { type MessageAttributes, WHICH_MESSAGE } from "./which-message.ts";

type Attributes = MessageAttributes & Readonly<Record<"latency", number>>;

export const DELAY_MESSAGE: FaultKind<Attributes> = {
  about: "Delays whole messages, those that fit all that is said of them, and what is behind them.",
  attributes: {
    latency: { unit: "ms", default: undefined, least: 0, most: MAX_DURATION, about: "The delay, once it is complete." },
    ...WHICH_MESSAGE,
  },
  create: (attributes, context: FaultContext) => new DelayMessage(attributes, context),
};

/** A delayed message among all bytes: where it begins and ends. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

const NONE: Stretch = { from: Number.POSITIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/** What would overtake a message waits for it, so that order is kept, and goes at once when that has gone. */
class DelayMessage extends Messages {
  readonly #latency: number;
  readonly #delayed = new Fifo<Stretch>();
  /** Bytes that have been cut. */
  #cut = 0;
  /** Bytes that have gone on. */
  #gone = 0;

  constructor(attributes: Attributes, context: FaultContext) {
    super(attributes, context);
    this.#latency = attributes.latency;
  }

  protected override pass(bytes: Chunk): void {
    this.#cut += bytes.length;
    super.pass(bytes);
  }

  protected override hit(message: Chunk): void {
    this.#delayed.push({ from: this.#cut, to: this.#cut + message.length });
    this.pass(message);
  }

  protected override turn({ at, bytes }: Parcel, now: number): Turn {
    const { from, to } = this.#delayed.first ?? NONE;
    const begun = this.#gone >= from;
    const due = at + this.#latency;
    if (begun && due > now) return { wait: due - now };
    const take = Math.min(bytes.length, (begun ? to : from) - this.#gone);
    this.#gone += take;
    if (this.#gone === to) this.#delayed.shift();
    return { take };
  }
}
