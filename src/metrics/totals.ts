/** The four figures that weir has in common with older relays, and the two forms in which they are printed. */
import { CELL, type Counters } from "./counters.ts";

export interface Totals {
  readonly connectionsActive: number;
  readonly connectionsTotal: number;
  /** Bytes read from clients. */
  readonly bytesUpstream: number;
  /** Bytes read from targets. */
  readonly bytesDownstream: number;
}

export function totals(counters: Iterable<Counters>): Totals {
  let [connectionsActive, connectionsTotal, bytesUpstream, bytesDownstream] = [0, 0, 0, 0];
  for (const each of counters) {
    connectionsActive += each.get(CELL.active);
    connectionsTotal += each.get(CELL.connections);
    bytesUpstream += each.get(CELL.bytesUpstream);
    bytesDownstream += each.get(CELL.bytesDownstream);
  }
  return { connectionsActive, connectionsTotal, bytesUpstream, bytesDownstream };
}

/** The body of `/metrics?format=json`. */
export function totalsJson(sum: Totals): Record<string, number> {
  return {
    active_connections: sum.connectionsActive,
    total_connections: sum.connectionsTotal,
    bytes_upstream: sum.bytesUpstream,
    bytes_downstream: sum.bytesDownstream,
  };
}

/** `1.5MB`, `800.0KB`, `512B`: units of 1,000. */
export function formatBytes(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  let value = bytes;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return unit === 0 ? `${bytes}B` : `${value.toFixed(1)}${units[unit]}`;
}
