/** The head of a reply: what its body will be (RFC 9112, 6.3), and what of the head goes to the client. */
import { ascii } from "./http-bytes.ts";
import { type Cut, edited } from "./http-edit.ts";
import { Head } from "./http-head.ts";
import { type HttpContext, outOfStep } from "./http-own.ts";
import { MINOR, StatusLine } from "./http-status-line.ts";

/** `close`: it ends with the target's connection. */
export type Body = "none" | "length" | "chunks" | "close";

const NOTHING = ascii("");
const CLOSE = ascii("Connection: close\r\n");
const KEEP_ALIVE = ascii("Connection: keep-alive\r\n");
const ONE = 0x31;

export class ReplyHead {
  readonly line = new StatusLine();
  readonly head = new Head(outOfStep, false);
  /** Those of the reply whose head is complete. */
  body: Body = "none";
  /** The chunks are not for this client: it gets what is in them. */
  unpacked = false;
  /** The client's connection ends behind it. */
  last = false;
  /** The target's does. */
  spent = false;
  readonly #max: number;
  #inFields = false;
  /** Lines that announce trailers. */
  readonly #trailer: Cut[] = [];

  /** `max`: bytes of it. */
  constructor(max: number) {
    this.#max = max;
  }

  /** Another one begins. */
  begin(): void {
    this.line.begin();
    this.#inFields = false;
    if (this.#trailer.length > 0) this.#trailer.length = 0;
  }

  /** Another reply to the same request follows. */
  get interim(): boolean {
    return this.line.status < 200;
  }

  /**
   * Where it ends, or -1 as long as it is not complete.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, limit: number): number {
    const most = start + this.#max;
    const end = this.#end(bytes, start, Math.min(limit, most));
    if (end < 0 && limit >= most) throw outOfStep(`a reply's head of more than ${this.#max} bytes`);
    return end;
  }

  #end(bytes: Uint8Array, start: number, limit: number): number {
    if (!this.#inFields) {
      const end = this.line.end(bytes, start, limit);
      if (end < 0) return -1;
      this.#inFields = true;
      this.head.begin(end - start);
    }
    for (;;) {
      const next = this.head.next(bytes, start, limit);
      if (next === "more") return -1;
      if (next === "end") break;
      // The target offers it to weir, whose connection it is.
      if (next === "upgrade") this.head.cut();
      if (next === "trailer") this.#trailer.push(this.head.line);
    }
    this.head.end(bytes, start, this.line.version10);
    return start + this.head.fields.at;
  }

  /**
   * The head is complete: it is that of a reply to such a request.
   *
   * @throws {BadMessage}
   */
  decide({ head, version10, close }: HttpContext): void {
    const { line, head: said } = this;
    this.body = this.#bodyOf(head);
    this.spent = this.body === "close" || said.close || (line.version10 && !said.keepAlive);
    // A client of HTTP/1.0 cannot read chunks. What they hold ends with its connection (RFC 9112, 6.1 and 6.3).
    this.unpacked = version10 && this.body === "chunks";
    this.last = close || this.unpacked || this.body === "close";
    if (!version10) return;
    if (said.transferEncoding) said.cuts.push(said.transferEncoding);
    // With the chunks goes what stands behind them, and the word of it.
    for (const line of this.#trailer) said.cuts.push(line);
  }

  #bodyOf(head: boolean): Body {
    const { status } = this.line;
    const { chunked, length } = this.head;
    if (status === 101) throw outOfStep("a switch to another protocol that nobody has asked for");
    if (status < 200 || status === 204) {
      // Some readers look for a body there, and some do not.
      if (chunked || length > 0) throw outOfStep(`a body in a reply with status ${status}`);
      return "none";
    }
    if (head || status === 304) return "none";
    if (chunked) return "chunks";
    if (length < 0) return "close";
    return length > 0 ? "length" : "none";
  }

  /** The client gets another head than the one that came. */
  changes({ version10 }: HttpContext): boolean {
    return version10 || this.last || this.line.version10 || this.head.cuts.length > 0;
  }

  /** The head as the client gets it. */
  rewritten(bytes: Uint8Array, { version10 }: HttpContext): Uint8Array {
    const lines = this.interim ? NOTHING : this.last ? CLOSE : version10 ? KEEP_ALIVE : NOTHING;
    const head = edited(bytes, this.head.cuts, bytes.length - 2, lines);
    // Its version is weir's (RFC 9112, 2.3): from 1.0 a client would conclude that the connection ends.
    head[MINOR] = ONE;
    return head;
  }
}
