/** The part of the page for Prometheus that is about datagrams. */
import { CELL, type Counters } from "./counters.ts";
import { type Family, familyLines, owner, single } from "./family.ts";
import { labels } from "./labels.ts";

const ANY = () => true;
const BOTH_WAYS = { upstream: "Upstream", downstream: "Downstream" } as const;

const FAMILIES: readonly Family[] = [
  byDirection("weir_datagrams_total", "Datagrams read, by direction.", "datagrams"),
  byDirection(
    "weir_datagrams_unsent_total",
    "Datagrams read that never left: nobody to send them to, or the kernel did not take them.",
    "unsent",
  ),
  byDirection(
    "weir_datagrams_overrun_total",
    "Datagrams that arrived and were lost because nobody read in time, as far as the kernel tells.",
    "overrun",
  ),
  byDirection("weir_datagrams_faulted_total", "Datagrams that a fault took away.", "faulted"),
  single(
    "weir_datagrams_refused_total",
    "counter",
    "Times a target's machine said that nobody listens there (ICMP).",
    ({ target }) => target !== "",
    "datagramsRefused",
  ),
];

function byDirection(name: string, help: string, cell: "datagrams" | "unsent" | "overrun" | "faulted"): Family {
  return {
    name,
    type: "counter",
    help,
    of: ANY,
    lines: (counters) =>
      Object.entries(BOTH_WAYS).map(([direction, suffix]) => {
        return `${name}${labels(owner(counters), { direction })} ${counters.get(CELL[`${cell}${suffix}`])}`;
      }),
  };
}

/** Lines, without an end of line; none where there are no datagrams. `proxies`: the names of those that relay them now. */
export function datagramFamilies(figures: readonly Counters[], proxies: ReadonlySet<string>): readonly string[] {
  const theirs = figures.filter((each) => proxies.has(each.proxy) || hasRelayed(each));
  return theirs.length === 0 ? [] : FAMILIES.flatMap((family) => familyLines(family, theirs));
}

function hasRelayed(counters: Counters): boolean {
  return counters.get(CELL.datagramsUpstream) + counters.get(CELL.datagramsDownstream) > 0;
}
