/** Replies in weir's own words: to requests that it refuses, and to those that get no reply of the target. */
import { BadMessage, type FailureKind, type FailureReply } from "../message.ts";
import { ascii } from "./http-bytes.ts";

const REASONS = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  414: "URI Too Long",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
} as const;

type Status = keyof typeof REASONS;

/** What is wrong with a message. `why` holds nothing of it: it goes to the client, and into logs. */
export type Complaint = (why: string, status?: Status) => BadMessage;

/** What a reply has to know of its request. Frozen, and there are but eight of them. */
export interface HttpContext {
  /** Its reply has no body (RFC 9110, 9.3.2). */
  readonly head: boolean;
  /** It came from a client that knows neither chunks nor interim replies. */
  readonly version10: boolean;
  /** No other follows: the client's connection ends behind the reply. */
  readonly close: boolean;
}

const CONTEXTS: readonly HttpContext[] = Array.from({ length: 8 }, (_, bits) =>
  Object.freeze({ head: (bits & 1) !== 0, version10: (bits & 2) !== 0, close: (bits & 4) !== 0 }),
);

export function contextOf(head: boolean, version10: boolean, close: boolean): HttpContext {
  return CONTEXTS[(head ? 1 : 0) | (version10 ? 2 : 0) | (close ? 4 : 0)] as HttpContext;
}

/** Behind a refused request nothing is read: where the next one begins is what cannot be known. */
export const refused: Complaint = (why, status = 400) =>
  new BadMessage(why, ownReply(status, `weir does not pass this request on: ${why}`, CONTEXTS[4] as HttpContext));

/** A target's reply that a shared connection must not go on with; what its client is told says {@link failure}. */
export const outOfStep: Complaint = (why) => new BadMessage(why);

const FAILURES = {
  incomplete: [408, "weir: the rest of the request did not come in time"],
  timeout: [504, "weir: the target did not answer in time"],
  unreachable: [503, "weir: the target cannot be reached"],
  lost: [502, "weir: the connection to the target broke, or its reply made no sense"],
} as const satisfies Record<FailureKind, readonly [Status, string]>;

/** The client may go on asking, if it wanted to: its own connection is as good as before. */
export function failure(kind: FailureKind, context = CONTEXTS[4] as HttpContext): FailureReply {
  const [status, text] = FAILURES[kind];
  return { bytes: ownReply(status, text, context), last: context.close };
}

function ownReply(status: Status, text: string, { head, version10, close }: HttpContext): Uint8Array {
  const connection = close ? "Connection: close\r\n" : version10 ? "Connection: keep-alive\r\n" : "";
  // `text` and what is added to it are ASCII.
  return ascii(
    `HTTP/1.1 ${status} ${REASONS[status]}\r\nContent-Type: text/plain\r\nContent-Length: ${text.length + 1}\r\n` +
      `${connection}\r\n${head ? "" : `${text}\n`}`,
  );
}
