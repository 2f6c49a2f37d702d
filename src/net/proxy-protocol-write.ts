/**
 * HAProxy's PROXY protocol, the writing side: tells the target who the client is. The other side, and where the
 * specification is, in proxy-protocol.ts.
 */
import type { TcpAddress } from "./address.ts";
import { formatIpWords, type IpWords, ipWords } from "./cidr.ts";
import { type Proxied, V2_SIGNATURE } from "./proxy-protocol.ts";

/**
 * The header that goes to the target ahead of the client's first byte, in one piece (section 2). IPv4 stays IPv4;
 * together with IPv6 it is written as IPv6 that stands for it. Unix sockets and names have no place in it: the target
 * learns only that somebody is proxied. The zone of an IPv6 address means nothing elsewhere and is left out.
 *
 * Version 1 has no words for datagrams (section 2.1).
 *
 * @example
 * writeProxyHeader("v1", { source: tcp("192.0.2.7", 56324), destination: tcp("192.0.2.1", 443) });
 * // "PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n"
 */
export function writeProxyHeader(
  version: "v1" | "v2",
  proxied: Proxied,
  transport: "stream" | "datagrams" = "stream",
): Uint8Array {
  const ends = endsOf(proxied);
  return version === "v1" ? new TextEncoder().encode(line(ends)) : binary(ends, transport);
}

/** The header of a connection that is our own and nobody's else: `UNKNOWN`, or the command LOCAL (section 2.2). */
export function ownProxyHeader(version: "v1" | "v2"): Uint8Array {
  if (version === "v1") return new TextEncoder().encode(line(undefined));
  return Uint8Array.of(...V2_SIGNATURE, VERSION_AND_LOCAL, UNSPEC, 0, 0);
}

/** Source and destination, in this order. */
interface Ends {
  readonly wide: boolean;
  readonly hosts: readonly IpWords[];
  readonly ports: readonly number[];
}

function endsOf({ source, destination }: Proxied): Ends | undefined {
  if (source.kind === "unix" || destination.kind === "unix") return undefined;
  const addresses: readonly TcpAddress[] = [source, destination];
  const hosts = addresses.map(({ host }) => ipWords(host)).filter((words) => words !== undefined);
  if (hosts.length < addresses.length) return undefined;
  return { wide: hosts.some((words) => words.length > 1), hosts, ports: addresses.map(({ port }) => port) };
}

/** Section 2.1. Mixed notation where IPv6 stands for IPv4, as RFC 5952 section 5 has it and HAProxy writes it. */
function line(ends: Ends | undefined): string {
  if (!ends) return "PROXY UNKNOWN\r\n";
  const { wide, hosts, ports } = ends;
  const texts = hosts.map((words) => `${wide && words.length === 1 ? "::ffff:" : ""}${formatIpWords(words)}`);
  return `PROXY ${wide ? "TCP6" : "TCP4"} ${texts.join(" ")} ${ports.join(" ")}\r\n`;
}

/** Section 2.2: version 2, command PROXY. Not LOCAL for what has no addresses: that means the proxy's own checks. */
const VERSION_AND_COMMAND = 0x21;
const VERSION_AND_LOCAL = 0x20;
const UNSPEC = 0x00;
/** The address family in the high bits, the transport in the low ones: STREAM, or DGRAM. */
const IPV4 = 0x10;
const IPV6 = 0x20;
const TRANSPORTS = { stream: 0x1, datagrams: 0x2 } as const;

/** Section 2.2. */
function binary(ends: Ends | undefined, transport: keyof typeof TRANSPORTS): Uint8Array {
  if (!ends) return Uint8Array.of(...V2_SIGNATURE, VERSION_AND_COMMAND, UNSPEC, 0, 0);
  const { wide, hosts, ports } = ends;
  // RFC 4291 section 2.5.5.2 for IPv4 within IPv6.
  const words = hosts.flatMap((host) => (wide && host.length === 1 ? [0, 0, 0xffff, ...host] : host));
  const body = new DataView(new ArrayBuffer(4 * words.length + 4));
  for (const [at, word] of words.entries()) body.setUint32(4 * at, word);
  for (const [at, port] of ports.entries()) body.setUint16(4 * words.length + 2 * at, port);
  const family = (wide ? IPV6 : IPV4) | TRANSPORTS[transport];
  return Uint8Array.of(
    ...V2_SIGNATURE,
    ...[VERSION_AND_COMMAND, family, 0, body.byteLength],
    ...new Uint8Array(body.buffer),
  );
}
