/** The part of the page for Prometheus that is about observers. */
import { OBSERVER_CELL, ObserverCounters } from "../observe/observer-counters.ts";
import { labels } from "./labels.ts";

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly cell: (typeof OBSERVER_CELL)[keyof typeof OBSERVER_CELL];
}

const FAMILIES: readonly Family[] = [
  {
    name: "weir_observer_bytes_total",
    type: "counter",
    help: "Bytes of clients and targets that were given to connections of an observer.",
    cell: OBSERVER_CELL.bytes,
  },
  {
    name: "weir_observer_lost_bytes_total",
    type: "counter",
    help: "Bytes that were not, because it was too slow or not there.",
    cell: OBSERVER_CELL.lost,
  },
  {
    name: "weir_observer_gaps_total",
    type: "counter",
    help: "Runs of lost bytes, and connections that ended with bytes on their way.",
    cell: OBSERVER_CELL.gaps,
  },
  {
    name: "weir_observer_waiting_bytes",
    type: "gauge",
    help: "Bytes that wait for an observer.",
    cell: OBSERVER_CELL.waiting,
  },
  {
    name: "weir_observer_connections",
    type: "gauge",
    help: "Connections for which an observer is connected.",
    cell: OBSERVER_CELL.connections,
  },
  {
    name: "weir_observer_connect_failures_total",
    type: "counter",
    help: "Attempts to connect an observer that failed.",
    cell: OBSERVER_CELL.connectFailures,
  },
  {
    name: "weir_observer_disconnects_total",
    type: "counter",
    help: "Times an observer was cut off because it was too slow.",
    cell: OBSERVER_CELL.disconnects,
  },
];

/** Lines, without an end of line; none where there are no observers. One that is there twice is counted as one. */
export function observerFamilies(figures: readonly ObserverCounters[]): readonly string[] {
  if (figures.length === 0) return [];
  const byLabels = new Map<string, ObserverCounters[]>();
  for (const each of figures) {
    const set = labels({ proxy: each.proxy, observer: each.observer });
    byLabels.set(set, [...(byLabels.get(set) ?? []), each]);
  }
  const sums = [...byLabels].map(([set, parts]) => ({ set, sum: ObserverCounters.sum(parts) }));
  return FAMILIES.flatMap(({ name, type, help, cell }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...sums.map(({ set, sum }) => `${name}${set} ${sum.get(cell)}`),
  ]);
}
