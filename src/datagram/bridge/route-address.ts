/**
 * Where datagrams of a bridge come from and where they go.
 *
 *     udp://0.0.0.0:9920             datagrams that come to this port, or are sent to it
 *     udp://239.1.2.3:9920           a multicast group: joined where it is read, sent to where it is written
 *     udp://10.0.0.5@232.1.2.3:9920  what this one source sends to the group (RFC 4607)
 *     udp://[ff02::1]:9920%eth0      the same over one interface; %* for all of them
 *     tcp://feed.example:9925        a connection that weir opens, whose bytes are cut into datagrams
 *     tls://feed.example:9925        the same over TLS
 *     listen://0.0.0.0:9930          connections that weir accepts: each sends, or gets, what passes
 *     file:/var/log/feed.bin         a file; fd:3 a descriptor; - standard input or output
 */
import {
  type Address,
  type AddressUse,
  type Fail,
  formatAddress,
  hostAndPort,
  hostWithPort,
  isIPv6,
  parseAddress,
  type TcpAddress,
} from "../../net/address.ts";
import { UsageError } from "../../net/errors.ts";
import { isMulticast } from "../../net/multicast.ts";

export type SourceAddress = UdpRoute | StreamRoute | ListenRoute | FileRoute | DescriptorRoute;
export type SinkAddress = UdpRoute | ListenRoute | FileRoute | DescriptorRoute;

export interface UdpRoute {
  readonly kind: "udp";
  /** An IPv4 or IPv6 address without brackets, or a host name. */
  readonly host: string;
  /** 0, which takes a free port, is for sources alone. */
  readonly port: number;
  /** The one sender that is heard, of a group. */
  readonly source?: string;
  /** The name or address of the interface of a group; `*`: all of them. */
  readonly interface?: string;
}

/** weir connects, again and again. */
export interface StreamRoute {
  readonly kind: "stream";
  readonly address: Address;
  readonly tls: boolean;
}

/** weir accepts. */
export interface ListenRoute {
  readonly kind: "listen";
  readonly address: Address;
}

export interface FileRoute {
  readonly kind: "file";
  readonly path: string;
}

/** 0: standard input, 1: standard output. */
export interface DescriptorRoute {
  readonly kind: "descriptor";
  readonly descriptor: number;
}

export type Direction = "from" | "to";

const KINDS: Readonly<Record<Direction, string>> = {
  from: "udp://, tcp://, tls://, listen://, unix:, file:, fd: or -",
  to: "udp://, listen://, file:, fd: or -",
};

/**
 * Reads one end of a bridge. Without a scheme it is udp://, as with `weir udp`.
 *
 * @throws {UsageError} `EADDRESS`, naming the text, what is wrong with it and what to write instead.
 */
export function parseRoute(text: string, direction: "from"): SourceAddress;
export function parseRoute(text: string, direction: "to"): SinkAddress;
export function parseRoute(text: string, direction: Direction): SourceAddress | SinkAddress {
  const fail: Fail = (why) => {
    throw new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`);
  };
  if (text === "") return fail(`it is empty; use ${KINDS[direction]}`);
  if (text === "-") return { kind: "descriptor", descriptor: direction === "from" ? 0 : 1 };
  if (/^file:/i.test(text)) return { kind: "file", path: filePath(text.slice(5), fail) };
  if (/^fd:/i.test(text)) return { kind: "descriptor", descriptor: descriptorOf(text.slice(3), direction, fail) };
  if (/^(\/|\.\/)/.test(text)) fail(`a file is written "file:${text}", a unix socket "unix:${text}"`);
  if (text.startsWith("unix:")) return stream(parseAddress(text, "target"), false, direction, fail);
  const [, scheme = "udp", rest = text] = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case "udp":
      return udpRoute(rest, direction, fail);
    case "tcp":
    case "tls":
      return stream(oneHost(rest, "target", fail), scheme.toLowerCase() === "tls", direction, fail);
    case "listen":
      return {
        kind: "listen",
        address: rest.startsWith("unix:") ? parseAddress(rest, "listen") : oneHost(rest, "listen", fail),
      };
    default:
      return fail(`unknown scheme "${scheme}://"; use ${KINDS[direction]}`);
  }
}

/** As people write it; {@link parseRoute} reads it back. */
export function formatRoute(route: SourceAddress | SinkAddress): string {
  switch (route.kind) {
    case "udp":
      return formatUdpRoute(route);
    case "stream":
      return route.address.kind === "unix"
        ? formatAddress(route.address)
        : `${route.tls ? "tls" : "tcp"}://${hostWithPort(route.address)}`;
    case "listen":
      return `listen://${route.address.kind === "unix" ? formatAddress(route.address) : hostWithPort(route.address)}`;
    case "file":
      return `file:${route.path}`;
    case "descriptor":
      return route.descriptor < 2 ? "-" : `fd:${route.descriptor}`;
  }
}

