/**
 * What tells ISO 8583 messages under way on one connection apart: the systems trace audit number (field 11) and, if it
 * is there, the terminal (field 41), within the class and the function of the message type: a reversal (0400) may well
 * have the number of what it reverses (0200).
 *
 * Understood is ISO 8583:1987 in ASCII: no header between the length and the message type; the type, the fields and the
 * lengths of those that vary are ASCII; the bitmap is binary (8 or 16 bytes) or hexadecimal (16 or 32 characters), and a
 * message that is one with either, with different keys, is refused.
 * Packed decimals (BCD), EBCDIC and the later editions of the standard, whose fields have other formats, are not.
 */
import { latin1 } from "../../net/latin1.ts";
import { BadMessage } from "../message.ts";
import { shown } from "./find.ts";

/** In front of each message. */
export const LENGTH_BYTES = 2;
/** The message type: version, class, function, origin. */
const TYPE = LENGTH_BYTES;
const BITMAP = TYPE + 4;
const STAN = 11;
const TERMINAL = 41;

/** How long a field is: fixed; or at most, behind so many digits that say it. */
interface Format {
  readonly digits: number;
  readonly length: number;
}

const fixed = (length: number): Format => ({ digits: 0, length });
const ll = (length: number): Format => ({ digits: 2, length });
const lll = (length: number): Format => ({ digits: 3, length });

/** Fields 2 to 41 (ISO 8583:1987, 4.3 "Data elements directory"). Fees have a sign in front of 8 digits. */
const FORMATS: readonly Format[] = [
  // 2: account number, processing code, amounts
  ...[ll(19), fixed(6), fixed(12), fixed(12), fixed(12)],
  // 7: time of transmission, fee, conversion rates
  ...[fixed(10), fixed(8), fixed(8), fixed(8)],
  // 11: trace number, time, dates
  ...[fixed(6), fixed(6), fixed(4), fixed(4), fixed(4), fixed(4), fixed(4)],
  // 18: merchant, countries, how the card was read
  ...[fixed(4), fixed(3), fixed(3), fixed(3), fixed(3), fixed(3), fixed(3), fixed(2), fixed(2), fixed(1)],
  // 28: fees
  ...[fixed(9), fixed(9), fixed(9), fixed(9)],
  // 32: institutions, extended account number, tracks
  ...[ll(11), ll(11), ll(28), ll(37), lll(104)],
  // 37: reference, authorization, response, restriction, terminal
  ...[fixed(12), fixed(6), fixed(2), fixed(3), fixed(8)],
];
const FIRST = 2;

/**
 * The key of a request, length and all.
 *
 * @throws {BadMessage} It has none: what is wrong with it.
 */
export function stanOfRequest(bytes: Uint8Array): string {
  const key = keyOf(bytes);
  if (typeof key !== "string") throw key;
  if (isResponse(bytes)) throw new BadMessage(`message type ${shown(typeOf(bytes))}, which is no request`);
  return key;
}

/** The key of the request that a message is the answer to; undefined: it is none, or has no key. */
export function stanOfReply(bytes: Uint8Array): string | undefined {
  const key = keyOf(bytes);
  return typeof key === "string" && isResponse(bytes) ? key : undefined;
}

function typeOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(TYPE, BITMAP);
}

/** Functions come in pairs: 0 request and 1 its response, 2 advice and 3 its response, and so on. */
function isResponse(bytes: Uint8Array): boolean {
  return ((bytes[TYPE + 2] ?? 0) & 1) === 1;
}

function keyOf(bytes: Uint8Array): string | BadMessage {
  if (!areDigits(bytes, TYPE, BITMAP)) return new BadMessage(`${shown(typeOf(bytes))} in place of a message type`);
  if (bytes[TYPE] !== 0x30) {
    return new BadMessage(`message type ${shown(typeOf(bytes))}, which is not of ISO 8583:1987`);
  }
  if (!isHex(bytes)) return keyBehind(bytes, false);
  const key = keyBehind(bytes, true);
  // Eight bytes of a bitmap may happen to look like digits.
  const other = keyBehind(bytes, false);
  if (typeof other !== "string") return key;
  if (typeof key !== "string" || key === other) return other;
  // Which of them the target takes is anybody's guess: with the other key its reply would go to somebody else.
  return new BadMessage("a bitmap that can be read in two ways, as hexadecimal and as binary");
}

/** The bitmap looks like hexadecimal. */
function isHex(bytes: Uint8Array): boolean {
  for (let at = BITMAP; at < BITMAP + 16; at++) if (hexDigit(bytes[at] ?? 0) < 0) return false;
  return true;
}

/** Walks over the fields. `hex`: how the bitmap is written. */
function keyBehind(bytes: Uint8Array, hex: boolean): string | BadMessage {
  const size = hex ? 16 : 8;
  if (bytes.length < BITMAP + size) return new BadMessage("a message that ends within its bitmap");
  let at = BITMAP + (has(bytes, 1, hex) ? 2 * size : size);
  let stan = "";
  let terminal = "";
  for (let field = FIRST; field <= TERMINAL; field++) {
    if (!has(bytes, field, hex)) continue;
    const { digits, length: most } = FORMATS[field - FIRST] as Format;
    if (!areDigits(bytes, at, at + digits)) return new BadMessage(`field ${field} does not begin with its length`);
    const length = digits > 0 ? numberAt(bytes, at, digits) : most;
    if (length > most) return new BadMessage(`field ${field} of ${length} bytes, where it has ${most} at most`);
    at += digits;
    if (at + length > bytes.length) return new BadMessage(`a message that ends within field ${field}`);
    if (field === STAN) {
      if (!areDigits(bytes, at, at + length)) {
        return new BadMessage(`field 11 (STAN) is ${shown(bytes.subarray(at, at + length))}, not six digits`);
      }
      stan = latin1(bytes.subarray(at, at + length));
    }
    if (field === TERMINAL) terminal = latin1(bytes.subarray(at, at + length));
    at += length;
  }
  if (stan === "") return new BadMessage("a message without field 11 (STAN)");
  const [, kind = 0, purpose = 0] = typeOf(bytes);
  return `${kind - 0x30}${(purpose - 0x30) >> 1}${stan}${terminal}`;
}

function has(bytes: Uint8Array, field: number, hex: boolean): boolean {
  const bit = field - 1;
  if (hex) return (hexDigit(bytes[BITMAP + (bit >> 2)] ?? 0) & (8 >> (bit & 3))) !== 0;
  return ((bytes[BITMAP + (bit >> 3)] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}

function areDigits(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}

function numberAt(bytes: Uint8Array, from: number, digits: number): number {
  let value = 0;
  for (let at = from; at < from + digits; at++) value = value * 10 + (bytes[at] ?? 0) - 0x30;
  return value;
}

/** -1: it is none. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
