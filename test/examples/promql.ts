/** Just enough of PromQL to know which metrics and labels an expression speaks of. */

/** Labels that Prometheus itself adds. */
const ADDED = ["job", "instance"];

interface Use {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** Every metric in the expression, with the labels that are asked of it: in its braces, and in every `by (…)`. */
export function usesOf(expression: string): readonly Use[] {
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = ""]) => names.split(/,\s*/));
  return [...expression.matchAll(/\b(weir_\w+)\b(?:\{([^}]*)\})?/g)].map(([, metric = "", braces = ""]) => {
    const selected = [...braces.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, name = ""]) => name);
    return { metric, labels: without([...selected, ...grouped], ADDED) };
  });
}

/** Labels that a text fills in: `{{proxy}}`, `{{ $labels.proxy }}`. */
export function filledIn(text: string): readonly string[] {
  return without(
    [...text.matchAll(/\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}/g)].map(([, name = ""]) => name),
    ADDED,
  );
}

/** Each metric of a page for Prometheus with all labels that it has there. */
export function metricsOf(page: string): ReadonlyMap<string, ReadonlySet<string>> {
  const metrics = new Map<string, Set<string>>();
  for (const [, name = "", braces = ""] of page.matchAll(/^([a-z_]+)(?:\{(.*)\})? \S+$/gm)) {
    const labels = metrics.get(name) ?? new Set();
    for (const [, label = ""] of braces.matchAll(/([a-z_]+)="/g)) labels.add(label);
    metrics.set(name, labels);
  }
  return metrics;
}

function without(names: readonly string[], others: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => !others.includes(name));
}
