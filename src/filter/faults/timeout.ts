/** A side that falls silent, with whoever gives up on it. */
import { MAX_DURATION } from "../../config/units.ts";
import type { Timer } from "../../net/runtime.ts";
import { Holder, type Turn } from "../holder.ts";
import type { StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"timeout", number>>;

export const TIMEOUT: FaultKind<Attributes> = {
  about: "Lets nothing through, and closes the connection after timeout; with 0 it stays open.",
  attributes: {
    timeout: { unit: "ms", default: undefined, least: 0, most: MAX_DURATION, about: "Time until it is closed." },
  },
  create: (attributes, context) => new Timeout(attributes, context),
};

/**
 * Toxiproxy drops what comes, and closes the connection when the fault is taken away. Here whoever sends is held back,
 * and gets through once the fault is gone.
 */
class Timeout extends Holder {
  readonly #timer: Timer | undefined;
  #closed = false;

  constructor({ timeout }: Attributes, context: StepContext) {
    super(context);
    if (timeout > 0) this.#timer = context.runtime.after(timeout, () => this.#close(timeout));
  }

  protected override turn(): Turn {
    return { wait: Number.POSITIVE_INFINITY };
  }

  protected override finWait(): number {
    return Number.POSITIVE_INFINITY;
  }

  override release(done: () => void): void {
    this.#timer?.cancel();
    // What is behind this step has had its FIN.
    if (this.#closed) done();
    else super.release(done);
  }

  override stop(): void {
    this.#timer?.cancel();
    super.stop();
  }

  #close(timeout: number): void {
    this.#closed = true;
    this.context.close("fault", `closed after ${timeout} ms`);
  }
}
