/** What a client gets in the place of a target's reply. */
import { formatDuration } from "../config/units.ts";
import type { Reason } from "../metrics/reason.ts";
import type { FailureKind, Protocol } from "./message.ts";
import type { MuxConfig } from "./mux-config.ts";

export interface Outcome {
  readonly bytes?: Uint8Array | undefined;
  /** Its connection ends behind that. */
  readonly last: boolean;
  /** Why, if it does not end as it wished. */
  readonly reason?: Reason;
  /** The same in words, for its record. */
  readonly rule?: string;
  /** It is reset: it must not take what it has for complete. */
  readonly reset?: boolean;
}

/** The target has broken off: what there is of a reply must not be taken for complete. */
export const BROKEN: Outcome = { last: true, reset: true };

/** The client has not taken what there is of a reply, and others wait behind it. */
export function notTaken({ timeout }: Pick<MuxConfig, "timeout">): Outcome {
  const rule = `the client did not take its reply within ${formatDuration(timeout)}`;
  return { last: true, reset: true, reason: "request_timeout", rule };
}

/** The protocol's words for it, or the end of the client's connection. */
export function outcomeOf(
  kind: FailureKind,
  { failure }: Pick<Protocol, "failure">,
  { timeout }: Pick<MuxConfig, "timeout">,
  request: { readonly context: unknown; readonly last: boolean },
): Outcome {
  const reply = failure(kind, request.context);
  if (reply) return { ...reply, last: reply.last || request.last };
  if (kind === "lost") return BROKEN;
  return { last: true, reason: "request_timeout", rule: `timeout ${formatDuration(timeout)}` };
}
