/** Figures of a proxy that all who show them make of its counters in the same way. */
import { CELL, Counters } from "../metrics/counters.ts";
import { FAILURES } from "../metrics/reason.ts";
import type { ProxyControl } from "../proxy/control.ts";

/** Clients that got no target. */
export function failed(counters: Counters): number {
  return FAILURES.reduce((sum, reason) => sum + counters.endedBy(reason), 0);
}

const LOST = [
  CELL.unsentUpstream,
  CELL.unsentDownstream,
  CELL.overrunUpstream,
  CELL.overrunDownstream,
  CELL.faultedUpstream,
  CELL.faultedDownstream,
] as const;

/** Datagrams that came and did not go on, whatever the reason. */
export function lostDatagrams(counters: Counters): number {
  return LOST.reduce((sum, cell) => sum + counters.get(cell), 0);
}

/** The counters of each target by its address, those of all threads together. */
export function countersOfTargets({ config, figures }: ProxyControl): (address: string) => Counters {
  const known = new Map(Counters.merged(figures).map((each) => [each.target, each]));
  return (address) => known.get(address) ?? new Counters(config.name, address);
}
