/** From hosts as people write them to addresses of sockets. */
import { isIPv4, isIPv6 } from "../../net/address.ts";
import { SocketError } from "../../net/errors.ts";
import type { Endpoint, Runtime } from "../../net/runtime.ts";
import type { UdpRoute } from "./route-address.ts";

/** Milliseconds for an answer. */
const TIMEOUT = 5_000;

/**
 * Every address of a host, IPv4 first: most receivers of a name that has both listen there.
 *
 * @throws {SocketError} `ENOTFOUND` or `EAI_AGAIN`, naming the host.
 */
export async function endpointsOf(
  runtime: Pick<Runtime, "resolve">,
  { host, port }: Pick<UdpRoute, "host" | "port">,
): Promise<readonly Endpoint[]> {
  if (isIPv4(host) || isIPv6(host)) return [{ host, port }];
  const hosts = await runtime.resolve(host, { servers: [], timeout: TIMEOUT });
  if (hosts.length === 0) throw new SocketError("ENOTFOUND", `Cannot resolve ${host} (ENOTFOUND)`);
  const known = hosts.toSorted((a, b) => Number(isIPv6(a)) - Number(isIPv6(b)));
  return known.map((each) => ({ host: each, port }));
}
