/**
 * Multicast in the words of setsockopt(2) on Linux, for adapters that can call it. RFC 3678's requests by interface
 * number (include/uapi/linux/in.h, struct group_req and group_source_req on 64-bit machines) are one way for both
 * families, and for interfaces that have no address.
 */
import { groupsOf, isIPv4 } from "../../src/net/address.ts";
import type { DatagramOptions, MulticastOptions } from "../../src/net/runtime.ts";
import { withoutZone } from "./endpoint.ts";
import { interfaceOf } from "./interfaces.ts";
import type { Joined } from "./memberships.ts";

/** What to give setsockopt(2). */
export interface SocketOption {
  readonly level: number;
  readonly name: number;
  readonly value: Uint8Array<ArrayBuffer>;
  /** It may fail: an old kernel, or another family on a dual-stack socket. */
  readonly optional?: true;
}

const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_SNDBUFFORCE = 32;
const IPPROTO_IP = 0;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_MULTICAST_ALL = 49;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_MULTICAST_ALL = 29;
const MCAST_JOIN_GROUP = 42;
const MCAST_LEAVE_GROUP = 45;
const MCAST_JOIN_SOURCE_GROUP = 46;
const MCAST_LEAVE_SOURCE_GROUP = 47;

/** sizeof(struct sockaddr_storage), and where the first one lies in a request. */
const STORAGE = 128;
const GROUP = 8;

/**
 * What a socket on `host` is given besides its address. Without the first two it would hear every group that anybody
 * on this machine has joined (ip(7), IP_MULTICAST_ALL). Throws `ENODEV`.
 */
export function socketOptions(host: string, options: DatagramOptions): readonly SocketOption[] {
  const ipv6 = host.includes(":");
  const { multicast, sendBuffer = 0 } = options;
  return [
    { level: IPPROTO_IP, name: IP_MULTICAST_ALL, value: int(0), optional: true },
    ...(ipv6 ? [{ level: IPPROTO_IPV6, name: IPV6_MULTICAST_ALL, value: int(0), optional: true } as const] : []),
    ...(multicast ? sending(ipv6, multicast) : []),
    // The one that net.core.wmem_max holds for, and the one of root that it does not.
    ...(sendBuffer > 0
      ? ([SO_SNDBUF, SO_SNDBUFFORCE].map((name) => ({
          level: SOL_SOCKET,
          name,
          value: int(sendBuffer),
          optional: true,
        })) as readonly SocketOption[])
      : []),
  ];
}

function sending(ipv6: boolean, { ttl, loopback, interface: from }: MulticastOptions): readonly SocketOption[] {
  const at = from === undefined ? undefined : interfaceOf(from);
  const index = at?.index ?? 0;
  // A socket on :: sends to IPv4 groups as well, where the kernel is not without IPv4.
  const optional = ipv6 ? ({ optional: true } as const) : {};
  const request = new Uint8Array(12);
  // struct ip_mreqn: the interface by its number, which comes last, and the address to send from unless bound.
  if (from !== undefined && isIPv4(from)) request.set(from.split(".").map(Number), 4);
  new DataView(request.buffer).setInt32(8, index, true);
  const options: SocketOption[] = [
    { level: IPPROTO_IP, name: IP_MULTICAST_TTL, value: int(ttl), ...optional },
    { level: IPPROTO_IP, name: IP_MULTICAST_LOOP, value: int(Number(loopback)), ...optional },
  ];
  if (at) options.push({ level: IPPROTO_IP, name: IP_MULTICAST_IF, value: request, ...optional });
  if (!ipv6) return options;
  options.push({ level: IPPROTO_IPV6, name: IPV6_MULTICAST_HOPS, value: int(ttl) });
  options.push({ level: IPPROTO_IPV6, name: IPV6_MULTICAST_LOOP, value: int(Number(loopback)) });
  if (at) options.push({ level: IPPROTO_IPV6, name: IPV6_MULTICAST_IF, value: int(index) });
  return options;
}

/** Makes a socket a member, or ends it. */
export function groupRequest({ group, source, ipv6, at }: Joined, joins: boolean): SocketOption {
  const value = new Uint8Array(GROUP + STORAGE * (source === undefined ? 1 : 2));
  const index = at?.index ?? 0;
  new DataView(value.buffer).setUint32(0, index, true);
  encode(value, GROUP, group, index);
  if (source !== undefined) encode(value, GROUP + STORAGE, source, index);
  const any = joins ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
  const only = joins ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
  return { level: ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, name: source === undefined ? any : only, value };
}

const AF_INET = 2;
const AF_INET6 = 10;

/** struct sockaddr_in or sockaddr_in6, without a port. */
function encode(into: Uint8Array<ArrayBuffer>, at: number, host: string, index: number): void {
  const view = new DataView(into.buffer);
  if (isIPv4(host)) {
    view.setUint16(at, AF_INET, true);
    into.set(host.split(".").map(Number), at + 4);
    return;
  }
  view.setUint16(at, AF_INET6, true);
  for (const [n, word] of (groupsOf(withoutZone(host)) ?? []).entries()) view.setUint16(at + 8 + 2 * n, word);
  view.setUint32(at + 24, index, true);
}

function int(value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Int32Array([value]).buffer);
}
