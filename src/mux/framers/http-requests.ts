/** Cuts what a client of HTTP sends into requests (RFC 9112), each with its body, and refuses what is ambiguous. */
import { Collector, type Framer } from "../collector.ts";
import type { RequestMessage, RequestReader, RequestSink } from "../message.ts";
import { ascii } from "./http-bytes.ts";
import { Chunks } from "./http-chunks.ts";
import { edited } from "./http-edit.ts";
import { isSafe } from "./http-methods.ts";
import { contextOf, refused } from "./http-own.ts";
import { MAX_HEAD, RequestHead } from "./http-request-head.ts";
import { Trailers } from "./http-trailers.ts";

const GO_ON = ascii("HTTP/1.1 100 Continue\r\n\r\n");
const ONE = 0x31;

export class HttpRequests implements RequestReader {
  readonly #framer: RequestFramer;
  readonly #messages: Collector;
  /** The client has said that it is done: whatever follows is no request (RFC 9112, 9.6). */
  #deaf = false;

  /** `max`: bytes of a request. */
  constructor(max: number) {
    this.#framer = new RequestFramer(max);
    // The framer knows the limit, and what to tell whoever exceeds it.
    this.#messages = new Collector(this.#framer, Number.POSITIVE_INFINITY);
  }

  get waiting(): number {
    return this.#framer.unbegun ? 0 : this.#messages.waiting;
  }

  read(chunk: Uint8Array, sink: RequestSink): void {
    const messages = this.#messages;
    const framer = this.#framer;
    if (this.#deaf) return;
    messages.put(chunk);
    for (let message = messages.next(); message; message = messages.next()) {
      const request = framer.request(message);
      framer.begin();
      this.#deaf = request.last;
      sink.request(request);
      if (!request.last) continue;
      messages.clear();
      return;
    }
    if (framer.awaitsWord(messages.waiting)) sink.interim(GO_ON);
  }
}

/** Finds the end of a request. */
export class RequestFramer implements Framer {
  size = 0;
  readonly #max: number;
  readonly #head: RequestHead;
  readonly #chunks = new Chunks(refused);
  readonly #trailers: Trailers;
  #in: "head" | "body" | "chunks" | "trailers" = "head";
  /** Up to where the body in chunks is read, from the start. */
  #at = 0;
  /** The client was told to go on. */
  #told = false;

  constructor(max: number) {
    this.#max = max;
    const maxHead = Math.min(MAX_HEAD, max);
    this.#head = new RequestHead(maxHead);
    this.#trailers = new Trailers(refused, maxHead);
  }

  /** Another request begins. */
  begin(): void {
    this.#in = "head";
    this.size = 0;
    this.#told = false;
    this.#head.begin();
  }

  /** Nothing has come but, perhaps, an empty line before a request. */
  get unbegun(): boolean {
    return this.#in === "head" && this.#head.line.unbegun;
  }

  /** The head is there, and the client waits for a word before it sends the rest. */
  get expects(): boolean {
    return this.#in !== "head" && this.#head.expects;
  }

  /** The client has sent a head and nothing more, all in all `waiting` bytes, and was not told yet. Then it is now. */
  awaitsWord(waiting: number): boolean {
    if (!this.#head.expects || this.#told || this.#in === "head") return false;
    this.#told = true;
    return waiting === this.#head.head.fields.at;
  }

  end(bytes: Uint8Array, start: number, limit: number): number {
    if (this.#in === "head") {
      const end = this.#head.end(bytes, start, limit);
      if (end < 0) return -1;
      this.#body(end - start);
    }
    if (this.#in === "body") return start + this.size <= limit ? start + this.size : -1;
    // What is behind the limit is not looked at, whether it has come already or not.
    const end = this.#chunked(bytes, start, Math.min(limit, start + this.#max));
    if (end < 0 && limit - start >= this.#max) throw this.#tooLarge();
    return end;
  }

  /** The head is complete. */
  #body(headLength: number): void {
    const { chunked, length } = this.#head.head;
    this.#in = chunked ? "chunks" : "body";
    this.#at = headLength;
    if (chunked) this.#chunks.begin();
    else this.size = headLength + Math.max(0, length);
    if (this.size > this.#max) throw this.#tooLarge();
  }

  #chunked(bytes: Uint8Array, start: number, limit: number): number {
    const chunks = this.#chunks;
    while (this.#in === "chunks" && start + this.#at < limit) {
      const from = this.#at;
      this.#at = chunks.step(bytes, start + from, limit) - start;
      // Targets read extensions in more than one way, and none of them needs them: they stay here (RFC 9112, 7.1.1).
      if (chunks.passed === "extension") this.#head.head.cuts.push({ from, to: this.#at });
      else if (chunks.sized) this.size = this.#at + chunks.left;
      if (this.size > this.#max) throw this.#tooLarge();
      if (!chunks.over) continue;
      this.#in = "trailers";
      this.#trailers.begin(this.#at);
    }
    return this.#in === "trailers" ? this.#trailers.end(bytes, start, limit) : -1;
  }

  #tooLarge() {
    return refused(`more than ${this.#max} bytes (max_message)`, 413);
  }

  /** The request in `message`, whose end was found. */
  request(message: Uint8Array): RequestMessage {
    const { last, hasBody, line } = this.#head;
    const { method, version10 } = line;
    return {
      bytes: this.#passedOn(message),
      idempotent: !hasBody && isSafe(method),
      last,
      context: contextOf(method === "HEAD", version10, last),
    };
  }

  #passedOn(message: Uint8Array): Uint8Array {
    const { line, head } = this.#head;
    if (head.cuts.length === 0 && !line.version10) return message;
    const bytes = edited(message, head.cuts, head.fields.at - 2, this.#head.added(message));
    // Its version is weir's (RFC 9112, 2.3): a target of which 1.0 is asked may close the connection of others.
    bytes[line.minor - line.blank] = ONE;
    return bytes;
  }
}
