/**
 * What can be wrong with a configuration whose single values are all right: the whole that they make.
 */
import { type Address, covers, formatAddress } from "../net/address.ts";
import type { Config, ProxyConfig } from "./config.ts";
import { formatPath, type Path, type Problem } from "./problem.ts";

/**
 * Finds contradictions between the parts of a configuration, wherever it came from: names and addresses used
 * twice, targets that lead back to their own listener, nothing to do. Paths are those of weir's own file format
 * (`proxy[0].target`); messages make sense without them.
 *
 * @example checkConfig(config).map((problem) => problem.message)
 */
export function checkConfig(config: Config): Problem[] {
  if (config.proxies.length === 0) {
    return [wrong([], "there is no proxy; add [[proxy]] with listen and target")];
  }
  return [
    ...repeatedNames(config.proxies),
    ...repeatedAddresses(config),
    ...loops(config.proxies),
    ...idleRules(config.proxies),
  ];
}

function wrong(path: Path, message: string): Problem {
  return { path, at: "value", message };
}

function repeatedNames(proxies: readonly ProxyConfig[]): Problem[] {
  const first = new Map<string, number>();
  return proxies.flatMap(({ name }, index) => {
    const other = first.get(name);
    if (other === undefined) first.set(name, index);
    if (other === undefined) return [];
    const where = formatPath(["proxy", other]);
    return [wrong(["proxy", index, "name"], `the name "${name}" is already that of ${where}; choose another`)];
  });
}

/** Rules about IP addresses where no client has one. */
function idleRules(proxies: readonly ProxyConfig[]): Problem[] {
  return proxies.flatMap(({ listen, allow, deny }, index) => {
    const key = allow.length > 0 ? "allow" : "deny";
    if (listen.kind !== "unix" || allow.length + deny.length === 0) return [];
    const why = "clients of a unix socket have no IP address; guard it by the rights of its directory";
    return [wrong(["proxy", index, key], why)];
  });
}

interface Listening {
  readonly who: string;
  readonly path: Path;
  readonly address: Address;
}

function repeatedAddresses({ admin, proxies }: Config): Problem[] {
  const listening: Listening[] = proxies.map(({ name, listen }, index) => {
    return { who: `proxy "${name}"`, path: ["proxy", index, "listen"], address: listen };
  });
  // An admin address that nobody asked for gives way.
  if (admin.listen && admin.explicit) {
    listening.push({ who: "the admin page", path: ["admin", "listen"], address: admin.listen });
  }
  return listening.flatMap(({ path, address }, index) => {
    const other = listening.slice(0, index).find((one) => collide(one.address, address));
    if (!other) return [];
    const taken = `${other.who} already listens on ${formatAddress(other.address)}`;
    return [wrong(path, `${formatAddress(address)} is taken: ${taken}; use another address or port 0`)];
  });
}

function collide(a: Address, b: Address): boolean {
  return covers(a, b) || covers(b, a);
}

/**
 * Finds proxies whose connections come back to them, directly or through others: one client would make weir
 * connect to itself until it has no descriptors left. Each loop is reported at its first proxy.
 */
function loops(proxies: readonly ProxyConfig[]): Problem[] {
  return proxies.flatMap((proxy, index) => {
    const loop = wayBack(proxies, index);
    if (!loop) return [];
    const path = ["proxy", index, "target"];
    const targets = proxy.targets.map(formatAddress).join(", ");
    if (loop.length === 1) {
      return [
        wrong(
          path,
          `the target ${targets} leads back to the proxy itself, which listens on ${formatAddress(proxy.listen)}; change one of them`,
        ),
      ];
    }
    const names = [...loop, index].map((each) => `"${proxies[each]?.name}"`).join(" -> ");
    return [wrong(path, `connections would go in a circle: ${names}; change one of the targets`)];
  });
}

/** The shortest way from a proxy through later ones back to itself, as positions. */
function wayBack(proxies: readonly ProxyConfig[], origin: number): number[] | undefined {
  const seen = new Set<number>();
  const ways: number[][] = [[origin]];
  for (const way of ways) {
    for (const next of reached(proxies, way.at(-1) ?? origin)) {
      if (next === origin) return way;
      if (next < origin || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}

/** The proxies that a proxy's targets lead to. */
function reached(proxies: readonly ProxyConfig[], from: number): number[] {
  const targets = proxies[from]?.targets ?? [];
  return [...proxies.keys()].filter((index) => {
    const listen = proxies[index]?.listen;
    return listen !== undefined && targets.some((target) => covers(listen, target));
  });
}
