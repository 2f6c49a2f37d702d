/** Values of `[[udp]]` that are text, in files and on the command line. */
import { DATAGRAM_MAX } from "../datagram/udp-config.ts";
import { UsageError } from "../net/errors.ts";
import { parseSize } from "./units.ts";

/** A file for each few datagrams, and the renaming of all others, is nothing that anybody wants. */
export const FILE_SIZE_MIN = 4_096;
export const KEEP_MAX = 1_000;

/** Routers that a datagram may pass: a byte of its header (RFC 791, RFC 8200). */
export const TTL_MAX = 255;

/** Names of interfaces have 15 bytes under Linux, and more elsewhere. */
const INTERFACE_MAX = 255;

/**
 * Reads the size of datagrams that are cut from a stream.
 *
 * @example parseDatagramSize("1400") // 1400
 * @returns bytes, 1 to {@link DATAGRAM_MAX}
 * @throws {UsageError} `ESIZE`
 */
export function parseDatagramSize(text: string): number {
  const size = parseSize(text);
  if (size >= 1 && size <= DATAGRAM_MAX) return size;
  const why = size < 1 ? "it is too small" : "it is too large";
  throw new UsageError("ESIZE", `Cannot parse size "${text}": ${why} for a datagram; use 1B to ${DATAGRAM_MAX}B`);
}

/**
 * Reads the one interface that groups are joined on, or sent from: its name or one of its addresses.
 *
 * @throws {UsageError} `EINTERFACE`
 */
export function parseInterface(text: string): string {
  const fail = (why: string) => {
    throw new UsageError("EINTERFACE", `Cannot use "${text}" as an interface: ${why}`);
  };
  if (text === "*") fail("it has to be one; write its name, such as eth0");
  if (text === "" || text.length > INTERFACE_MAX || /[\s/\p{Cc}]/u.test(text)) {
    fail("write its name, such as eth0, or one of its addresses");
  }
  return text;
}
