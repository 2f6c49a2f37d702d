/** Values of `[[udp]]` that are text, in files and on the command line. */

import { DATAGRAM_MAX } from "../datagram/bridge/bridge-config.ts";
import {
  type ListenRoute,
  parseRoute,
  type SinkAddress,
  type SourceAddress,
  type UdpRoute,
} from "../datagram/bridge/route-address.ts";
import { UsageError } from "../net/errors.ts";
import { isMulticast } from "../net/multicast.ts";
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

/**
 * Reads what is to be sent: a path alone, or `file:PATH`, `fd:3`, `-`.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parseInput(text: string): SourceAddress {
  return parseRoute(isFileOrDescriptor(text) ? text : fileOf(text), "from");
}

/** Reads where what comes is written, in the same way. Throws as {@link parseInput} does. */
export function parseOutput(text: string): SinkAddress {
  return parseRoute(isFileOrDescriptor(text) ? text : fileOf(text), "to");
}

function isFileOrDescriptor(text: string): boolean {
  return text === "-" || /^(file|fd):/i.test(text);
}

/** A path needs no scheme where nothing but a file can stand. */
function fileOf(path: string): string {
  if (!/^[a-z]{2,}:\/\//i.test(path)) return `file:${path}`;
  return fail(path, 'write a file, fd:N or "-"');
}

/**
 * Reads a UDP address to receive on.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parseUdpSource(text: string): SourceAddress {
  return udpAlone(parseRoute(text, "from"), text);
}

/** Reads a UDP address to send to. Throws as {@link parseUdpSource} does. */
export function parseUdpSink(text: string): SinkAddress {
  return udpAlone(parseRoute(text, "to"), text);
}

/** Reads a multicast group that is both joined and sent to. Throws as {@link parseUdpSource} does. */
export function parseGroup(text: string): UdpRoute {
  const { source: _, ...group } = udpAlone(parseRoute(text, "from"), text);
  if (isMulticast(group.host)) return group;
  return fail(text, "write a multicast group, such as 239.1.2.3:9918 or [ff02::1]:9918");
}

function udpAlone(route: SourceAddress | SinkAddress, text: string): UdpRoute {
  return route.kind === "udp" ? route : fail(text, "write an address of UDP, such as 127.0.0.1:9920");
}

/**
 * Reads where to connect over TCP, or over TLS; no scheme is needed.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parseConnect(text: string, scheme: "tcp" | "tls"): SourceAddress {
  const rest = withoutScheme(text, scheme);
  if (rest.includes("://")) fail(text, `write ${scheme}://HOST:PORT, or HOST:PORT alone`);
  return parseRoute(rest.startsWith("unix:") && scheme === "tcp" ? rest : `${scheme}://${rest}`, "from");
}

/** Reads where to accept connections, without a scheme. Throws as {@link parseConnect} does. */
export function parseAccept(text: string): ListenRoute {
  const rest = withoutScheme(withoutScheme(text, "tcp"), "listen");
  if (rest.includes("://")) fail(text, "write an address to listen on, such as 0.0.0.0:9930");
  const route = parseRoute(`listen://${rest}`, "to");
  return route.kind === "listen" ? route : fail(text, "write an address to listen on, such as 0.0.0.0:9930");
}

function withoutScheme(text: string, scheme: string): string {
  return text.toLowerCase().startsWith(`${scheme}://`) ? text.slice(scheme.length + 3) : text;
}

function fail(text: string, why: string): never {
  throw new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`);
}
