/** A side whose FIN is long in coming. */
import { MAX_DURATION } from "../../config/units.ts";
import type { Timer } from "../../net/runtime.ts";
import { Step, type StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"delay", number>>;

export const SLOW_CLOSE: FaultKind<Attributes> = {
  about: "Delays the FIN, and no bytes.",
  attributes: {
    delay: { unit: "ms", default: undefined, least: 0, most: MAX_DURATION, about: "How long the FIN waits." },
  },
  create: (attributes, context) => new SlowClose(attributes, context),
};

class SlowClose extends Step {
  readonly #runtime: StepContext["runtime"];
  readonly #delay: number;
  /** There is one as soon as the FIN has come. */
  #timer: Timer | undefined;
  #finished = false;

  constructor({ delay }: Attributes, { runtime }: StepContext) {
    super();
    this.#runtime = runtime;
    this.#delay = delay;
  }

  override end(): void {
    this.#timer ??= this.#runtime.after(this.#delay, () => this.#finish());
  }

  override release(done: () => void): void {
    if (this.#timer) this.#finish();
    done();
  }

  override stop(): void {
    this.#timer?.cancel();
  }

  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.next.end();
  }
}