function formatUdpRoute({ host, port, source, interface: name }: UdpRoute): string {
  const from = source === undefined ? "" : `${source.includes(":") ? `[${source}]` : source}@`;
  return `udp://${from}${hostWithPort({ host, port })}${name === undefined ? "" : `%${name}`}`;
}

/** What a connection has at its other end is never a group. */
function oneHost(text: string, use: AddressUse, fail: Fail): TcpAddress {
  const address = hostAndPort(text, use, fail);
  if (isMulticast(address.host)) fail(`${address.host} is a multicast group, which has no connections; use udp://`);
  return address;
}

function stream(address: Address, tls: boolean, direction: Direction, fail: Fail): StreamRoute {
  if (direction === "to") fail(`weir connects to sources alone; write "listen://…" for those who want the stream`);
  return { kind: "stream", address, tls };
}

function udpRoute(text: string, direction: Direction, fail: Fail): UdpRoute {
  const [, sourceText, rest = ""] = /^(?:([^@]*)@)?(.*)$/s.exec(text) ?? [];
  const [, place = rest, name] = /^(.*:\d+|\d+)(?:%(.*))?$/s.exec(rest) ?? [];
  const { host, port } = inZone(hostAndPort(place, direction === "from" ? "listen" : "target", fail));
  const group = isMulticast(host.address);
  const zone = host.zone ?? name;
  if (host.zone !== undefined && name !== undefined) fail(`the interface is named twice, "${host.zone}" and "${name}"`);
  if (name === "") fail('the interface is missing behind "%"');
  if (!group && name !== undefined) fail(`"%${name}" is for multicast groups, and ${host.address} is none`);
  if (sourceText !== undefined) {
    if (direction === "to") fail("a source is for groups that are read");
    if (!group) fail(`"${sourceText}@" is for multicast groups, and ${host.address} is none`);
  }
  const source = sourceText === undefined ? undefined : sourceOf(sourceText, host.address, fail);
  const written = group ? host.address : host.zone === undefined ? host.address : `${host.address}%${host.zone}`;
  return {
    kind: "udp",
    host: written,
    port,
    ...(source === undefined ? {} : { source }),
    ...(group && zone !== undefined ? { interface: zone } : {}),
  };
}

/** A zone of IPv6 (RFC 4007, section 11) names an interface as well. */
function inZone({ host, port }: TcpAddress): { host: { address: string; zone?: string }; port: number } {
  const at = host.indexOf("%");
  return at < 0
    ? { host: { address: host }, port }
    : { host: { address: host.slice(0, at), zone: host.slice(at + 1) }, port };
}

function sourceOf(text: string, group: string, fail: Fail): string {
  const source = text.replace(/^\[(.*)\]$/, "$1");
  if (source === "") fail('the source is missing before "@"; leave "@" out to hear every source');
  if (isMulticast(source) || isIPv6(source) !== isIPv6(group))
    fail(`"${text}" is not an address that could send to ${group}`);
  const parsed = hostAndPort(isIPv6(source) ? `[${source}]:1` : `${source}:1`, "target", fail);
  if (!isIPv6(source) && !/^[\d.]+$/.test(parsed.host)) fail(`"${text}" is not an IP address`);
  return source;
}

function filePath(written: string, fail: Fail): string {
  if (/^\/\/[^/]/.test(written)) fail('a file is on this machine; write "file:/path"');
  const path = written.replace(/^\/\/(?=\/)/, "");
  if (path === "") fail('the path is missing; write "file:/path"');
  if (path.includes("\0")) fail("a path cannot hold a NUL byte");
  if (path.endsWith("/")) fail("it names a directory; write the path of a file");
  return path;
}

function descriptorOf(text: string, direction: Direction, fail: Fail): number {
  const descriptor = Number(text);
  if (!/^\d{1,7}$/.test(text)) fail(`"${text}" is not a descriptor; write a number such as fd:3`);
  if (direction === "to" && descriptor === 0) fail('descriptor 0 is standard input; write "-" for standard output');
  if (direction === "from" && (descriptor === 1 || descriptor === 2)) {
    fail(`descriptor ${descriptor} is for what weir prints; write "-" for standard input`);
  }
  return descriptor;
}
