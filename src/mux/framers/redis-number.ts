/** Numbers and line ends of RESP. Redis takes no "+5" and no "05", so neither does this. */
import { BadMessage } from "../message.ts";
import { shown } from "./find.ts";

export const CR = 0x0d;
export const LF = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;

/** Digits of a count or a length. */
export const LENGTH_DIGITS = 10;
/** Digits of a 64-bit number. */
export const INTEGER_DIGITS = 19;

/** What was read last. */
export class RedisNumber {
  /** Of an integer with more than 15 digits it is not exact. */
  value = 0;
  /** Behind its line. */
  end = 0;

  /**
   * Reads the one that begins at `from`. False: its line is not complete.
   *
   * @throws {BadMessage} There is no number, or none of that many digits.
   */
  read(bytes: Uint8Array, from: number, limit: number, digits: number): boolean {
    const first = bytes[from] === MINUS && from < limit ? from + 1 : from;
    let value = 0;
    let at = first;
    for (; at < limit; at++) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    // A zero stands alone, and has no sign.
    const padded = at - first > 1 ? bytes[first] === ZERO : at - first === 1 && value === 0 && first > from;
    const ended = at < limit;
    if (padded || at - first > digits || (ended && (at === first || bytes[at] !== CR))) fail(bytes, from, at, limit);
    if (at + 1 >= limit) return false;
    if (bytes[at + 1] !== LF) fail(bytes, from, at, limit);
    this.value = first > from ? -value : value;
    this.end = at + 2;
    return true;
  }
}

function fail(bytes: Uint8Array, from: number, at: number, limit: number): never {
  throw new BadMessage(`${shown(bytes.slice(from, Math.min(at + 2, from + 24, limit)))} in place of a number`);
}

/** @throws {BadMessage} */
export function checkLineEnd(bytes: Uint8Array, at: number): void {
  if (bytes[at] === CR && bytes[at + 1] === LF) return;
  throw new BadMessage(`${shown(bytes.slice(at, at + 2))} behind a string, where there has to be CR LF`);
}
