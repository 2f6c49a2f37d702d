/** UDP proxies that are made by flags and options instead of a file. */
import { DEFAULTS, type ProxyConfig, UDP } from "../../config/config.ts";
import { parseUdp, type UdpAddress } from "../../net/address.ts";

/** What is another default for UDP; see the README's table. */
export function udpDefaults(): Omit<ProxyConfig, "name" | "listen" | "targets"> {
  const { proxy } = DEFAULTS;
  return {
    ...proxy,
    maxConnections: UDP.maxConnections,
    timeouts: { ...proxy.timeouts, idle: UDP.idle },
  };
}

/**
 * A UDP proxy with the defaults: each client is a session, whose datagrams go to one of the targets and whose answers come
 * back. What else there is to say goes on top of it; `checkProxy` finds what cannot be.
 *
 * @example udpRelayConfig("dns", "udp://:53", ["10.0.0.1:53"].map(parseTargetOptions))
 * @throws {UsageError} `EADDRESS`
 */
export function udpRelayConfig(
  name: string,
  listen: UdpAddress | string,
  targets: ProxyConfig["targets"],
): ProxyConfig {
  const address = typeof listen === "string" ? parseUdp(asUdp(listen), "listen") : listen;
  return { ...udpDefaults(), name, listen: address, targets };
}

function asUdp(text: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `udp://${text}`;
}
