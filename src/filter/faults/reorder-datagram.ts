/** A network in which a datagram overtakes another. */
import { MAX_DURATION } from "../../config/units.ts";
import type { Chunk, Timer } from "../../net/runtime.ts";
import { type DatagramContext, type DatagramFaultKind, type DatagramStep, PROBABILITY } from "./kind.ts";

type Attributes = Readonly<Record<"probability" | "latency", number>>;

export const REORDER_DATAGRAM: DatagramFaultKind<Attributes> = {
  about: "Sends a datagram behind the next one, each with this probability; without a next one after latency.",
  attributes: {
    probability: PROBABILITY,
    latency: { unit: "ms", default: 100, least: 1, most: MAX_DURATION, about: "How long it waits for the next one." },
  },
  join: (attributes, context) => new Reorder(attributes, context),
};

class Reorder implements DatagramStep {
  readonly #attributes: Attributes;
  readonly #context: DatagramContext;
  #held: Uint8Array | undefined;
  #timer: Timer | undefined;

  constructor(attributes: Attributes, context: DatagramContext) {
    this.#attributes = attributes;
    this.#context = context;
  }

  pass(chunk: Chunk): void {
    const { runtime, random, next } = this.#context;
    const { probability, latency } = this.#attributes;
    if (this.#held || random() >= probability) {
      next(chunk);
      this.release();
      return;
    }
    this.#held = chunk.slice();
    this.#timer = runtime.after(latency, () => this.release());
  }

  release(): void {
    const held = this.#held;
    this.#held = undefined;
    this.#timer?.cancel();
    if (held) this.#context.next(held);
  }

  stop(): void {
    this.#timer?.cancel();
    if (this.#held) this.#context.lost();
    this.#held = undefined;
  }
}
