/** SHA-256 fingerprints as people write them, and as programs print them. */
import { UsageError } from "../net/errors.ts";

/**
 * Reads the SHA-256 of a certificate or of its public key: 64 hexadecimal digits, with colons (`openssl x509 -fingerprint
 * -sha256`) or without, or base64 (`sha256//…` as curl has it, `sha256/…` as OkHttp has it, or alone).
 *
 * @example parseFingerprint("sha256//s7Gjhr9KXhgsQh6ONAniXt4a39HpR++4LpmLLnugUz0=") // "b3b1a3…"
 * @returns 64 digits in lower case
 * @throws {UsageError} `EFINGERPRINT`, naming the text and what to write instead.
 */
export function parseFingerprint(text: string): string {
  const bare = text.trim().replace(/^sha-?256(?:\s+fingerprint=|:(?=[0-9a-f]))/i, "");
  const hex = bare.replaceAll(":", "").toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  // Base64 may begin with a slash itself: its length tells.
  const base64 = /^(?:sha-?256\/{1,2})?([A-Za-z0-9+/]{43})=?$/i.exec(bare)?.[1];
  if (base64 !== undefined) return [...atob(base64)].map(toHex).join("");
  const forms = "64 hexadecimal digits, with colons or without, or base64 such as sha256//…=";
  const why = /^[0-9a-f]{40}$/.test(hex) ? "that is a SHA-1; use SHA-256, " : "write a SHA-256, ";
  throw new UsageError("EFINGERPRINT", `Cannot use the fingerprint "${text}": ${why}${forms}`);
}

function toHex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, "0");
}
