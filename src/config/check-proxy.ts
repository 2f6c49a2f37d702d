/** What can be wrong with one proxy whose single values are all right. */
import { covers, formatAddress } from "../net/address.ts";
import { formatTarget, sameTarget } from "../net/target-name.ts";
import { checkFaults } from "./check-faults.ts";
import { checkMux } from "./check-mux.ts";
import { checkRoutes } from "./check-routes.ts";
import { checkTls } from "./check-tls.ts";
import { checkUdpProxy } from "./check-udp-proxy.ts";
import type { ProxyConfig } from "./config.ts";
import { type Path, type Problem, wrong } from "./problem.ts";

/**
 * Finds contradictions within a proxy: rules that can never hold, targets that can never be chosen. Paths begin at the
 * proxy (`targets[1]`).
 */
export function checkProxy(proxy: ProxyConfig): Problem[] {
  return [
    ...rulesForNobody(proxy),
    ...portOfNobody(proxy),
    ...healthRules(proxy),
    ...targetsForNobody(proxy),
    ...repeatedTargets(proxy),
    ...observersOfThemselves(proxy),
    ...checkTls(proxy),
    ...checkMux(proxy),
    ...checkRoutes(proxy),
    ...checkUdpProxy(proxy),
    ...checkFaults(proxy),
  ];
}

/** Rules about IP addresses where no client has one. */
function rulesForNobody({ listen, ...proxy }: ProxyConfig): Problem[] {
  if (listen.kind !== "unix") return [];
  const { allow, deny, allowFile, denyFile, perSource, proxyProtocol } = proxy;
  const guard = "; guard it by the rights of its directory";
  const limit = " to count them by; limit all of them with max_connections";
  const header = ", so that none of them is asked for a PROXY header; leave that out";
  const rules: readonly [given: boolean, path: Path, remedy: string][] = [
    [allow.length > 0, ["allow"], guard],
    [deny.length > 0, ["deny"], guard],
    [allowFile !== null, ["allow_file"], guard],
    [denyFile !== null, ["deny_file"], guard],
    [perSource.maxConnections > 0, ["max_connections_per_source"], limit],
    [perSource.perSecond > 0, ["rate"], limit],
    [proxyProtocol.acceptFrom.length > 0, ["proxy_protocol", "accept_from"], header],
  ];
  return rules.flatMap(([given, path, remedy]) => {
    return given ? [wrong(path, `clients of a unix socket have no IP address${remedy}`)] : [];
  });
}

function portOfNobody({ listen, reusePort }: ProxyConfig): Problem[] {
  if (listen.kind !== "unix" || !reusePort) return [];
  const why = "a unix socket has no port that processes could share; leave reuse_port out";
  return [wrong(["reuse_port"], why)];
}

function healthRules({ health }: ProxyConfig): Problem[] {
  if (!health) return [];
  const { http, send, expect, status } = health;
  if (http === null) {
    const why = 'health checks see a status over HTTP alone; add http = "/…" or leave status out';
    return status.length > 0 ? [wrong(["health", "status"], why)] : [];
  }
  const both = "health checks have either http, or send and expect; keep one of the two";
  return (send ?? expect) === null ? [] : [wrong(["health", "http"], both)];
}

function targetsForNobody({ targets }: ProxyConfig): Problem[] {
  const problems: Problem[] = [];
  if (targets.every(({ backup }) => backup)) {
    problems.push(wrong(["targets"], "every target is a backup; leave backup out for one of them at least"));
  }
  if (targets.every(({ address, weight }) => weight === 0 && address.kind !== "dns+srv")) {
    const why = "every target has the weight 0, so that none gets a connection; give one of them more";
    problems.push(wrong(["targets"], why));
  }
  for (const [index, { address, weight }] of targets.entries()) {
    if (address.kind !== "dns+srv" || weight === 1) continue;
    const why = `DNS gives the weights of what is behind ${formatTarget(address)}; leave weight out`;
    problems.push(wrong(["targets", index, "weight"], why));
  }
  return problems;
}

function repeatedTargets({ targets }: ProxyConfig): Problem[] {
  return targets.flatMap(({ address, sni, alpn }, index) => {
    if (targets.findIndex((other) => sameTarget(other.address, address)) === index) return [];
    const remedy = (sni ?? alpn) ? "write all its names and protocols into one" : "give it a weight instead";
    const why = `the target ${formatTarget(address)} is there twice; ${remedy}`;
    return [wrong(["targets", index], why)];
  });
}

/** An observer at the proxy's own address would get copies of its copies, for ever. */
function observersOfThemselves({ listen, observers }: ProxyConfig): Problem[] {
  return observers.flatMap(({ address }, index) => {
    if (address.kind !== "tcp" && address.kind !== "unix") return [];
    if (!covers(listen, address)) return [];
    const why = `${formatAddress(address)} is where this proxy listens: each copy would be copied again`;
    return [wrong(["observer", index, "address"], why)];
  });
}
