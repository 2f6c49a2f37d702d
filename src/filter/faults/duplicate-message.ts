/** Messages that arrive twice. */
import type { Chunk } from "../../net/runtime.ts";
import type { FaultContext, FaultKind } from "./kind.ts";
import { Messages } from "./messages.ts";
import { type MessageAttributes, WHICH_MESSAGE } from "./which-message.ts";

export const DUPLICATE_MESSAGE: FaultKind<MessageAttributes> = {
  about: "Passes whole messages on twice: those that fit all that is said of them.",
  attributes: WHICH_MESSAGE,
  create: (attributes, context: FaultContext) => new DuplicateMessage(attributes, context),
};

class DuplicateMessage extends Messages {
  protected override hit(message: Chunk): void {
    this.pass(message);
    this.pass(message);
  }
}
