/** Multicast through the methods that node:dgram has, and Bun.udpSocket too. They know interfaces by their addresses. */
import { isIPv4 } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { MulticastOptions, NetworkInterface } from "../../src/net/runtime.ts";
import { codeOf } from "./errors.ts";
import { interfaceOf } from "./interfaces.ts";
import type { Joined } from "./memberships.ts";

interface MulticastSocket {
  addMembership(group: string, at?: string): unknown;
  dropMembership(group: string, at?: string): unknown;
  addSourceSpecificMembership(source: string, group: string, at?: string): unknown;
  dropSourceSpecificMembership(source: string, group: string, at?: string): unknown;
  setMulticastTTL(ttl: number): unknown;
  setMulticastLoopback(loopback: boolean): unknown;
  setMulticastInterface(at: string): unknown;
}

export function enter(socket: MulticastSocket, { group, source, ipv6, at }: Joined): void {
  const place = at && placeOf(at, ipv6);
  if (source === undefined) socket.addMembership(group, place);
  else socket.addSourceSpecificMembership(source, group, place);
}

export function exit(socket: MulticastSocket, { group, source, ipv6, at }: Joined): void {
  const place = at && placeOf(at, ipv6);
  if (source === undefined) socket.dropMembership(group, place);
  else socket.dropSourceSpecificMembership(source, group, place);
}

/** How datagrams to groups leave a socket on `host`. Throws `ENODEV`, or `EINVAL`: Deno takes no TTL of 0. */
export function sendAs(socket: MulticastSocket, host: string, options: MulticastOptions): void {
  const { ttl, loopback, interface: from } = options;
  try {
    socket.setMulticastTTL(ttl);
  } catch (cause) {
    const code = codeOf(cause);
    throw new SocketError(code, `Cannot send to groups with a TTL of ${ttl}: this runtime refuses it (${code})`, {
      cause,
    });
  }
  socket.setMulticastLoopback(loopback);
  if (from === undefined) return;
  const ipv6 = host.includes(":");
  socket.setMulticastInterface(isIPv4(from) && !ipv6 ? from : placeOf(interfaceOf(from), ipv6));
}

function placeOf({ name, addresses }: NetworkInterface, ipv6: boolean): string {
  // The address says nothing; the zone is the interface (RFC 4007 section 11).
  if (ipv6) return `::%${name}`;
  const address = addresses.find(isIPv4);
  if (address !== undefined) return address;
  throw new SocketError("EADDRNOTAVAIL", `The interface ${name} has no IPv4 address (EADDRNOTAVAIL)`);
}
