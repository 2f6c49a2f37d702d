/**
 * What can be wrong with a configuration whose single values are all right: the whole that they make.
 */
import { asReached, covers, formatAddress, type ListenAddress } from "../net/address.ts";
import { formatTarget, isAddress } from "../net/target-name.ts";
import { checkProxy } from "./check-proxy.ts";
import { bridgeListeners, checkBridges } from "./check-udp.ts";
import { wayBack } from "./circle.ts";
import type { Config, ProxyConfig, TargetConfig } from "./config.ts";
import { formatPath, type Path, type Problem, wrong } from "./problem.ts";

/**
 * Finds contradictions between the parts of a configuration, wherever it came from: names and addresses used
 * twice, targets that lead back to their own listener, rules that cannot hold, nothing to do. Paths are those of weir's
 * own file format, with every target in a list (`proxy[0].targets[0]`); messages make sense without them.
 *
 * @example checkConfig(config).map((problem) => problem.message)
 */
export function checkConfig(config: Config): Problem[] {
  const { proxies, bridges, toxiproxy } = config;
  // Toxiproxy's clients make their own.
  if (proxies.length === 0 && bridges.length === 0 && toxiproxy === null) {
    const what = "[[proxy]] or [[mux]] with listen and target, or [[udp]] with from and to";
    return [wrong([], `there is nothing to run; add ${what}`)];
  }
  const paths = pathsOf(proxies);
  const at: At = (index, ...within) => [...(paths[index] ?? []), ...within];
  const single = proxies.flatMap((proxy, index) => {
    return checkProxy(proxy).map((problem) => ({ ...problem, path: at(index, ...problem.path) }));
  });
  return [
    ...repeatedNames(config, at),
    ...repeatedAddresses(config, at),
    ...loops(proxies, at),
    ...single,
    ...checkBridges(bridges),
  ];
}

/** Where files have something of a proxy. */
type At = (index: number, ...within: Path) => Path;

/** `proxy[0]`, `proxy[1]`, `mux[0]`, … */
function pathsOf(proxies: readonly ProxyConfig[]): Path[] {
  const counts = { proxy: 0, mux: 0 };
  return proxies.map(({ mux }) => {
    const list = mux ? "mux" : "proxy";
    return [list, counts[list]++];
  });
}

function repeatedNames({ proxies, bridges }: Config, at: At): Problem[] {
  const first = new Map<string, Path>();
  const named = [
    ...proxies.map(({ name }, index) => ({ name, path: at(index) })),
    ...bridges.map(({ name }, index) => ({ name, path: ["udp", index] })),
  ];
  return named.flatMap(({ name, path }) => {
    const other = first.get(name);
    if (other === undefined) first.set(name, path);
    if (other === undefined) return [];
    const where = formatPath(other);
    return [wrong([...path, "name"], `the name "${name}" is already that of ${where}; choose another`)];
  });
}

interface Listening {
  readonly who: string;
  readonly path: Path;
  readonly address: ListenAddress;
}

function repeatedAddresses({ admin, proxies, bridges }: Config, at: At): Problem[] {
  const listening: Listening[] = proxies.map(({ name, listen }, index) => {
    return { who: `proxy "${name}"`, path: at(index, "listen"), address: listen };
  });
  listening.push(...bridgeListeners(bridges));
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

function collide(a: ListenAddress, b: ListenAddress): boolean {
  return covers(a, b) || covers(b, a);
}

/**
 * Finds proxies whose connections come back to them, directly or through others: one client would make weir
 * connect to itself until it has no descriptors left. Each loop is reported at its first proxy.
 */
function loops(proxies: readonly ProxyConfig[], at: At): Problem[] {
  const links = proxies.map((proxy) => reached(proxy, proxies));
  return proxies.flatMap((proxy, index) => {
    const loop = wayBack(links, index);
    if (!loop) return [];
    const next = proxies[loop[1] ?? index] ?? proxy;
    const leading = proxy.targets.findIndex((target) => leadsTo(proxy, target, next));
    const path = at(index, "targets", leading);
    const target = proxy.targets[leading];
    if (loop.length === 1 && target) {
      const back = `the target ${formatTarget(target.address)} leads back to the proxy itself`;
      return [wrong(path, `${back}, which listens on ${formatAddress(proxy.listen)}; change one of them`)];
    }
    const names = [...loop, index].map((each) => `"${proxies[each]?.name}"`).join(" -> ");
    return [wrong(path, `connections would go in a circle: ${names}; change one of the targets`)];
  });
}

/** The proxies that a proxy's targets lead to, as positions. */
function reached(from: ProxyConfig, proxies: readonly ProxyConfig[]): number[] {
  return proxies.flatMap((proxy, index) => (from.targets.some((each) => leadsTo(from, each, proxy)) ? [index] : []));
}

function leadsTo(from: Pick<ProxyConfig, "listen">, { address }: TargetConfig, { listen }: ProxyConfig): boolean {
  // Where a name of DNS leads is not known yet.
  return isAddress(address) && covers(listen, asReached(from, address));
}
