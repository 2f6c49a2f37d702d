/** A side that resets the connection. */
import { MAX_DURATION } from "../../config/units.ts";
import type { Chunk, Timer } from "../../net/runtime.ts";
import { Holder, type Turn } from "../holder.ts";
import type { StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

type Attributes = Readonly<Record<"timeout", number>>;

export const RESET_PEER: FaultKind<Attributes> = {
  about: "Holds back the first bytes that come, or the FIN, and resets both sides (RST) timeout later.",
  attributes: {
    timeout: { unit: "ms", default: 0, least: 0, most: MAX_DURATION, about: "Time from then to the reset." },
  },
  create: (attributes, context) => new ResetPeer(attributes, context),
};

/** Time runs from the first that comes its way, as in Toxiproxy: a connection on which nothing happens lives on. */
class ResetPeer extends Holder {
  readonly #timeout: number;
  #timer: Timer | undefined;

  constructor({ timeout }: Attributes, context: StepContext) {
    super(context);
    this.#timeout = timeout;
  }

  override write(chunk: Chunk): boolean {
    this.#begin();
    return super.write(chunk);
  }

  override end(): void {
    this.#begin();
    super.end();
  }

  protected override turn(): Turn {
    return { wait: Number.POSITIVE_INFINITY };
  }

  protected override finWait(): number {
    return Number.POSITIVE_INFINITY;
  }

  override stop(): void {
    this.#timer?.cancel();
    super.stop();
  }

  #begin(): void {
    this.#timer ??= this.context.runtime.after(this.#timeout, () => this.context.cut("fault", "reset"));
  }
}
