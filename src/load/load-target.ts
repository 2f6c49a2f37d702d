/** Where a load is made: an address as targets have it, also over TLS, or `udp://HOST:PORT`. */
import { parseAddress, parseUdp } from "../net/address.ts";
import type { Scenario } from "./scenario.ts";

/** @throws {UsageError} `EADDRESS` */
export function parseLoadTarget(text: string): Scenario["target"] {
  return /^udp:/i.test(text) ? parseUdp(text, "target") : parseAddress(text, "target", "tls");
}
