/** What can be wrong with a UDP proxy whose single values are all right, and with one for connections that means UDP. */

import type { FaultConfig } from "../filter/faults/fault.ts";
import { isDatagramFault, isStreamFault } from "../filter/faults/fault.ts";
import { formatAddress } from "../net/address.ts";
import { formatTarget } from "../net/target-name.ts";
import { DEFAULTS, type ProxyConfig } from "./config.ts";
import { type Path, type Problem, wrong } from "./problem.ts";

/** Paths begin at the proxy (`timeouts.fin`). */
export function checkUdpProxy(proxy: ProxyConfig): Problem[] {
  if (proxy.listen.kind !== "udp") return udpTargets(proxy);
  return [...meaningless(proxy), ...otherTargets(proxy), ...headers(proxy), ...unbounded(proxy)];
}

/** Why a fault is none of such a proxy, with the key that is to blame. */
export function transportProblem(
  { name, type }: FaultConfig,
  listen: ProxyConfig["listen"],
): { readonly key: string; readonly message: string } | undefined {
  const udp = listen.kind === "udp";
  if (type === "down" || (udp ? isDatagramFault(type) : isStreamFault(type))) return undefined;
  const why = udp
    ? "is one of connections, and this proxy relays datagrams; use drop_datagram, duplicate_datagram, reorder_datagram, delay_datagram or down"
    : "is one of datagrams, and this proxy relays connections; use one of streams, such as latency";
  return { key: "type", message: `the fault "${name}" (${type}) ${why}` };
}

/** Whether somebody has said so, what, and why it cannot be. */
type Rule = readonly [given: boolean, path: Path, why: string];

function meaningless(proxy: ProxyConfig): Problem[] {
  const usual = DEFAULTS.proxy;
  const { timeouts, queue, proxyProtocol } = proxy;
  const stream = "is for connections, and this proxy relays datagrams";
  const bytes = "works on streams of bytes, and this proxy relays datagrams";
  const rules: readonly Rule[] = [
    [proxy.mux !== null, ["protocol"], "clients share connections, which datagrams have none of; listen on tcp"],
    [proxy.buffer !== usual.buffer, ["buffer"], `buffer ${stream}`],
    [proxy.noDelay !== usual.noDelay, ["nodelay"], `nodelay ${stream}`],
    [proxy.keepAlive !== usual.keepAlive, ["keepalive"], `keepalive ${stream}`],
    [proxy.reusePort, ["reuse_port"], "another process would get the datagrams of sessions that are here"],
    [proxy.refuse !== usual.refuse, ["refuse"], "who is shut out over UDP gets no answer"],
    [proxy.retries !== usual.retries, ["retries"], `retries ${stream}, which can fail to be opened`],
    [proxy.tls !== null, ["tls"], "there is no TLS over UDP here"],
    [proxy.targetTls !== null, ["target_tls"], "there is no TLS over UDP here"],
    [timeouts.hello !== usual.timeouts.hello, ["timeouts", "hello"], `timeouts.hello ${stream}`],
    [timeouts.fin !== usual.timeouts.fin, ["timeouts", "fin"], `timeouts.fin ${stream}`],
    [queue.size !== usual.queue.size, ["queue", "size"], "nobody waits for a session: the idlest makes room"],
    [queue.timeout !== usual.queue.timeout, ["queue", "timeout"], "nobody waits for a session: the idlest makes room"],
    [
      proxyProtocol.acceptFrom.length > 0,
      ["proxy_protocol", "accept_from"],
      "PROXY headers are read from connections alone",
    ],
    [proxy.observers.length > 0, ["observer"], `an observer ${bytes}`],
    [proxy.inspects.length > 0, ["inspect"], `inspect ${bytes}`],
    [proxy.filters.length > 0, ["filter"], `a filter ${bytes}`],
  ];
  return rules.flatMap(([given, path, why]) => (given ? [wrong(path, `${why}; leave it out`)] : []));
}

/** Targets that somebody has written udp://, of a proxy that relays connections. */
function udpTargets({ listen, targets }: ProxyConfig): Problem[] {
  return targets.flatMap(({ address, datagrams }, index) => {
    if (!datagrams) return [];
    const here = listen.kind === "unix" ? "" : `; write listen = "udp://${formatAddress(listen)}" for a UDP proxy`;
    const why = `the target udp://${formatTarget(address)} takes datagrams, and this proxy relays connections${here}`;
    return [wrong(["targets", index], why)];
  });
}

function otherTargets({ targets }: ProxyConfig): Problem[] {
  return targets.flatMap(({ address, sni, alpn }, index) => {
    const key = sni ? "sni" : alpn ? "alpn" : undefined;
    if (key) return [wrong(["targets", index, key], `${key} is what TLS clients say, over connections; leave it out`)];
    if (address.kind === "tcp" && address.tls) {
      return [wrong(["targets", index], `there is no TLS over UDP here; write "${address.host}:${address.port}"`)];
    }
    if (address.kind !== "unix") return [];
    return [
      wrong(["targets", index], `${formatTarget(address)} takes no UDP datagrams; write an IP address and a port`),
    ];
  });
}

/** The text of version 1 knows TCP alone (proxy-protocol.txt, section 2.1). */
function headers({ proxyProtocol }: ProxyConfig): Problem[] {
  if (proxyProtocol.send !== "v1") return [];
  return [wrong(["proxy_protocol", "send"], 'version 1 of the PROXY protocol has no words for UDP; write "v2"')];
}

/** Clients do not say goodbye: something has to end sessions. */
function unbounded({ timeouts, maxConnections }: ProxyConfig): Problem[] {
  if (timeouts.idle > 0 || maxConnections > 0) return [];
  const why = "without idle timeout and without max_connections no session would ever end; set one of the two";
  return [wrong(["timeouts", "idle"], why)];
}
