/** Families of figures as Prometheus reads them: one name, and a line, or several, for each proxy or target. */
import { CELL, type Counters } from "./counters.ts";
import type { HistogramView } from "./histogram.ts";
import { labels } from "./labels.ts";

export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Whether it is about such figures at all. */
  readonly of: (counters: Counters) => boolean;
  lines(counters: Counters): string[];
}

/** With the comments above; lines have no end. */
export function familyLines({ name, type, help, of, lines }: Family, figures: readonly Counters[]): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...figures.filter(of).flatMap(lines)];
}

/** The labels that say whose figures they are. */
export function owner({ proxy, target }: Counters): Record<string, string> {
  return target === "" ? { proxy } : { proxy, target };
}

/** A family of what is in one cell. */
export function single(
  name: string,
  type: "counter" | "gauge",
  help: string,
  of: Family["of"],
  cell: keyof typeof CELL,
): Family {
  const lines = (counters: Counters) => [`${name}${labels(owner(counters))} ${counters.get(CELL[cell])}`];
  return { name, type, help, of, lines };
}

export function timing(
  name: string,
  help: string,
  of: Family["of"],
  view: (counters: Counters) => HistogramView,
): Family {
  return {
    name,
    type: "histogram",
    help,
    of,
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
