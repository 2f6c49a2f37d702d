/** What `/api/status` answers: everything that runs, in one answer of one moment. */
import type { BridgeControl, EndView } from "../datagram/bridge/control.ts";
import type { Engine } from "../engine/engine.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import { totals } from "../metrics/totals.ts";
import { muxView } from "../mux/mux-view.ts";
import { formatAddress } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import type { BridgeStatus, ProxyStatus, Status, TargetStatus } from "../overview/status.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { VERSION } from "../version.ts";
import { countersOfTargets, failed, lostDatagrams } from "./figures.ts";

export interface StatusSource {
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly proxies: readonly ProxyControl[];
  readonly bridges: readonly BridgeControl[];
  /** What those counted that are no more. */
  readonly past: readonly Counters[];
  /** Every proxy listens and none is draining. */
  readonly ready: boolean;
  readonly started: Started;
}

/** When weir was started, by both clocks: the one of this machine may be set meanwhile. */
export interface Started {
  /** Milliseconds of `Runtime.now`. */
  readonly at: number;
  /** Milliseconds since 1970. */
  readonly wallClock: number;
}

export function statusOf({ runtime, engine, proxies, bridges, past, ready, started }: StatusSource): Status {
  const sum = totals([...proxies.map(({ counters }) => counters), ...past]);
  return {
    version: VERSION,
    runtime: runtime.name,
    runtime_version: runtime.version,
    engine: engine.mode,
    workers: engine.workers,
    state: ready ? "ready" : "draining",
    started_at: new Date(started.wallClock).toISOString(),
    uptime_seconds: Math.max(0, runtime.now() - started.at) / 1_000,
    connections_active: sum.connectionsActive,
    connections_total: sum.connectionsTotal,
    bytes_upstream: sum.bytesUpstream,
    bytes_downstream: sum.bytesDownstream,
    proxies: proxies.map(proxyStatus),
    udp: bridges.map(bridgeStatus),
  };
}

function proxyStatus(proxy: ProxyControl): ProxyStatus {
  const { config, counters } = proxy;
  return {
    name: config.name,
    listen: formatAddress(proxy.address),
    state: proxy.draining ? "draining" : "listening",
    protocol: config.mux?.protocol ?? null,
    connections_active: counters.get(CELL.active),
    connections_total: counters.get(CELL.connections),
    connections_failed: failed(counters),
    connections_waiting: counters.get(CELL.waiting),
    bytes_upstream: counters.get(CELL.bytesUpstream),
    bytes_downstream: counters.get(CELL.bytesDownstream),
    datagrams: datagrams(proxy, counters),
    targets: targetStates(proxy),
  };
}

function targetStates(proxy: ProxyControl): TargetStatus[] {
  const multiplexed = new Map(muxView(proxy)?.targets.map((view) => [view.address, view]));
  const countersOf = countersOfTargets(proxy);
  return proxy.targets.map(({ address, state, healthy, check, weight, backup, active }) => {
    const counters = countersOf(address);
    const mux = multiplexed.get(address);
    return {
      address,
      state,
      healthy,
      check,
      weight,
      backup,
      connections_active: active,
      connections_total: counters.get(CELL.targetConnections),
      connections_failed: failed(counters),
      bytes_upstream: counters.get(CELL.bytesUpstream),
      bytes_downstream: counters.get(CELL.bytesDownstream),
      datagrams: datagrams(proxy, counters),
      mux: mux
        ? {
            connections: mux.connections,
            requests: mux.requests,
            waiting: mux.waiting,
            in_flight: mux.inFlight,
            timeouts: mux.timeouts,
          }
        : null,
    };
  });
}

function datagrams({ config }: ProxyControl, counters: Counters): ProxyStatus["datagrams"] {
  if (config.listen.kind !== "udp") return null;
  return {
    upstream: counters.get(CELL.datagramsUpstream),
    downstream: counters.get(CELL.datagramsDownstream),
    lost: lostDatagrams(counters),
  };
}

function bridgeStatus({ config, ends, draining }: BridgeControl): BridgeStatus {
  return {
    name: config.name,
    state: draining ? "draining" : "bridging",
    ends: ends.map((end) => {
      const { direction, address, datagrams: many, bytes, connections } = end;
      return { direction, address, datagrams: many, bytes, lost: lostAt(end), connections };
    }),
  };
}

function lostAt({ overrun, unsent, full }: EndView): number {
  return overrun + unsent + full;
}
