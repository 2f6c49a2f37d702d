/** For which clients targets are, in words. */
import { Routes, routeOf, type Said } from "../balance/routes.ts";
import type { ProxyConfig, TargetConfig } from "../config/config.ts";
import { targetsOf } from "../config/config.ts";
import { formatAddress } from "../net/address.ts";

type Proxy = Pick<ProxyConfig, "targets">;

/**
 * One line for all targets that are for the same clients; none where all are for everybody.
 *
 * @example routing(proxy) // ["*.example.com, example.com -> 10.0.0.1:443", "anything else -> 10.0.0.2:443"]
 */
export function routing({ targets }: Proxy): string[] {
  if (!Routes.of(targets)) return [];
  const groups = new Map<string, TargetConfig[]>();
  for (const target of targets) groups.set(routeOf(target), [...(groups.get(routeOf(target)) ?? []), target]);
  return [...groups.values()].map((group) => `${whom(group[0])} -> ${targetsOf({ targets: group })}`);
}

/** Where a proxy sends a client that says this; `found`: anywhere. */
export function destination(proxy: ProxyConfig, said: NonNullable<Said>): { found: boolean; line: string } {
  const { name, listen, targets } = proxy;
  const where = `${name} (${formatAddress(listen)}): `;
  const client = `${said.serverName ?? "no name"}${said.alpn.length > 0 ? `, ALPN ${said.alpn.join(", ")}` : ""}`;
  const routes = Routes.of(targets);
  if (!routes) return { found: true, line: `${where}all targets are for everybody: ${targetsOf(proxy)}` };
  const found = routes.find(said);
  if (found.length === 0) return { found: false, line: `${where}${client} is refused: ${routes.lack(said).why}` };
  const chosen = targets.filter((target) => found.includes(routeOf(target)));
  return { found: true, line: `${where}${client} goes to ${targetsOf({ targets: chosen })} (for ${whom(chosen[0])})` };
}

function whom({ sni, alpn }: Pick<TargetConfig, "sni" | "alpn"> = {}): string {
  if (!sni && !alpn) return "anything else";
  const names = sni?.join(", ") ?? "any name";
  return alpn ? `${names}, ALPN ${alpn.join(" or ")}` : names;
}
