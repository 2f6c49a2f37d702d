/** The first line of a request (RFC 9112, 3), and the CRLF before it that some clients send behind a body (2.2). */
import { ascii, CR, LF, lowerCase, SP, TOKEN } from "./http-bytes.ts";
import { type Method, methodOf } from "./http-methods.ts";
import { refused } from "./http-own.ts";

/** `absolute`: it begins with `http://` (RFC 9112, 3.2.2). */
export type Form = "origin" | "absolute" | "asterisk";

export const HTTP = "http://";
const VERSION = ascii("HTTP/1.1\r\n");
const MAJOR = 5;
const MINOR = 7;
const SLASH = 0x2f;
const ASTERISK = 0x2a;
const QUESTION = 0x3f;
const HASH = 0x23;
const ZERO = 0x30;

/** 1 of what a target may hold: printable ASCII but `#`. More than URIs may (RFC 3986), since browsers send more. */
const TARGET = new Uint8Array(256).fill(1, 0x21, 0x7f);
TARGET[HASH] = 0;

export class RequestLine {
  method: Method = "other";
  version10 = false;
  form: Form = "origin";
  /** Bytes of the CRLF before it. */
  blank = 0;
  /** The target; it counts from the start, as all of these. */
  target = 0;
  targetEnd = 0;
  #at = 0;
  #in: "blank" | "method" | "target" | "version" = "blank";

  /** Another request begins. */
  begin(): void {
    this.blank = 0;
    this.#at = 0;
    this.#in = "blank";
  }

  /** Nothing of the line itself has come. */
  get unbegun(): boolean {
    return this.#at === this.blank;
  }

  /**
   * Where it ends, or -1 as long as it is not complete.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, limit: number): number {
    if (this.#in === "blank" && !this.#blank(bytes, start, limit)) return -1;
    if (this.#in === "method" && !this.#method(bytes, start, limit)) return -1;
    if (this.#in === "target" && !this.#target(bytes, start, limit)) return -1;
    const end = this.#version(bytes, start + this.#at, limit);
    if (end >= 0) this.#check(bytes, start);
    return end;
  }

  #blank(bytes: Uint8Array, start: number, limit: number): boolean {
    if (start >= limit) return false;
    if (bytes[start] === CR) {
      if (start + 1 === limit) {
        this.#at = this.blank = 1;
        return false;
      }
      if (bytes[start + 1] !== LF) throw refused("a bare CR");
      this.#at = this.blank = 2;
    }
    this.#in = "method";
    return true;
  }

  #method(bytes: Uint8Array, start: number, limit: number): boolean {
    let at = start + this.#at;
    while (at < limit && TOKEN[bytes[at] as number] !== 0) at++;
    this.#at = at - start;
    if (at === limit) return false;
    const from = start + this.blank;
    if (bytes[at] !== SP || at === from) throw refused("a request that does not begin with a method and a space");
    this.method = methodOf(bytes, from, at);
    this.target = this.#at = at + 1 - start;
    this.#in = "target";
    return true;
  }

  #target(bytes: Uint8Array, start: number, limit: number): boolean {
    let at = start + this.#at;
    while (at < limit && TARGET[bytes[at] as number] === 1) at++;
    this.#at = at - start;
    if (at === limit) return false;
    const from = start + this.target;
    if (bytes[at] !== SP) throw refused(wrongTarget(bytes[at] as number));
    if (at === from) throw refused("a request without a target");
    this.targetEnd = this.#at;
    this.#at++;
    this.#in = "version";
    return true;
  }

  /** It is short: what has come of it is read again. */
  #version(bytes: Uint8Array, from: number, limit: number): number {
    for (let at = 0; at < VERSION.length; at++) {
      if (from + at === limit) return -1;
      const byte = bytes[from + at] as number;
      if (byte === VERSION[at]) continue;
      if ((at === MAJOR || at === MINOR) && byte >= ZERO && byte <= ZERO + 9) continue;
      throw refused("a request line that does not end with a version of HTTP and CRLF");
    }
    const major = bytes[from + MAJOR] as number;
    const minor = bytes[from + MINOR] as number;
    if (major !== ZERO + 1 || minor > ZERO + 1) throw refused("a version of HTTP other than 1.1 and 1.0", 505);
    this.version10 = minor === ZERO;
    return from + VERSION.length;
  }

  /** Where the last digit of the version is, once the line is complete. */
  get minor(): number {
    return this.targetEnd + 1 + MINOR;
  }

  #check(bytes: Uint8Array, start: number): void {
    if (this.method === "CONNECT") throw refused("CONNECT: a tunnel cannot share a connection", 501);
    if (this.method === "TRACE") throw refused("TRACE: it shows what others have put into a request", 501);
    if (this.method === "miscased") throw refused("a method in the wrong case");
    if (this.method === "unknown") throw refused("a method that not every target knows", 501);
    this.form = formOf(bytes, start + this.target, start + this.targetEnd);
    if (this.form === "asterisk" && this.method !== "OPTIONS") throw refused("a target that only OPTIONS can have");
  }
}

function formOf(bytes: Uint8Array, from: number, to: number): Form {
  if (bytes[from] === SLASH) return "origin";
  if (bytes[from] === ASTERISK && to - from === 1) return "asterisk";
  // Schemes know no case (RFC 3986, 3.1).
  if (to - from > HTTP.length && lowerCase(bytes, from, from + HTTP.length) === HTTP) return "absolute";
  throw refused("a target that is no path and no http:// address");
}

/** Where the authority of an absolute target ends: before its path or its query. */
export function authorityEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from + HTTP.length;
  while (at < to && bytes[at] !== SLASH && bytes[at] !== QUESTION) at++;
  return at;
}

function wrongTarget(byte: number): string {
  if (byte === CR || byte === LF) return "a request line without a version of HTTP";
  if (byte === HASH) return "a target with a fragment";
  return byte > 0x7e ? "a target that is not ASCII" : "a control character in a target";
}
