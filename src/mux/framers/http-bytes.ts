/** What bytes mean in the head of an HTTP message (RFC 9110, 5.5 and 5.6.2), and words that are looked for in it. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COMMA = 0x2c;
export const COLON = 0x3a;

/** Of a character of a token its lower case; 0 of any other. */
export const TOKEN = new Uint8Array(256);
/** 1 of what a field's value, or a reason phrase, may hold. */
export const VALUE = new Uint8Array(256)
  .fill(1, 0x80)
  .fill(1, SP, 0x7f)
  .fill(1, HTAB, HTAB + 1);

for (const char of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
  TOKEN[char.charCodeAt(0)] = char.charCodeAt(0);
  TOKEN[char.toUpperCase().charCodeAt(0)] = char.charCodeAt(0);
}

const ENCODER = new TextEncoder();

export function ascii(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** What stands from `from` to `to` is `word`, which is in lower case, or differs from it in nothing but case. */
export function is(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  if (to - from !== word.length) return false;
  for (let at = 0; at < word.length; at++) {
    if (TOKEN[bytes[from + at] as number] !== word[at]) return false;
  }
  return true;
}

/** As text, every byte a character, in lower case. For what is rare, or refused. */
export function lowerCase(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] as number);
  return text.toLowerCase();
}

/** A number in decimal, without a sign or leading zeros; -1: it is none, or more than 2^53 - 1. */
export function decimal(bytes: Uint8Array, from: number, to: number): number {
  if (from === to || to - from > 16) return -1;
  if (bytes[from] === 0x30 && to - from > 1) return -1;
  let number = 0;
  for (let at = from; at < to; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
  }
  return number <= Number.MAX_SAFE_INTEGER ? number : -1;
}
