/**
 * What the header section of a request or of a reply says of its body (RFC 9112, 6) and of its connection (9; RFC 9110,
 * 7.6.1). Whatever two readers could understand in two ways is refused: RFC 9112, 6.3 and 11.2.
 */
import { ascii, COMMA, decimal, HTAB, is, lowerCase, SP, TOKEN } from "./http-bytes.ts";
import { type Cut, linesNamed } from "./http-edit.ts";
import { Fields } from "./http-fields.ts";
import { type KnownName, knownName, namedByConnection } from "./http-names.ts";
import type { Complaint } from "./http-own.ts";

const CHUNKED = ascii("chunked");
const CLOSE = ascii("close");
const KEEP_ALIVE = ascii("keep-alive");

/** Codings that a target may know, and weir does not: RFC 9112, 7. */
const OTHER_CODINGS = /^(?:(?:x-)?(?:gzip|compress)|deflate)(?:[ \t]*,[ \t]*(?:(?:x-)?(?:gzip|compress)|deflate))*$/;
const BEFORE_CHUNKED = /[ \t]*,[ \t]*chunked$/;

export class Head {
  readonly fields: Fields;
  /** Of its `Content-Length`; -1: there is none. */
  length = -1;
  /** Its body comes in chunks. */
  chunked = false;
  close = false;
  keepAlive = false;
  /** What does not go on. */
  readonly cuts: Cut[] = [];
  /** The line of `Transfer-Encoding`. */
  transferEncoding: Cut | undefined;
  /** What `Connection` has named beside that. */
  readonly #named = new Set<string>();
  readonly #bad: Complaint;
  readonly #exact: boolean;
  #from = 0;

  /** `exact`: what says where the body ends has no whitespace around it but a space in front, as everybody sends it. */
  constructor(bad: Complaint, exact: boolean) {
    this.#bad = bad;
    this.#exact = exact;
    this.fields = new Fields(bad);
  }

  /** The header section of another message begins, `at` bytes behind its start. */
  begin(at: number): void {
    this.fields.begin(at);
    this.#from = at;
    this.length = -1;
    this.chunked = false;
    this.close = false;
    this.keepAlive = false;
    if (this.cuts.length > 0) this.cuts.length = 0;
    this.transferEncoding = undefined;
    if (this.#named.size > 0) this.#named.clear();
  }

  /**
   * Reads on, up to the next field that is not dealt with here.
   *
   * @throws {BadMessage}
   */
  next(bytes: Uint8Array, start: number, limit: number): KnownName | "end" | "more" {
    const { fields } = this;
    for (;;) {
      const found = fields.next(bytes, start, limit);
      if (found !== "field") return found;
      const name = knownName(bytes, start + fields.name, start + fields.nameEnd);
      if (name === undefined) continue;
      switch (name) {
        case "content-length":
          this.#checkBlanks(bytes, start);
          this.#contentLength(bytes, start);
          break;
        case "transfer-encoding":
          this.#checkBlanks(bytes, start);
          this.#transferEncoding(bytes, start);
          break;
        case "connection":
          this.#connection(bytes, start);
          this.cut();
          break;
        case "keep-alive":
        case "proxy-connection":
          this.cut();
          break;
        case "disguised":
          throw this.#bad("a field that some would take for another, with an underscore in the place of a hyphen");
        default:
          return name;
      }
    }
  }

  /** Takes out the line of the field that was found last. */
  cut(): void {
    this.cuts.push(this.line);
  }

  /** Of the field that was found last. */
  get line(): Cut {
    return { from: this.fields.name, to: this.fields.at };
  }

  /**
   * The section is complete.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, version10: boolean): void {
    if (this.chunked) {
      if (this.length >= 0) throw this.#bad("both Content-Length and Transfer-Encoding");
      if (version10) throw this.#bad("Transfer-Encoding in HTTP/1.0");
    }
    if (this.#named.size === 0) return;
    for (const cut of linesNamed(bytes, start, this.#from, this.fields.at - 2, this.#named)) this.cuts.push(cut);
  }

  /** Not every target takes a tab, or what stands behind the value, for what RFC 9112, 5 says it is: nothing. */
  #checkBlanks(bytes: Uint8Array, start: number): void {
    if (!this.#exact) return;
    const { nameEnd, value, valueEnd, at } = this.fields;
    const before = value - nameEnd - 1;
    const usual = before === 0 || (before === 1 && bytes[start + value - 1] === SP);
    if (usual && valueEnd === at - 2) return;
    throw this.#bad("whitespace around a Content-Length or a Transfer-Encoding");
  }

  #contentLength(bytes: Uint8Array, start: number): void {
    if (this.length >= 0) throw this.#bad("more than one Content-Length");
    this.length = decimal(bytes, start + this.fields.value, start + this.fields.valueEnd);
    if (this.length < 0) throw this.#bad("a Content-Length that is no number");
  }

  #transferEncoding(bytes: Uint8Array, start: number): void {
    const { value, valueEnd } = this.fields;
    if (this.chunked) throw this.#bad("more than one Transfer-Encoding");
    if (!is(bytes, start + value, start + valueEnd, CHUNKED)) {
      const codings = lowerCase(bytes, start + value, start + valueEnd).replace(BEFORE_CHUNKED, "");
      if (OTHER_CODINGS.test(codings)) throw this.#bad("a transfer coding other than chunked", 501);
      throw this.#bad("a Transfer-Encoding that is not just chunked");
    }
    this.chunked = true;
    this.transferEncoding = this.line;
  }

  #connection(bytes: Uint8Array, start: number): void {
    const end = start + this.fields.valueEnd;
    for (let at = start + this.fields.value; at < end; ) {
      const byte = bytes[at] as number;
      if (byte === COMMA || byte === SP || byte === HTAB) {
        at++;
        continue;
      }
      const from = at;
      while (at < end && TOKEN[bytes[at] as number] !== 0) at++;
      if (at === from) throw this.#bad("a Connection that is no list of names");
      this.#option(bytes, from, at);
      while (at < end && (bytes[at] === SP || bytes[at] === HTAB)) at++;
      if (at < end && bytes[at] !== COMMA) throw this.#bad("a Connection that is no list of names");
    }
  }

  #option(bytes: Uint8Array, from: number, to: number): void {
    if (is(bytes, from, to, KEEP_ALIVE)) this.keepAlive = true;
    else if (is(bytes, from, to, CLOSE)) this.close = true;
    else {
      const name = lowerCase(bytes, from, to);
      const kind = namedByConnection(name);
      if (kind === "lasting") throw this.#bad("a Connection that names a field which is not the connection's");
      if (kind === "hop") this.#named.add(name);
    }
  }
}
