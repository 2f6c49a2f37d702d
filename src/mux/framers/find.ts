/** Bytes within bytes. */
import { latin1 } from "../../net/latin1.ts";

/** A search in fewer bytes is faster without a view of them. */
const FEW = 64;

/**
 * Where `byte` is first, from `from` on and before `limit`; -1 if it is not there. Looks at no byte behind `limit`: a
 * message that comes byte by byte lies in a buffer that is larger than what it holds.
 */
export function find(bytes: Uint8Array, byte: number, from: number, limit: number): number {
  if (limit === bytes.length) return bytes.indexOf(byte, from);
  if (limit - from >= FEW) {
    const found = bytes.subarray(from, limit).indexOf(byte);
    return found < 0 ? -1 : from + found;
  }
  for (let at = from; at < limit; at++) if (bytes[at] === byte) return at;
  return -1;
}

/** For people: in quotes if it is printable ASCII, else in hexadecimal, such as 0x1603. */
export function shown(bytes: Uint8Array): string {
  if (bytes.every((byte) => byte >= 0x20 && byte < 0x7f)) return `"${latin1(bytes)}"`;
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
