/** Values of `[[mux]]` that are text, in files, on the command line and in code. */
import { UsageError } from "../net/errors.ts";
import { parseSize } from "./units.ts";

/** Connections to a target, and requests on one of them, at most. */
export const SHARED_MAX = 10_000;
export const REQUEST_RETRIES_MAX = 10;

export const BYTE_ORDERS = ["big", "little"] as const;
export const INCLUDES = ["all", "rest"] as const;
export const WIDTHS: readonly number[] = [1, 2, 3, 4, 8];
/** Bytes before a length, and what is added to it, at most. */
export const OFFSET_MAX = 65_535;
export const ADJUST_MAX = 1_000_000;

/** Bounds of a message, bytes. */
const MESSAGE_LEAST = 64;
const MESSAGE_MOST = 268_435_456;

/** Characters, which are bytes. */
const DELIMITER_MOST = 64;

/**
 * Reads the size that messages have at most.
 *
 * @example parseMaxMessage("4MiB") // 4194304
 * @returns bytes, 64 to 256 MiB
 * @throws {UsageError} `ESIZE`
 */
export function parseMaxMessage(text: string): number {
  const size = parseSize(text);
  if (size >= MESSAGE_LEAST && size <= MESSAGE_MOST) return size;
  const why = size < MESSAGE_LEAST ? "it is too small" : "it is too large";
  throw new UsageError("ESIZE", `Cannot parse size "${text}": ${why} for a message; use 64B to 256MiB`);
}

/** Why a text does not say what ends a message, with 1 to 64 characters of which each stands for one byte. */
export function wrongDelimiter(text: string): string | undefined {
  const foreign = [...text].find((char) => char > "\u00ff");
  if (foreign !== undefined) return `each character stands for one byte, \\u0000 to \\u00ff, and "${foreign}" is none`;
  if (text.length > 0 && text.length <= DELIMITER_MOST) return undefined;
  return `it has ${text.length} bytes; write 1 to ${DELIMITER_MOST}`;
}

/**
 * Reads a delimiter of the command line, where bytes are written `\r`, `\n`, `\t`, `\\` and `\x03`.
 *
 * @example parseDelimiter("\\r\\n") // "\r\n"
 * @throws {UsageError} `EDELIMITER`
 */
export function parseDelimiter(text: string): string {
  const bytes = text.replace(/\\(?:([nrt\\])|x([0-9a-f]{2})|.?)/gis, (written, letter?: string, hex?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    const byte = letter === undefined ? undefined : ESCAPES[letter];
    if (byte !== undefined) return byte;
    const why = `"${written}" is no byte; use \\r, \\n, \\t, \\\\ or two digits as in \\x03`;
    throw new UsageError("EDELIMITER", `Cannot use delimiter "${text}": ${why}`);
  });
  const why = wrongDelimiter(bytes);
  if (why === undefined) return bytes;
  throw new UsageError("EDELIMITER", `Cannot use delimiter "${text}": ${why}`);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", "\\": "\\" };
