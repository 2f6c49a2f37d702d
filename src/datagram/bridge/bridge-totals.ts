/** What all bridges together have moved, for the lines of the log. */
import { formatBytes } from "../../metrics/totals.ts";
import type { BridgeControl } from "./control.ts";

export interface BridgeTotals {
  readonly datagramsIn: number;
  readonly bytesIn: number;
  readonly datagramsOut: number;
  readonly bytesOut: number;
  /** Datagrams that were lost somewhere, for whatever reason. */
  readonly lost: number;
}

/** Undefined where there are none. */
export function bridgeTotals(bridges: readonly BridgeControl[]): BridgeTotals | undefined {
  if (bridges.length === 0) return undefined;
  const ends = bridges.flatMap((bridge) => bridge.ends);
  const sum = (of: (end: (typeof ends)[number]) => number) => ends.reduce((total, end) => total + of(end), 0);
  const only = (direction: "from" | "to", of: "datagrams" | "bytes") =>
    sum((end) => (end.direction === direction ? end[of] : 0));
  return {
    datagramsIn: only("from", "datagrams"),
    bytesIn: only("from", "bytes"),
    datagramsOut: only("to", "datagrams"),
    bytesOut: only("to", "bytes"),
    lost: sum(({ overrun, unsent, full }) => overrun + unsent + full),
  };
}

export function describeTotals({ datagramsIn, bytesIn, datagramsOut, bytesOut, lost }: BridgeTotals): string {
  const came = `in: ${datagramsIn} (${formatBytes(bytesIn)})`;
  const went = `out: ${datagramsOut} (${formatBytes(bytesOut)})`;
  return `[METRICS] datagrams ${came} | ${went} | lost: ${lost}`;
}
