/** Readers for protocols whose messages are taken, and passed on, whole. */
import { Collector, type Framer } from "../collector.ts";
import {
  BadMessage,
  type Framing,
  type Protocol,
  type ReplyReader,
  type ReplySink,
  type RequestMessage,
  type RequestReader,
  type RequestSink,
} from "../message.ts";

/** What there is to say of a request, or what it is answered here; may throw {@link BadMessage}. */
export type Describe = (bytes: Uint8Array) => RequestMessage | Uint8Array;

/** Both readers of a protocol that frames requests and replies alike. */
export function wholeMessages(
  framer: (framing: Framing) => Framer,
  describe: (framing: Framing) => Describe = () => plainRequest,
): Pick<Protocol, "requests" | "replies"> {
  return {
    requests: (framing) => new WholeRequests(framer(framing), framing.maxMessage, describe(framing)),
    replies: (framing) => new WholeReplies(framer(framing), framing.maxMessage),
  };
}

/** A request of which nobody knows anything. */
export function plainRequest(bytes: Uint8Array): RequestMessage {
  return { bytes, idempotent: false, last: false, context: undefined };
}

class WholeRequests implements RequestReader {
  readonly #messages: Collector;
  readonly #describe: Describe;

  constructor(framer: Framer, max: number, describe: Describe) {
    this.#messages = new Collector(framer, max);
    this.#describe = describe;
  }

  get waiting(): number {
    return this.#messages.waiting;
  }

  read(chunk: Uint8Array, sink: RequestSink): void {
    const messages = this.#messages;
    messages.put(chunk);
    for (let message = messages.next(); message; message = messages.next()) {
      const described = this.#describe(message);
      if (described instanceof Uint8Array) sink.answer(described, false);
      else sink.request(described);
    }
  }
}

class WholeReplies implements ReplyReader {
  readonly #messages: Collector;

  /** `max`: bytes of a reply. */
  constructor(framer: Framer, max: number) {
    this.#messages = new Collector(framer, max);
  }

  get waiting(): number {
    return this.#messages.waiting;
  }

  read(chunk: Uint8Array, sink: ReplySink): void {
    const messages = this.#messages;
    messages.put(chunk);
    for (;;) {
      if (messages.begins && sink.unasked) throw new BadMessage("a reply that nobody has asked for");
      const message = messages.next();
      if (!message) return;
      sink.part(message);
      sink.done(false, false);
    }
  }

  /** Nothing is completed by a FIN. */
  end(): void {}
}
