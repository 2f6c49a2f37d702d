/** Whom a request is for: its `Host`, and the authority of an absolute target (RFC 9112, 3.2; RFC 3986, 3.2.2). */
import { COLON, TOKEN } from "./http-bytes.ts";

const OPEN = 0x5b;
const CLOSE = 0x5d;
const PORT_DIGITS = 5;

/** 1 of what a name may hold: letters, digits, and what is found in real ones. Of no use to anyone is the rest. */
const NAME = new Uint8Array(256);
/** 1 of what an address of IPv6 may hold. */
const IPV6 = new Uint8Array(256);

for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%") NAME[char.charCodeAt(0)] = 1;
for (const char of "abcdefABCDEF0123456789:.") IPV6[char.charCodeAt(0)] = 1;

/** `name`, `name:port`, or `[IPv6]:port`; also nothing at all, which is what a target without a host has. */
export function isHost(bytes: Uint8Array, from: number, to: number): boolean {
  let at = from;
  if (bytes[at] === OPEN && at < to) {
    at++;
    while (at < to && IPV6[bytes[at] as number] === 1) at++;
    if (at === to || bytes[at] !== CLOSE || at === from + 1) return false;
    at++;
  } else while (at < to && NAME[bytes[at] as number] === 1) at++;
  if (at === to) return true;
  if (bytes[at] !== COLON || at === from || to - at - 1 > PORT_DIGITS) return false;
  for (at++; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}

/** Two of them are the same, but for their case. */
export function sameHost(bytes: Uint8Array, one: number, oneEnd: number, other: number, otherEnd: number): boolean {
  if (oneEnd - one !== otherEnd - other) return false;
  for (let at = 0; at < oneEnd - one; at++) {
    const a = bytes[one + at] as number;
    const b = bytes[other + at] as number;
    if (a !== b && (TOKEN[a] === 0 || TOKEN[a] !== TOKEN[b])) return false;
  }
  return true;
}
