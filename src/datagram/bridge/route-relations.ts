/** Which addresses of bridges are one, and which lead to each other. */
import { covers, groupsOf, isIPv4, isIPv6, sameAddress, type TcpAddress } from "../../net/address.ts";
import { isMulticast } from "../../net/multicast.ts";
import type { SinkAddress, SourceAddress, UdpRoute } from "./route-address.ts";

/** Whether two addresses are one, however they are spelled. */
export function sameRoute(a: SourceAddress | SinkAddress, b: SourceAddress | SinkAddress): boolean {
  if (a.kind === "udp" && b.kind === "udp") {
    return sameAddress(placeOf(a), placeOf(b)) && a.source === b.source && a.interface === b.interface;
  }
  if (a.kind === "file" && b.kind === "file") return a.path === b.path;
  if (a.kind === "descriptor" && b.kind === "descriptor") return a.descriptor === b.descriptor;
  if ((a.kind === "stream" && b.kind === "stream") || (a.kind === "listen" && b.kind === "listen")) {
    return sameAddress(a.address, b.address);
  }
  return false;
}

/**
 * Whether what goes to `sink` comes to `source`, as far as addresses tell: names are not resolved, and which addresses
 * this machine has is not known here. When in doubt about interfaces of a group: yes, for the worst that this could be
 * is a flood.
 *
 * @param leaving the interface by which groups are left that name none; null: the kernel's choice.
 */
export function leadsTo(sink: SinkAddress, source: SourceAddress, leaving: string | null): boolean {
  if (sink.kind === "file") return source.kind === "file" && source.path === sink.path;
  if (sink.kind === "listen") return source.kind === "stream" && covers(sink.address, source.address);
  if (sink.kind !== "udp" || source.kind !== "udp") return false;
  if (!isMulticast(sink.host)) return covers(placeOf(source), placeOf(sink));
  return sameAddress(placeOf(source), placeOf(sink)) && !areApart(source.interface, sink.interface ?? leaving);
}

/** Both are named, in the same way, and not the same. */
function areApart(a: string | undefined, b: string | null): boolean {
  if (a === undefined || b === null || a === "*" || b === "*") return false;
  return a !== b && isLiteral(a) === isLiteral(b);
}

/** An IP address, and no name. */
export function isLiteral(host: string): boolean {
  return isIPv4(host) || isIPv6(host);
}

/** All addresses of this machine. */
export function isAny(host: string): boolean {
  return host === "0.0.0.0" || (groupsOf(host)?.every((part) => part === 0) ?? false);
}

function placeOf({ host, port }: UdpRoute): TcpAddress {
  return { kind: "tcp", host, port };
}
