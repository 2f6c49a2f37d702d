/** Messages that are lost. */
import type { FaultContext, FaultKind } from "./kind.ts";
import { Messages } from "./messages.ts";
import { type MessageAttributes, WHICH_MESSAGE } from "./which-message.ts";

export const DROP_MESSAGE: FaultKind<MessageAttributes> = {
  about: "Lets whole messages disappear: those that fit all that is said of them.",
  attributes: WHICH_MESSAGE,
  create: (attributes, context: FaultContext) => new DropMessage(attributes, context),
};

class DropMessage extends Messages {
  protected override hit(): void {}
}
