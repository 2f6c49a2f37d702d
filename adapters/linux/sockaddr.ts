/** `struct sockaddr_in`, `_in6` and `_un` (ip(7), ipv6(7), unix(7)): from and to weir's addresses. */
import { isIPv4, type TcpAddress, type UnixAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Endpoint } from "../../src/net/runtime.ts";
import { AF_INET, AF_INET6, AF_UNIX } from "./abi.ts";
import type { System } from "./system.ts";

/** sizeof(struct sockaddr_storage). */
export const SOCKADDR_MAX = 128;
const IPV4_LENGTH = 16;
const IPV6_LENGTH = 28;
/** Offset of sun_path. */
const PATH = 2;

/** The address family that `host`, numeric, belongs to. */
export function familyOf(host: string): number {
  return isIPv4(host) ? AF_INET : AF_INET6;
}

/** Writes an endpoint to the beginning of `into` and returns its length. `system` looks a zone's interface up. */
export function encodeEndpoint(into: Uint8Array, { host, port }: Endpoint, system: System): number {
  const view = new DataView(into.buffer, into.byteOffset, into.length);
  into.fill(0, 0, IPV6_LENGTH);
  if (isIPv4(host)) {
    view.setUint16(0, AF_INET, true);
    view.setUint16(2, port);
    into.set(host.split(".").map(Number), 4);
    return IPV4_LENGTH;
  }
  const [address = "", zone] = host.split("%");
  const scope = zone === undefined ? 0 : interfaceIndex(zone, system);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  for (const [index, group] of groupsOf(address).entries()) view.setUint16(8 + 2 * index, group);
  view.setUint32(24, scope, true);
  return IPV6_LENGTH;
}

/** Writes a unix address and returns its length; `@name` is the abstract namespace. */
export function encodePath(into: Uint8Array, { path }: UnixAddress): number {
  const bytes = new TextEncoder().encode(path);
  into.fill(0, 0, SOCKADDR_MAX);
  new DataView(into.buffer, into.byteOffset).setUint16(0, AF_UNIX, true);
  into.set(bytes, PATH);
  if (!path.startsWith("@")) return PATH + bytes.length + 1;
  into[PATH] = 0;
  return PATH + bytes.length;
}

/** The family of what lies at the beginning of `from`. */
export function decodeFamily(from: Uint8Array): number {
  return (from[0] ?? 0) | ((from[1] ?? 0) << 8);
}

export function decodePort(from: Uint8Array): number {
  return ((from[2] ?? 0) << 8) | (from[3] ?? 0);
}

/** The 32 bits of an IPv4 address, also of one that came over a dual-stack socket (RFC 4291 section 2.5.5.2). */
export function decodeIPv4(from: Uint8Array): number | undefined {
  if (decodeFamily(from) === AF_INET) return bits32(from, 4);
  const mapped = bits32(from, 8) === 0 && bits32(from, 12) === 0 && bits32(from, 16) === 0xffff;
  return mapped ? bits32(from, 20) : undefined;
}

/** Four bytes in network order. By hand: a DataView for each connection would cost more than the rest. */
function bits32(from: Uint8Array, at: number): number {
  const high = ((from[at] ?? 0) << 8) | (from[at + 1] ?? 0);
  return high * 65_536 + (((from[at + 2] ?? 0) << 8) | (from[at + 3] ?? 0));
}

function formatIPv4(bits: number): string {
  return `${bits >>> 24}.${(bits >>> 16) & 255}.${(bits >>> 8) & 255}.${bits & 255}`;
}

/** An address that is kept as two numbers until somebody asks for its text. */
export class PeerIPv4 {
  readonly #bits: number;
  readonly #port: number;

  constructor(bits: number, port: number) {
    this.#bits = bits;
    this.#port = port;
  }

  get address(): TcpAddress {
    return { kind: "tcp", host: formatIPv4(this.#bits), port: this.#port };
  }
}

export function decodeEndpoint(from: Uint8Array): Endpoint {
  const port = decodePort(from);
  const bits = decodeIPv4(from);
  return { host: bits === undefined ? formatIPv6(from) : formatIPv4(bits), port };
}

/** RFC 5952: lower case, no leading zeros, the longest run of zero groups (the first of equals) as `::`. */
function formatIPv6(from: Uint8Array): string {
  const view = new DataView(from.buffer, from.byteOffset, IPV6_LENGTH);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(8 + 2 * index));
  let [start, length] = [-1, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(":");
  const text = start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
  const scope = view.getUint32(24, true);
  return scope === 0 ? text : `${text}%${scope}`;
}

/** The eight groups of an IPv6 address that is known to be one. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const pair = (high: string | undefined, low: string | undefined) => ((Number(high) << 8) | Number(low)).toString(16);
  const text = dotted ? `${dotted[1]}${pair(dotted[2], dotted[3])}:${pair(dotted[4], dotted[5])}` : address;
  const [left = "", right] = text.split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  if (right === undefined) return parse(left);
  const [head, tail] = [parse(left), parse(right)];
  return [...head, ...new Array(8 - head.length - tail.length).fill(0), ...tail];
}

function interfaceIndex(zone: string, system: System): number {
  if (/^\d+$/.test(zone)) return Number(zone);
  const name = new TextEncoder().encode(zone);
  const { bytes, pointer } = system.scratch;
  if (name.length < 16) {
    bytes.set(name);
    bytes[name.length] = 0;
    const index = system.libc.if_nametoindex(pointer);
    if (index > 0) return index;
  }
  throw new SocketError("EADDRNOTAVAIL", `There is no network interface "${zone}" (EADDRNOTAVAIL)`);
}
