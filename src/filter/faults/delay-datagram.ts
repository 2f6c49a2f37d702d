/** A long way for datagrams. */
import { MAX_DURATION } from "../../config/units.ts";
import type { Chunk, Timer } from "../../net/runtime.ts";
import type { DatagramContext, DatagramFaultKind, DatagramStep } from "./kind.ts";

type Attributes = Readonly<Record<"latency" | "jitter", number>>;

export const DELAY_DATAGRAM: DatagramFaultKind<Attributes> = {
  about:
    "Delays each datagram by latency, give or take jitter, which may let it overtake others; 16 MiB are on their way.",
  attributes: {
    latency: { unit: "ms", default: undefined, least: 0, most: MAX_DURATION, about: "The delay." },
    jitter: { unit: "ms", default: 0, least: 0, most: MAX_DURATION, about: "How far it may be from latency." },
  },
  join: (attributes, context) => new Delay(attributes, context),
};

/** Bytes in one direction of a session; what comes on top is lost. */
const ON_THEIR_WAY = 16 * 1_024 * 1_024;

class Delay implements DatagramStep {
  readonly #attributes: Attributes;
  readonly #context: DatagramContext;
  readonly #held = new Map<Uint8Array, Timer>();
  #bytes = 0;

  constructor(attributes: Attributes, context: DatagramContext) {
    this.#attributes = attributes;
    this.#context = context;
  }

  pass(chunk: Chunk): void {
    const { runtime, random, next, lost } = this.#context;
    const { latency, jitter } = this.#attributes;
    const delay = jitter === 0 ? latency : latency + (2 * random() - 1) * jitter;
    if (delay <= 0) next(chunk);
    else if (this.#bytes + chunk.length > ON_THEIR_WAY) lost();
    else {
      const held = chunk.slice();
      this.#bytes += held.length;
      const timer = runtime.after(delay, () => {
        this.#held.delete(held);
        this.#bytes -= held.length;
        next(held);
      });
      this.#held.set(held, timer);
    }
  }

  release(): void {
    for (const held of this.#clear()) this.#context.next(held);
  }

  stop(): void {
    for (const _ of this.#clear()) this.#context.lost();
  }

  #clear(): readonly Uint8Array[] {
    const all = [...this.#held.keys()];
    for (const timer of this.#held.values()) timer.cancel();
    this.#held.clear();
    this.#bytes = 0;
    return all;
  }
}
