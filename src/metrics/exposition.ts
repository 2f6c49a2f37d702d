/**
 * The page that Prometheus reads (text exposition format 0.0.4): the four old lines, then weir's own families. What is
 * known when a connection is accepted is labelled by proxy, what it does by proxy and target; connections that never
 * got a target have no such label.
 */

import type { TargetView } from "../balance/group.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { BridgeControl } from "../datagram/bridge/control.ts";
import type { ObserverCounters } from "../observe/observer-counters.ts";
import { bridgeFamilies } from "./bridge-families.ts";
import { CELL, Counters } from "./counters.ts";
import { datagramFamilies } from "./datagram-families.ts";
import { type Family, familyLines, owner, single, timing } from "./family.ts";
import { labels } from "./labels.ts";
import { muxFamilies } from "./mux-families.ts";
import { observerFamilies } from "./observer-families.ts";
import { DENIALS, FAILURES, REASONS, REFUSED, type Reason } from "./reason.ts";
import { tlsFamilies } from "./tls-families.ts";
import { type Totals, totals } from "./totals.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface BuildInfo {
  readonly version: string;
  readonly runtime: string;
  readonly runtimeVersion: string;
  readonly engine: string;
}

export interface EngineFigures {
  readonly workers: number;
  readonly shares: readonly number[];
  readonly restarts: number;
  readonly eventsLost: number;
}

/** What there is to say about one proxy. */
export interface ProxyFigures {
  readonly config: Pick<ProxyConfig, "name" | "mux" | "listen">;
  /** Of the proxy itself, without a target, and of each target. */
  readonly figures: readonly Counters[];
  readonly targets: readonly TargetView[];
  /** What observers have got. */
  readonly copies: readonly ObserverCounters[];
  /** Those of TLS, with the days that each is still valid. */
  readonly certificates?: readonly { readonly file: string; readonly daysLeft: number }[];
}

/** `past`: what those have counted that are no more. */
export function exposition(
  proxies: readonly ProxyFigures[],
  past: readonly Counters[],
  build: BuildInfo,
  engine: EngineFigures,
  bridges: readonly BridgeControl[] = [],
): string {
  // A proxy that was replaced is there twice, for a while: each set of labels once.
  const figures = Counters.merged([...proxies.flatMap((proxy) => proxy.figures), ...past]);
  const page = [...fourLines(totals(figures)), ...buildInfo(build), ...engineFigures(engine)];
  page.push(...FAMILIES.flatMap((family) => familyLines(family, figures)));
  const multiplexing = new Set(proxies.flatMap(({ config }) => (config.mux ? config.name : [])));
  const shared = muxFamilies(figures, multiplexing);
  const relaying = new Set(proxies.flatMap(({ config }) => (config.listen.kind === "udp" ? config.name : [])));
  const datagrams = datagramFamilies(figures, relaying);
  const copies = observerFamilies(proxies.flatMap((proxy) => proxy.copies));
  const tls = tlsFamilies(figures, proxies);
  const parts = [...page, ...targetStates(proxies), ...shared, ...datagrams, ...copies, ...tls];
  return `${[...parts, ...bridgeFamilies(bridges)].join("\n")}\n`;
}

/** How targets are now. */
function targetStates(proxies: readonly ProxyFigures[]): string[] {
  const gauge = (name: string, help: string, value: (view: TargetView) => number) => {
    const lines = new Map<string, number>();
    for (const { config, targets } of proxies) {
      for (const view of targets) lines.set(labels({ proxy: config.name, target: view.address }), value(view));
    }
    return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...[...lines].map((line) => `${name}${line.join(" ")}`)];
  };
  return [
    ...gauge("weir_target_up", "1 as long as the health checks find the target well, or there are none.", (view) =>
      view.healthy ? 1 : 0,
    ),
    ...gauge("weir_target_weight", "Its share of new connections; 0 if it is drained or disabled.", (view) =>
      view.state === "ready" ? view.weight : 0,
    ),
  ];
}

/** The older relays' page had these four lines alone; the comments above them make the linter of Prometheus content. */
function fourLines(sum: Totals): string[] {
  return [
    "# HELP connections_active Connections open now, over all proxies.",
    "# TYPE connections_active gauge",
    "# HELP connections_total Connections accepted, over all proxies.",
    "# TYPE connections_total counter",
    "# HELP bytes_upstream Bytes from clients, over all proxies.",
    "# TYPE bytes_upstream untyped",
    "# HELP bytes_downstream Bytes from targets, over all proxies.",
    "# TYPE bytes_downstream untyped",
    `connections_active ${sum.connectionsActive}`,
    `connections_total ${sum.connectionsTotal}`,
    `bytes_upstream ${sum.bytesUpstream}`,
    `bytes_downstream ${sum.bytesDownstream}`,
  ];
}

