/** The first line of a reply (RFC 9112, 4). */
import { ascii, CR, LF, SP, VALUE } from "./http-bytes.ts";
import { outOfStep } from "./http-own.ts";

const VERSION = ascii("HTTP/1.1 ");
/** Where the version's last digit is. */
export const MINOR = 7;
const ZERO = 0x30;
const STATUS_DIGITS = 3;

export class StatusLine {
  version10 = false;
  status = 0;
  #at = 0;

  /** Another reply begins. */
  begin(): void {
    this.#at = 0;
    this.status = 0;
  }

  /**
   * Where it ends, or -1 as long as it is not complete.
   *
   * @throws {BadMessage}
   */
  end(bytes: Uint8Array, start: number, limit: number): number {
    let at = start + this.#at;
    for (; at < limit; at++) {
      const byte = bytes[at] as number;
      const place = at - start;
      if (place < VERSION.length) this.#version(place, byte);
      else if (place < VERSION.length + STATUS_DIGITS) this.#digit(byte);
      else if (byte === LF && bytes[at - 1] === CR) return at + 1;
      else this.#reason(place, byte, bytes[at - 1] as number);
    }
    this.#at = at - start;
    return -1;
  }

  #version(place: number, byte: number): void {
    if (place === MINOR && byte === ZERO) this.version10 = true;
    else if (byte !== VERSION[place]) throw outOfStep("a reply that does not begin with HTTP/1.1 or HTTP/1.0");
    else if (place === MINOR) this.version10 = false;
  }

  #digit(byte: number): void {
    const digit = byte - ZERO;
    // The first one is the class of the status, and there is no class 0.
    if (digit < 0 || digit > 9 || (this.status === 0 && digit === 0)) throw outOfStep("a status that is no number");
    this.status = this.status * 10 + digit;
  }

  /** Without a reason phrase not all targets send the space that should stand there (RFC 9112, 4). */
  #reason(place: number, byte: number, before: number): void {
    const first = place === VERSION.length + STATUS_DIGITS;
    if (before === CR) throw outOfStep("a bare CR");
    if (byte === CR) return;
    if (byte === LF) throw outOfStep("a bare LF");
    if (first && byte !== SP) throw outOfStep("a status of more than three digits");
    if (VALUE[byte] === 0) throw outOfStep("a control character in a status line");
  }
}
