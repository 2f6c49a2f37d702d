/** A service that is not there. */
import type { Timer } from "../../net/runtime.ts";
import { Step, type StepContext } from "../step.ts";
import type { FaultKind } from "./kind.ts";

export const DOWN: FaultKind<Readonly<Record<never, never>>> = {
  about: "The service is down: open connections are reset and new ones refused.",
  attributes: {},
  create: (_attributes, context) => new Down(context),
};

/** Resets the connection that it is in; whoever accepts connections has to refuse new ones. */
class Down extends Step {
  readonly #timer: Timer;

  constructor({ runtime, cut }: StepContext) {
    super();
    // Not at once: whoever makes the session is not done with that.
    this.#timer = runtime.after(0, () => cut("fault", "down"));
  }

  override stop(): void {
    this.#timer.cancel();
  }
}
