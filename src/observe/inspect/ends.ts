/** The two ends of a session in a capture, which knows IP addresses alone. */
import { type Address, groupsOf, isIPv4 } from "../../net/address.ts";
import type { End } from "./packet.ts";
import type { SessionInfo } from "./transcript.ts";

/** The client and weir, both of one family. Who has no IP address gets one of the loopback network. */
export function endsOf({ id, client, local }: SessionInfo): { readonly client: End; readonly weir: End } {
  const far = endOf(client, () => madeUpClient(id));
  const near = endOf(local, () => WEIR);
  const mixed = far.ip.length !== near.ip.length;
  return mixed ? { client: mapped(far), weir: mapped(near) } : { client: far, weir: near };
}

/** No program is known by it, so that nobody takes it for a protocol: the last port that is not a client's. */
const PORT = 49_151;
const WEIR: End = { ip: Uint8Array.of(127, 0, 0, 1), port: PORT };
/** Ports of clients (RFC 6335 section 6). */
const CLIENT_PORTS = 65_535 - PORT;

/** Another one for each of a billion sessions. */
function madeUpClient(id: number): End {
  const network = Math.floor(id / CLIENT_PORTS);
  return { ip: Uint8Array.of(127, 1, (network >> 8) & 255, network & 255), port: PORT + 1 + (id % CLIENT_PORTS) };
}

function endOf(address: Address, otherwise: () => End): End {
  if (address.kind === "unix") return otherwise();
  const { host, port } = address;
  if (isIPv4(host)) return { ip: Uint8Array.from(host.split("."), Number), port };
  const groups = groupsOf(host.replace(/%.*/, ""));
  if (!groups) return otherwise();
  const ip = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
  return { ip: isMapped(ip) ? ip.slice(12) : ip, port };
}

/** ::ffff:0:0/96, IPv4 as IPv6 writes it (RFC 4291 section 2.5.5.2). */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

function isMapped(ip: Uint8Array): boolean {
  return MAPPED.every((byte, index) => ip[index] === byte);
}

function mapped({ ip, port }: End): End {
  return { ip: ip.length === 4 ? Uint8Array.from([...MAPPED, ...ip]) : ip, port };
}
