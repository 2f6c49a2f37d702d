/** `redis`: RESP2, whose replies come in the order of the requests. */
import { Collector } from "../collector.ts";
import {
  BadMessage,
  type FailureKind,
  type FailureReply,
  type Protocol,
  type RequestReader,
  type RequestSink,
} from "../message.ts";
import { answerHere, redisError } from "./redis-commands.ts";
import { inlineToArray } from "./redis-inline.ts";
import { RedisReplies } from "./redis-replies.ts";
import { ARRAY, RedisRequestFramer } from "./redis-request.ts";
import { plainRequest } from "./whole.ts";

const FAILURES: Readonly<Record<FailureKind, FailureReply>> = {
  incomplete: { bytes: redisError("the rest of a command did not come in time"), last: true },
  timeout: { bytes: redisError("the target did not answer in time"), last: false },
  unreachable: { bytes: redisError("the target cannot be connected"), last: false },
  lost: { bytes: redisError("the connection to the target was lost"), last: false },
};

export const redis: Protocol = {
  summary: "Redis (RESP2); what a shared connection cannot do is refused with an error",
  example: "6379 127.0.0.1:6380",
  apologizes: true,
  requests: ({ maxMessage }) => new RedisRequests(maxMessage),
  replies: () => new RedisReplies(),
  keys: () => undefined,
  failure: (kind) => FAILURES[kind],
};

class RedisRequests implements RequestReader {
  readonly #messages: Collector;
  /** Nothing that follows is a request. */
  #over = false;

  constructor(max: number) {
    this.#messages = new Collector(new RedisRequestFramer(), max);
  }

  get waiting(): number {
    return this.#messages.waiting;
  }

  read(chunk: Uint8Array, sink: RequestSink): void {
    if (this.#over) return;
    try {
      this.#read(chunk, sink);
    } catch (error) {
      // The client is told what is wrong, as Redis does.
      if (error instanceof BadMessage && !error.reply) throw new BadMessage(error.message, redisError(error.message));
      throw error;
    }
  }

  #read(chunk: Uint8Array, sink: RequestSink): void {
    const messages = this.#messages;
    messages.put(chunk);
    for (let message = messages.next(); message; message = messages.next()) {
      this.#take(message, sink);
      if (this.#over) messages.clear();
    }
  }

  #take(message: Uint8Array, sink: RequestSink): void {
    const command = message[0] === ARRAY ? message : inlineToArray(message);
    if (!command || isEmpty(command)) return;
    const answer = answerHere(command);
    if (!answer) {
      sink.request(plainRequest(command));
      return;
    }
    this.#over = answer.last;
    sink.answer(answer.bytes, answer.last);
  }
}

const MINUS = 0x2d;
const ZERO = 0x30;

/** An array of nothing, or of less. Redis does not answer it: as a request it would take the reply of the next one. */
function isEmpty(array: Uint8Array): boolean {
  return array[1] === ZERO || array[1] === MINUS;
}