function engineFigures({ workers, shares, restarts, eventsLost }: EngineFigures): string[] {
  return [
    "# HELP weir_workers Threads that relay; 0 in portable mode, where the main thread does.",
    "# TYPE weir_workers gauge",
    `weir_workers ${workers}`,
    "# HELP weir_worker_connections_total Connections accepted, by thread.",
    "# TYPE weir_worker_connections_total counter",
    ...shares.map((share, worker) => `weir_worker_connections_total{worker="${worker}"} ${share}`),
    "# HELP weir_worker_restarts_total Threads that died and were replaced.",
    "# TYPE weir_worker_restarts_total counter",
    `weir_worker_restarts_total ${restarts}`,
    "# HELP weir_events_lost_total Log events of connections that were dropped because nobody kept up.",
    "# TYPE weir_events_lost_total counter",
    `weir_events_lost_total ${eventsLost}`,
  ];
}

function buildInfo({ version, runtime, runtimeVersion, engine }: BuildInfo): string[] {
  const name = "weir_build_info";
  const set = labels({ version, runtime, runtime_version: runtimeVersion, engine });
  return [`# HELP ${name} Always 1; the labels tell what runs.`, `# TYPE ${name} gauge`, `${name}${set} 1`];
}

const PROXIES = (counters: Counters) => counters.target === "";
const TARGETS = (counters: Counters) => counters.target !== "";
const BOTH = () => true;

const BOTH_WAYS = { upstream: "Upstream", downstream: "Downstream" } as const;

/** A family with one line per direction. */
function byDirection(name: string, help: string, cell: "bytes" | "pauses" | "undelivered"): Family {
  return {
    name,
    type: "counter",
    help,
    // What a client has sent behind its PROXY header may have been for nobody.
    of: (counters) => TARGETS(counters) || counters.get(CELL[`${cell}Upstream`]) > 0,
    lines: (counters) =>
      Object.entries(BOTH_WAYS).map(([direction, suffix]) => {
        const value = counters.get(CELL[`${cell}${suffix}`]);
        return `${name}${labels(owner(counters), { direction })} ${value}`;
      }),
  };
}

const FAMILIES: readonly Family[] = [
  single("weir_connections_total", "counter", "Connections accepted.", PROXIES, "connections"),
  single("weir_connections_active", "gauge", "Connections open now.", PROXIES, "active"),
  single("weir_queue_length", "gauge", "Connections that wait for room.", PROXIES, "waiting"),
  single(
    "weir_target_connections_total",
    "counter",
    "Connections given to a target, attempts included.",
    TARGETS,
    "targetConnections",
  ),
  single("weir_target_connections_active", "gauge", "Connections that a target has now.", TARGETS, "targetActive"),
  single("weir_connect_retries_total", "counter", "Further attempts to connect a target.", TARGETS, "retries"),
  {
    name: "weir_connections_failed_total",
    type: "counter",
    help: "Connections that were refused or could not be given a target, by cause.",
    of: BOTH,
    lines: (counters) =>
      FAILURES.filter((cause) => belongs(counters, REFUSED.includes(cause), cause)).map(
        (cause) =>
          `weir_connections_failed_total${labels(owner(counters), { cause: cause.replace("connect_", "") })} ${counters.endedBy(cause)}`,
      ),
  },
  {
    name: "weir_connections_denied_total",
    type: "counter",
    help: "Clients that a rule has shut out, by the kind of rule.",
    of: PROXIES,
    lines: (counters) =>
      DENIALS.map((by) => `weir_connections_denied_total${labels(owner(counters), { by })} ${counters.deniedBy(by)}`),
  },
  single("weir_tls_alerts_total", "counter", "TLS clients that were told why they are refused.", PROXIES, "alerts"),
  {
    name: "weir_connections_ended_total",
    type: "counter",
    help: "Connections that were relayed and are over, by reason.",
    of: BOTH,
    lines: (counters) =>
      REASONS.filter((reason) => !FAILURES.includes(reason) && belongs(counters, false, reason)).map(
        (reason) => `weir_connections_ended_total${labels(owner(counters), { reason })} ${counters.endedBy(reason)}`,
      ),
  },
  byDirection("weir_bytes_total", "Bytes read, by direction.", "bytes"),
  byDirection("weir_undelivered_bytes_total", "Bytes read that the other side did not take.", "undelivered"),
  byDirection("weir_buffer_pauses_total", "Times a sender was held back because its receiver was full.", "pauses"),
  timing(
    "weir_connect_seconds",
    "Time from accept to an established target connection.",
    TARGETS,
    (each) => each.connectTime,
  ),
  timing(
    "weir_connection_duration_seconds",
    "Time from accept to the end of a connection.",
    BOTH,
    (each) => each.duration,
  ),
];

/** Lines that can only say 0 are left out: of a proxy what needs a target, of a target what comes before it. */
function belongs(counters: Counters, isFront: boolean, reason: Reason): boolean {
  return PROXIES(counters) === isFront || counters.endedBy(reason) > 0;
}
