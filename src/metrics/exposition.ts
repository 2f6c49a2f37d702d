/**
 * The page that Prometheus reads (text exposition format 0.0.4): the four old lines, then weir's own
 * families, labelled by proxy and target.
 */

import { CELL, type Counters } from "./counters.ts";
import type { HistogramView } from "./histogram.ts";
import { FAILURES, REASONS } from "./reason.ts";
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

export function exposition(counters: readonly Counters[], build: BuildInfo, engine: EngineFigures): string {
  const page = [...fourLines(totals(counters)), ...buildInfo(build), ...engineFigures(engine)];
  for (const family of FAMILIES) {
    page.push(`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`);
    for (const each of counters) page.push(...family.lines(each));
  }
  return `${page.join("\n")}\n`;
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

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  lines(counters: Counters): string[];
}

const BOTH_WAYS = { upstream: "Upstream", downstream: "Downstream" } as const;

/** A family with one line per direction. */
function byDirection(name: string, help: string, cell: "bytes" | "pauses" | "undelivered"): Family {
  return {
    name,
    type: "counter",
    help,
    lines: (counters) =>
      Object.entries(BOTH_WAYS).map(([direction, suffix]) => {
        const value = counters.get(CELL[`${cell}${suffix}`]);
        return `${name}${labels(owner(counters), { direction })} ${value}`;
      }),
  };
}

function single(
  name: string,
  type: "counter" | "gauge",
  help: string,
  cell: "connections" | "active" | "retries",
): Family {
  return { name, type, help, lines: (counters) => [`${name}${labels(owner(counters))} ${counters.get(CELL[cell])}`] };
}

function timing(name: string, help: string, view: (counters: Counters) => HistogramView): Family {
  return {
    name,
    type: "histogram",
    help,
    lines(counters) {
      const { buckets, count, sum } = view(counters);
      const set = owner(counters);
      return [
        ...buckets.map((bucket) => `${name}_bucket${labels(set, { le: String(bucket.bound) })} ${bucket.count}`),
        `${name}_bucket${labels(set, { le: "+Inf" })} ${count}`,
        `${name}_sum${labels(set)} ${sum}`,
        `${name}_count${labels(set)} ${count}`,
      ];
    },
  };
}

const FAMILIES: readonly Family[] = [
  single("weir_connections_total", "counter", "Connections accepted.", "connections"),
  single("weir_connections_active", "gauge", "Connections open now.", "active"),
  single("weir_connect_retries_total", "counter", "Further attempts to connect a target.", "retries"),
  {
    name: "weir_connections_failed_total",
    type: "counter",
    help: "Connections that could not be given a target, by cause.",
    lines: (counters) =>
      FAILURES.map(
        (cause) =>
          `weir_connections_failed_total${labels(owner(counters), { cause: cause.replace("connect_", "") })} ${counters.endedBy(cause)}`,
      ),
  },
  {
    name: "weir_connections_ended_total",
    type: "counter",
    help: "Connections that were relayed and are over, by reason.",
    lines: (counters) =>
      REASONS.filter((reason) => !FAILURES.includes(reason)).map(
        (reason) => `weir_connections_ended_total${labels(owner(counters), { reason })} ${counters.endedBy(reason)}`,
      ),
  },
  byDirection("weir_bytes_total", "Bytes read, by direction.", "bytes"),
  byDirection("weir_undelivered_bytes_total", "Bytes read that the other side did not take.", "undelivered"),
  byDirection("weir_buffer_pauses_total", "Times a sender was held back because its receiver was full.", "pauses"),
  timing("weir_connect_seconds", "Time from accept to an established target connection.", (each) => each.connectTime),
  timing("weir_connection_duration_seconds", "Time from accept to the end of a connection.", (each) => each.duration),
];

function owner({ proxy, target }: Counters): Record<string, string> {
  return { proxy, target };
}

function labels(...sets: Record<string, string>[]): string {
  const pairs = sets.flatMap((set) => Object.entries(set)).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
}
