/** The head of a request: what it says of the request, and what it must not say. */
import { ascii, is } from "./http-bytes.ts";
import { Head } from "./http-head.ts";
import { isHost, sameHost } from "./http-host.ts";
import type { KnownName } from "./http-names.ts";
import { refused } from "./http-own.ts";
import { authorityEnd, HTTP, RequestLine } from "./http-request-line.ts";

/** Bytes of a head, where a message may have as many. */
export const MAX_HEAD = 65_536;

const CONTINUE = ascii("100-continue");

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
  }

  /** It has a body, or may have one. */
  get hasBody(): boolean {
    return this.head.chunked || this.head.length > 0;
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
    const what = this.#inFields ? "a head" : "a request line";
    throw refused(`${what} of more than ${this.#max} bytes`, this.#inFields ? 431 : 414);
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
    }
  }

  #check(bytes: Uint8Array, start: number): void {
    const { line, head } = this;
    head.end(bytes, start, line.version10);
    if (this.#host < 0 && !line.version10) throw refused("no Host");
    if (line.form === "absolute") this.#authority(bytes, start);
    // Targets that do not expect a body there take it for the next request.
    if (this.hasBody && (line.method === "GET" || line.method === "HEAD")) throw refused("a GET or HEAD with a body");
  }

  #authority(bytes: Uint8Array, start: number): void {
    const { target, targetEnd } = this.line;
    const from = start + target + HTTP.length;
    const to = authorityEnd(bytes, start + target, start + targetEnd);
    if (to === from || !isHost(bytes, from, to)) throw refused("a target without a host");
    if (this.#host >= 0 && !sameHost(bytes, from, to, start + this.#host, start + this.#hostEnd))
      throw refused("a Host other than the target's");
  }
}
