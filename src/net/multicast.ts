/** Multicast groups of both families. */
import { groupsOf, isIPv4 } from "./address.ts";

/** 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291, section 2.7). */
export function isMulticast(host: string): boolean {
  if (isIPv4(host)) return (Number(host.split(".")[0]) & 0xf0) === 0xe0;
  const first = groupsOf(host.split("%")[0] ?? "")?.[0] ?? 0;
  return first >> 8 === 0xff;
}
