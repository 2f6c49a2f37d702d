/** The part of the page for Prometheus that is about bridges. */
import type { BridgeControl, EndView } from "../datagram/bridge/control.ts";
import { labels } from "./labels.ts";

interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly of: (end: EndView) => number;
}

const FAMILIES: readonly Family[] = [
  {
    name: "weir_udp_datagrams_total",
    type: "counter",
    help: "Datagrams that came from a source, or were to go to a destination.",
    of: (end) => end.datagrams,
  },
  {
    name: "weir_udp_bytes_total",
    type: "counter",
    help: "Bytes of those.",
    of: (end) => end.bytes,
  },
  {
    name: "weir_udp_refused_total",
    type: "counter",
    help: "Answers of destinations that nobody listens there.",
    of: (end) => end.refused,
  },
  {
    name: "weir_udp_connections",
    type: "gauge",
    help: "Connections that send, or get, what passes.",
    of: (end) => end.connections,
  },
  {
    name: "weir_udp_failures_total",
    type: "counter",
    help: "Attempts to connect, to join or to open a file that failed.",
    of: (end) => end.failures,
  },
  {
    name: "weir_udp_disconnects_total",
    type: "counter",
    help: "Connections that were cut off because they were too slow.",
    of: (end) => end.disconnects,
  },
];

const LOST = "weir_udp_lost_datagrams_total";
const REASONS = ["overrun", "unsent", "full", "looped"] as const;

/** Lines, without an end of line; none where there are no bridges. */
export function bridgeFamilies(bridges: readonly BridgeControl[]): readonly string[] {
  const ends = bridges.flatMap(({ config, ends }) => {
    return ends.map((end) => ({ end, set: { udp: config.name, direction: end.direction, end: end.address } }));
  });
  if (ends.length === 0) return [];
  return [
    ...FAMILIES.flatMap(({ name, type, help, of }) => [
      `# HELP ${name} ${help}`,
      `# TYPE ${name} ${type}`,
      ...ends.map(({ end, set }) => `${name}${labels(set)} ${of(end)}`),
    ]),
    `# HELP ${LOST} Datagrams that were lost, or dropped because they had come back.`,
    `# TYPE ${LOST} counter`,
    ...ends.flatMap(({ end, set }) => REASONS.map((reason) => `${LOST}${labels(set, { reason })} ${end[reason]}`)),
  ];
}
