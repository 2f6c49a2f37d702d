/** Readers of HTTP in tests: fed in pieces, with everything that they have said written down. */
import { expect } from "bun:test";
import { http } from "../../src/mux/framers/http.ts";
import type { HttpContext } from "../../src/mux/framers/http-own.ts";
import {
  BadMessage,
  type Framing,
  type ReplyReader,
  type ReplySink,
  type RequestMessage,
  type RequestReader,
  type RequestSink,
} from "../../src/mux/message.ts";
import { latin1, latin1Bytes } from "../../src/net/latin1.ts";

const MAX_MESSAGE = 1_048_576;

function framing(maxMessage = MAX_MESSAGE): Framing {
  const length = { offset: 0, width: 2, byteOrder: "big", adjust: 0, includes: "rest" } as const;
  return { maxMessage, delimiter: "\n", length, match: "order" };
}

/** Lines as they are sent, and an empty one behind them. */
export function lines(...of: readonly string[]): string {
  return `${of.join("\r\n")}\r\n\r\n`;
}

/** Every byte on its own. */
export function singly(text: string): string[] {
  return Array.from(text);
}

/** What is sent in two parts, cut at every place. */
export function* halves(text: string): Generator<[string, string]> {
  for (let at = 1; at < text.length; at++) yield [text.slice(0, at), text.slice(at)];
}

export interface Heard {
  readonly text: string;
  readonly idempotent: boolean;
  readonly last: boolean;
  readonly context: HttpContext;
}

/** A client. */
export class Asking implements RequestSink {
  readonly requests: Heard[] = [];
  readonly interims: string[] = [];
  readonly refusals: BadMessage[] = [];
  /** Chunks that came out as they went in. */
  uncopied = 0;
  readonly reader: RequestReader;
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(maxMessage?: number) {
    this.reader = http.requests(framing(maxMessage));
  }

  send(...pieces: readonly string[]): this {
    for (const piece of pieces) {
      if (this.refusals.length > 0) break;
      this.#chunk = latin1Bytes(piece);
      try {
        this.reader.read(this.#chunk, this);
      } catch (thrown) {
        if (!(thrown instanceof BadMessage)) throw thrown;
        this.refusals.push(thrown);
      }
      // It was on loan.
      this.#chunk.fill(0x58);
    }
    return this;
  }

  request({ bytes, idempotent, last, context }: RequestMessage): void {
    if (bytes.buffer === this.#chunk.buffer) this.uncopied++;
    this.requests.push({ text: latin1(bytes), idempotent, last, context: context as HttpContext });
  }

  answer(): void {
    throw new Error("an answer to HTTP");
  }

  interim(bytes: Uint8Array): void {
    this.interims.push(latin1(bytes));
  }

  get texts(): string[] {
    return this.requests.map(({ text }) => text);
  }

  /** Of the reply to a request that was refused; 0: none was. */
  get status(): number {
    const [first] = this.refusals;
    if (!first) return 0;
    const reply = latin1(first.reply ?? new Uint8Array(0));
    const [, status, length, body] =
      /^HTTP\/1\.1 (\d{3}) [A-Z][A-Za-z ]+\r\nContent-Type: text\/plain\r\nContent-Length: (\d+)\r\nConnection: close\r\n\r\n(.*\n)$/.exec(
        reply,
      ) ?? [];
    if (body === undefined || body.length !== Number(length) || !body.includes(first.message))
      throw new Error(`not a whole reply: ${JSON.stringify(reply)}`);
    return Number(status);
  }
}

export const PLAIN: HttpContext = { head: false, version10: false, close: false };

/** A target's connection, with requests that wait for replies. */
export class Answering implements ReplySink {
  /** What was told, in order; parts that follow each other are joined. */
  readonly replies: { text: string; last: boolean; spent: boolean }[] = [];
  /** Of a reply that is not done. */
  text = "";
  parts = 0;
  uncopied = 0;
  broken: string | undefined;
  readonly reader: ReplyReader;
  readonly #contexts: HttpContext[];
  #chunk: Uint8Array = new Uint8Array(0);

  constructor(...contexts: readonly Partial<HttpContext>[]) {
    this.reader = http.replies(framing());
    this.#contexts = contexts.map((context) => ({ ...PLAIN, ...context }));
  }

  get context(): HttpContext | undefined {
    return this.#contexts[0];
  }

  get unasked(): boolean {
    return this.#contexts.length === 0;
  }

  send(...pieces: readonly string[]): this {
    for (const piece of pieces) {
      if (this.broken !== undefined) break;
      this.#chunk = latin1Bytes(piece);
      this.#guarded(() => this.reader.read(this.#chunk, this));
      this.#chunk.fill(0x58);
    }
    return this;
  }

  end(): this {
    if (this.broken === undefined) this.#guarded(() => this.reader.end(this));
    return this;
  }

  part(bytes: Uint8Array): void {
    if (bytes.length === 0) throw new Error("an empty part");
    if (bytes.buffer === this.#chunk.buffer) this.uncopied++;
    this.parts++;
    this.text += latin1(bytes);
  }

  done(last: boolean, spent: boolean): void {
    if (this.#contexts.shift() === undefined) throw new Error("done, and nobody has asked");
    this.replies.push({ text: this.text, last, spent });
    this.text = "";
  }

  get texts(): string[] {
    return this.replies.map(({ text }) => text);
  }

  #guarded(feed: () => void): void {
    try {
      feed();
    } catch (thrown) {
      if (!(thrown instanceof BadMessage)) throw thrown;
      if (thrown.reply) throw new Error("a target was to be told something");
      this.broken = thrown.message;
    }
  }
}

/** One request, sent whole: what the target gets. */
export function passed(text: string): string {
  const asking = new Asking().send(text);
  expect([asking.status, asking.requests.length, asking.reader.waiting]).toEqual([0, 1, 0]);
  return asking.texts.join();
}

/** What weir answers in place of the target; 0: nothing. */
export function statusOf(text: string): number {
  return new Asking().send(text).status;
}
