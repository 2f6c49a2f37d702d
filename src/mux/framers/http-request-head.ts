/** The head of a request: what it says of the request, and what it must not say. */
import { ascii, is } from "./http-bytes.ts";
import { Head } from "./http-head.ts";
import { isHost, sameHost } from "./http-host.ts";
import type { KnownName } from "./http-names.ts";
import { refused } from "./http-own.ts";
import { authorityEnd, HTTP, RequestLine } from "./http-request-line.ts";

/**
 * Bytes of a head as it goes to the target, and of a trailer section, where a message may have as many. It is the limit of
 * Node and of Bun: from a larger one they would close the connection, which is also that of others.
 */
export const MAX_HEAD = 16_384;

const CONTINUE = ascii("100-continue");
const HOST = ascii("Host: ");
/**
 * Of whom a request of HTTP/1.0 does not say it. It is nobody's name (RFC 6761, 6.4), so the target's default server
 * answers, as it does without a `Host`. Nothing at all is what RFC 9112, 3.2 would have there; nginx answers that with 400
 * and closes the connection.
 */
const NOBODY = ascii("unknown.invalid");
const CRLF = ascii("\r\n");
const NOTHING = ascii("");

export class RequestHead {
  readonly line = new RequestLine();
  readonly head = new Head(refused, true);
  /** The client waits for a word before it sends the body. */
  expects = false;
  readonly #max: number;
  #inFields = false;
  /** Of `Host`; -1: there is none. */
  #host = -1;
  #hostEnd = 0;
  /** The authority of an absolute target; its end is 0 of another. */
  #name = 0;
  #nameEnd = 0;

  /** `max`: bytes of it. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Another one begins. */
  begin(): void {
    this.line.begin();
    this.expects = false;
    this.#inFields = false;
    this.#host = -1;
    this.#nameEnd = 0;
  }

  /** It has a body, or may have one. */
  get hasBody(): boolean {
    return this.head.chunked || this.head.length > 0;
  }

  /** What `message`, whose head this is, has to have in addition before it goes on as HTTP/1.1: a `Host` (RFC 9112, 3.2). */
  added(message: Uint8Array): Uint8Array {
    if (this.#host >= 0) return NOTHING;
    const name = this.#nameEnd > 0 ? message.subarray(this.#name, this.#nameEnd) : NOBODY;
    const line = new Uint8Array(HOST.length + name.length + CRLF.length);
    line.set(HOST);
    line.set(name, HOST.length);
    line.set(CRLF, HOST.length + name.length);
    return line;
  }

  /** No request of this client follows. */
  get last(): boolean {
    return this.head.close || (this.line.version10 && !this.head.keepAlive);
  }

  /**
   * Where it ends, or -1 as long as it is not complete.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, limit: number): number {
    const most = start + this.#max;
    const end = this.#end(bytes, start, Math.min(limit, most));
    if (end >= 0 || limit < most) return end;
    throw this.#tooLarge();
  }

  #tooLarge() {
    const what = this.#inFields ? "a head" : "a request line";
    return refused(`${what} of more than ${this.#max} bytes`, this.#inFields ? 431 : 414);
  }

  #end(bytes: Uint8Array, start: number, limit: number): number {
    if (!this.#inFields) {
      const end = this.line.end(bytes, start, limit);
      if (end < 0) return -1;
      this.#inFields = true;
      this.head.begin(end - start);
      if (this.line.blank > 0) this.head.cuts.push({ from: 0, to: this.line.blank });
    }
    for (;;) {
      const next = this.head.next(bytes, start, limit);
      if (next === "more") return -1;
      if (next === "end") break;
      this.#field(next, bytes, start);
    }
    this.#check(bytes, start);
    return start + this.head.fields.at;
  }

  #field(name: KnownName, bytes: Uint8Array, start: number): void {
    const { value, valueEnd } = this.head.fields;
    switch (name) {
      case "host":
        if (this.#host >= 0) throw refused("more than one Host");
        if (!isHost(bytes, start + value, start + valueEnd)) throw refused("a Host that is none");
        this.#host = value;
        this.#hostEnd = valueEnd;
        break;
      case "te":
        this.head.cut();
        break;
      case "expect":
        // It does not go on: what it asks for is answered here, and would be once more by the target.
        if (!is(bytes, start + value, start + valueEnd, CONTINUE))
          throw refused("an Expect other than 100-continue", 417);
        this.expects = !this.line.version10;
        this.head.cut();
        break;
      case "upgrade":
        throw refused("an Upgrade: another protocol cannot share a connection", 501);
      case "sec-websocket-key1":
      case "sec-websocket-key2":
        // Old versions of gunicorn take the 8 bytes behind such a head for its body.
        throw refused("a key of a WebSocket before RFC 6455", 501);
    }
  }

  #check(bytes: Uint8Array, start: number): void {
    const { line, head } = this;
    head.end(bytes, start, line.version10);
    if (this.#host < 0 && !line.version10) throw refused("no Host");
    if (line.form === "absolute") this.#authority(bytes, start);
    if (this.#host < 0) this.#checkRoom();
    // Targets that do not expect a body there take it for the next request.
    if (this.hasBody && (line.method === "GET" || line.method === "HEAD")) throw refused("a GET or HEAD with a body");
  }

  /** For what {@link added} will add. */
  #checkRoom(): void {
    const name = this.#nameEnd > 0 ? this.#nameEnd - this.#name : NOBODY.length;
    if (this.head.fields.at + HOST.length + name + CRLF.length > this.#max) throw this.#tooLarge();
  }

  #authority(bytes: Uint8Array, start: number): void {
    const { target, targetEnd } = this.line;
    const from = start + target + HTTP.length;
    const to = authorityEnd(bytes, start + target, start + targetEnd);
    if (to === from || !isHost(bytes, from, to)) throw refused("a target without a host");
    if (this.#host >= 0 && !sameHost(bytes, from, to, start + this.#host, start + this.#hostEnd))
      throw refused("a Host other than the target's");
    this.#name = from - start;
    this.#nameEnd = to - start;
  }
}
