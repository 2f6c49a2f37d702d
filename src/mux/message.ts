/** Messages of a protocol: what the multiplexer cuts client and target streams into. */

/** What came is no message, or one that a shared connection must not see. */
export class BadMessage extends Error {
  override readonly name = "BadMessage";
  /** What the client is told in the words of its protocol before it is closed; undefined: it is closed at once. */
  readonly reply: Uint8Array | undefined;

  /** `why`: in few words, such as "a length of 0"; it ends up in logs and records. */
  constructor(why: string, reply?: Uint8Array) {
    super(why);
    this.reply = reply;
  }
}

/** A request, whole. */
export interface RequestMessage {
  /** As it goes to the target. On loan: valid until the call returns that hands it over. */
  readonly bytes: Uint8Array;
  /** To be asked twice does no harm (RFC 9110, 9.2.2): it may go out again if the connection dies before a reply. */
  readonly idempotent: boolean;
  /** No request of this client follows, and its connection ends behind the reply. */
  readonly last: boolean;
  /** What the reader of replies, and {@link Protocol.failure}, have to know of it; each protocol has its own. */
  readonly context: unknown;
}

/** Takes what a client's bytes turn out to be. */
export interface RequestSink {
  request(message: RequestMessage): void;
  /**
   * A request that is answered here, in its turn among the replies of this client, and does not go to the target. On
   * loan. `last`: no request of this client follows, and its connection ends behind the answer.
   */
  answer(bytes: Uint8Array, last: boolean): void;
  /** Bytes that the client waits for before it sends the rest of a message. On loan. */
  interim(bytes: Uint8Array): void;
}

/** Cuts the bytes of one client into requests. What belongs to the next message stays with it until more comes. */
export interface RequestReader {
  /**
   * Bytes as they come, cut anywhere; on loan.
   *
   * @throws {BadMessage} Behind the requests that were good. It is not to be used any more.
   */
  read(chunk: Uint8Array, sink: RequestSink): void;
  /** Bytes of a message that is not complete. */
  readonly waiting: number;
}

/** Takes what a target's bytes turn out to be. */
export interface ReplySink {
  /** The {@link RequestMessage.context} of the request that is to be answered next, where replies come in order. */
  readonly context: unknown;
  /** A reply has begun and nobody has asked for it: whatever came is out of step. Only where replies come in order. */
  readonly unasked: boolean;
  /**
   * A piece of the reply as it goes to the client; on loan until the target's next bytes. Where replies are matched by
   * keys it is all of it.
   */
  part(bytes: Uint8Array): void;
  /** The reply is complete. `last`: the client's connection ends behind it. `spent`: the target's connection does. */
  done(last: boolean, spent: boolean): void;
}

/** Cuts the bytes of one target connection into replies. */
export interface ReplyReader {
  /** @throws {BadMessage} It is not to be used any more. */
  read(chunk: Uint8Array, sink: ReplySink): void;
  /** The target's FIN. It may complete a reply. */
  end(sink: ReplySink): void;
  /** Bytes of a reply that is not complete, of which nothing was given to the sink. */
  readonly waiting: number;
}

/** Why a request gets no reply of the target. */
export type FailureKind =
  /** The rest of it did not come in time; there is no context. */
  | "incomplete"
  /** It did not answer in time. */
  | "timeout"
  /** It cannot be connected. */
  | "unreachable"
  /** The connection ended, or what came over it made no sense. */
  | "lost";

/** The answer to a request that gets none of the target, in the words of the protocol. */
export interface FailureReply {
  readonly bytes: Uint8Array;
  /** The client's connection ends behind it. */
  readonly last: boolean;
}

/** How replies find who asked, where that is not their order. Requests and replies are whole. */
export interface Keys {
  /**
   * A number that is put into each request, and that its reply brings back: from 0 to this, without gaps. 0: there is
   * none, and what the client has put there is the key.
   */
  readonly ids: number;
  /** What tells a request from others that are under way on the same connection. */
  ofRequest(bytes: Uint8Array): string | number;
  /** The same of a reply; undefined: it answers nothing. */
  ofReply(bytes: Uint8Array): string | number | undefined;
  /**
   * Whether a reply with the key of a request may be the answer to it, by all else that both of them say. Without this:
   * it always may.
   */
  answers?(context: unknown, bytes: Uint8Array): boolean;
  /** Puts another key into a message; only where there are {@link Keys.ids}. */
  stamp(bytes: Uint8Array, key: string | number): void;
}

/** What a protocol can be told. */
export interface Framing {
  /** Bytes of a message at most; of an HTTP reply, of its head alone. Those of Redis are of any size. */
  readonly maxMessage: number;
  /** What ends a message of `echo`, each character one byte. */
  readonly delimiter: string;
  /** Of `length`. */
  readonly length: LengthField;
  /** How replies are matched, where the protocol leaves a choice. */
  readonly match: (typeof MATCHES)[number];
}

export const MATCHES = ["order", "stan"] as const;

/** A number in front of, or inside of, a message that says how long it is. */
export interface LengthField {
  /** Bytes before it. */
  readonly offset: number;
  /** Its own bytes: 1, 2, 3, 4 or 8. */
  readonly width: number;
  readonly byteOrder: "big" | "little";
  /** What is added to it. */
  readonly adjust: number;
  /** What it counts: all bytes of the message, or those behind the field. */
  readonly includes: "all" | "rest";
}

/** A protocol, as one row of the table of them. */
export interface Protocol {
  /** How its messages are cut, in one line. */
  readonly summary: string;
  /** Arguments of `weir mux`, behind the protocol. */
  readonly example: string;
  requests(framing: Framing): RequestReader;
  replies(framing: Framing): ReplyReader;
  /** Undefined: replies come in the order of the requests. */
  keys(framing: Framing): Keys | undefined;
  /**
   * A target may say with a reply that its connection ends behind it (RFC 9112, 9.6). It answers nothing that was sent
   * behind that request, and what may be repeated of it goes out again, however often it did before.
   */
  readonly announcesEnd?: true;
  /** Nothing is sent behind a request that may not be repeated, and none behind another (RFC 9112, 9.3.2). */
  readonly cautious?: true;
  /** There is a {@link failure} for a target that cannot be connected. */
  readonly apologizes?: true;
  /** What a client is told that gets no reply; undefined: nothing, its connection is closed. */
  failure(kind: FailureKind, context: unknown): FailureReply | undefined;
}
