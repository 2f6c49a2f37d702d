/** A request on its way: in its client's queue, or on a connection, and always in the list of deadlines. */
import type { Link } from "./chain.ts";
import type { MuxClient } from "./client.ts";
import type { Line } from "./line.ts";
import type { RequestMessage } from "./message.ts";
import type { Outcome } from "./outcome.ts";

export class Request implements Link<Request> {
  /** Once it is gone nobody waits for the reply, which comes all the same. */
  readonly client: MuxClient;
  /** A copy, as long as it has to be sent, perhaps again. */
  bytes: Uint8Array | undefined;
  /** How many. */
  readonly length: number;
  readonly idempotent: boolean;
  readonly last: boolean;
  readonly context: unknown;
  /** What the client has called it, where replies are matched by keys. */
  key: string | number = 0;
  /** What it is called on its connection. */
  sentKey: string | number = 0;
  /** Milliseconds of `Runtime.now`. */
  readonly queuedAt: number;
  sentAt = 0;
  deadline = 0;
  /** How often it was sent. */
  tries = 0;
  /** The client was told that there is no reply, and one may come all the same. */
  givenUp = false;
  /** The client did not take what came of the reply at some time. */
  clogged = false;
  /** The client has got a part of the reply. */
  begun = false;
  /** The connection on which it is under way. */
  line: Line | undefined;
  /** It does not go to the target (any more): the client gets this in its turn. */
  outcome: Outcome | undefined;
  chain: Link<Request>["chain"];
  before: Request | undefined;
  after: Request | undefined;

  constructor(client: MuxClient, now: number, message?: RequestMessage) {
    this.client = client;
    this.queuedAt = now;
    this.length = message?.bytes.length ?? 0;
    this.idempotent = message?.idempotent ?? false;
    this.last = message?.last ?? false;
    this.context = message?.context;
  }
}
