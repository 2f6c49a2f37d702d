/** Reads streams as the multiplexer does, and tells what came of it. */
import fc from "fast-check";
import { BadMessage, type Framing, type Protocol, type ReplySink } from "../../src/mux/message.ts";
import { MUX } from "../../src/mux/mux-config.ts";

export const FRAMING: Framing = MUX;

export interface Reading {
  /** Of each message what goes on, each byte a character; of an answer that is given here, behind a "<". */
  readonly messages: readonly string[];
  /** Why there are no more of them, and what the client is told. */
  readonly error: string | undefined;
  readonly reply: string | undefined;
  readonly waiting: number;
  /** Of what waited after each chunk. */
  readonly mostWaiting: number;
  readonly contexts: readonly unknown[];
  readonly idempotent: readonly boolean[];
  /** The last one was the last. */
  readonly last: boolean;
}

const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

export function readRequests(protocol: Protocol, framing: Framing, chunks: readonly Uint8Array[]): Reading {
  const reader = protocol.requests(framing);
  const messages: string[] = [];
  const contexts: unknown[] = [];
  const idempotent: boolean[] = [];
  let last = false;
  const sink = {
    request(message: { bytes: Uint8Array; idempotent: boolean; last: boolean; context: unknown }) {
      messages.push(latin1(message.bytes));
      contexts.push(message.context);
      idempotent.push(message.idempotent);
      last = message.last;
    },
    answer(bytes: Uint8Array, isLast: boolean) {
      messages.push(`<${latin1(bytes)}`);
      last = isLast;
    },
    interim() {},
  };
  const fed = feed(chunks, reader, (chunk) => reader.read(chunk, sink));
  return { messages, contexts, idempotent, last, ...fed };
}

/** `asked`: how many replies there are to be at most; `context`: of each of the requests. */
export function readReplies(
  protocol: Protocol,
  framing: Framing,
  chunks: readonly Uint8Array[],
  asked = Number.POSITIVE_INFINITY,
  context?: unknown,
): Reading {
  const reader = protocol.replies(framing);
  const messages: string[] = [];
  // What comes out is looked at when `read` has returned: the multiplexer delivers it only then.
  const seen: (Uint8Array | undefined)[] = [];
  let text = "";
  let left = asked;
  const sink: ReplySink = {
    context,
    get unasked() {
      return left === 0;
    },
    part(bytes) {
      seen.push(bytes);
    },
    done() {
      seen.push(undefined);
      left--;
    },
  };
  const look = () => {
    for (const bytes of seen) {
      if (bytes) text += latin1(bytes);
      else {
        messages.push(text);
        text = "";
      }
    }
    seen.length = 0;
  };
  const fed = feed(chunks, reader, (chunk) => {
    try {
      reader.read(chunk, sink);
    } finally {
      look();
    }
  });
  return { messages, contexts: [], idempotent: [], last: false, ...fed };
}

function feed(
  chunks: readonly Uint8Array[],
  reader: { readonly waiting: number },
  read: (chunk: Uint8Array) => void,
): Pick<Reading, "error" | "reply" | "waiting" | "mostWaiting"> {
  let mostWaiting = 0;
  let error: BadMessage | undefined;
  try {
    for (const chunk of chunks) {
      const loan = chunk.slice();
      read(loan);
      loan.fill(0xdb);
      mostWaiting = Math.max(mostWaiting, reader.waiting);
    }
  } catch (thrown) {
    if (!(thrown instanceof BadMessage)) throw thrown;
    error = thrown;
  }
  const reply = error?.reply && latin1(error.reply);
  return { error: error?.message, reply, waiting: reader.waiting, mostWaiting };
}

/** Sizes of chunks; what is left is one more. */
export const cuts = (max = 40) => fc.array(fc.integer({ min: 1, max }), { maxLength: 60 });

export function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    if (at >= bytes.length) return chunks;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  chunks.push(bytes.subarray(at));
  return chunks;
}

export const byteByByte = (bytes: Uint8Array) => cut(bytes, new Array(Math.max(0, bytes.length - 1)).fill(1));
