/** Prints figures: a line per round, and at the end the markdown table of medians and ratios. */

/** Every figure a test can have, in the order of the table, with its unit and which way is good. */
const FIGURES = {
  gbit_s: { label: "throughput, Gbit/s", better: "more" },
  req_s: { label: "requests/s", better: "more" },
  conn_s: { label: "connections/s", better: "more" },
  p50_us: { label: "p50, µs", better: "less" },
  p99_us: { label: "p99, µs", better: "less" },
  cpu_s_per_gb: { label: "CPU s per GB", better: "less" },
  cpu_us_per_req: { label: "CPU µs per request", better: "less" },
  cpu_us_per_conn: { label: "CPU µs per connection", better: "less" },
  refused_s: { label: "refused/s", better: "more" },
  held: { label: "connections held", better: "more" },
  rss_rest_mb: { label: "RSS at rest, MB", better: "less" },
  rss_after_mb: { label: "RSS after, MB", better: "less" },
  bytes_per_conn: { label: "bytes per connection", better: "less" },
  taken_mb: { label: "taken from the sender, MB", better: "less" },
  // No ratio: what grows by a page or two is noise, and a thousand times noise is no finding.
  growth_mb: { label: "growth, MB", better: "less", ratio: false },
  peak_mb: { label: "peak RSS, MB", better: "less" },
  errors: { label: "errors, in all", better: "less", total: true },
} as const satisfies Readonly<Record<string, { label: string; better: "more" | "less"; ratio?: false; total?: true }>>;

type Figure = keyof typeof FIGURES;

/** The figures of one run. */
export type Row = Readonly<Partial<Record<Figure, number>>>;

/** One look at a contender: its figures, or why there are none. */
export interface Run {
  readonly round: number;
  /** Those of one turn followed each other; 0 or less: one that was not to be measured. */
  readonly turn: number;
  readonly test: string;
  readonly contender: string;
  readonly row?: Row;
  readonly error?: string;
}

const OURS = "weir";

/** What `runs` of one round have brought for one contender. */
export function roundLine(runs: readonly Run[], round: number, test: string, contender: string): string {
  const row = medians(runs, test, contender);
  const error = runs.find((run) => run.contender === contender && run.error !== undefined)?.error;
  const text =
    error ??
    figures([row])
      .map((figure) => `${figure}=${digits(row[figure])}`)
      .join("  ");
  return `round ${round}  ${test.padEnd(6)}  ${contender.padEnd(8)} ${text}`;
}

/** The median of each figure over all turns, or the sum of what must not happen once, for one test and contender. */
export function medians(runs: readonly Run[], test: string, contender: string): Row {
  const rows = runs.filter((run) => run.test === test && run.contender === contender).map(({ row }) => row ?? {});
  const result: Partial<Record<Figure, number>> = {};
  for (const figure of figures(rows)) {
    const values = rows.map((row) => row[figure]).filter((value) => value !== undefined);
    result[figure] = "total" in FIGURES[figure] ? values.reduce((sum, value) => sum + value, 0) : median(values);
  }
  return result;
}

/**
 * The table of all tests: medians per contender in the first round's order, then the median of what weir's figure was of the
 * peer's in the same turn.
 */
export function table(runs: readonly Run[]): string {
  const contenders = [...new Set(runs.map(({ contender }) => contender))];
  const peers = contenders.includes(OURS) ? contenders.filter((name) => name !== OURS) : [];
  const head = ["test", "figure", "better", ...contenders, ...peers.map((peer) => `${OURS}/${peer}`)];
  const lines = [head, head.map((_, column) => (column < 3 ? "---" : "---:"))];
  for (const test of new Set(runs.map((run) => run.test))) {
    const of = new Map(contenders.map((name) => [name, medians(runs, test, name)]));
    for (const figure of figures([...of.values()])) {
      const value = (name: string) => of.get(name)?.[figure];
      const { label, better } = FIGURES[figure];
      const cells = contenders.map((name) => digits(value(name)));
      const ratios = peers.map((peer) => ("ratio" in FIGURES[figure] ? "–" : ratio(runs, test, figure, peer)));
      lines.push([test, label, better, ...cells, ...ratios]);
    }
  }
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function figures(rows: readonly Row[]): Figure[] {
  const all = Object.keys(FIGURES) as Figure[];
  return all.filter((figure) => rows.some((row) => row[figure] !== undefined));
}

/** Of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

function ratio(runs: readonly Run[], test: string, figure: Figure, peer: string): string {
  const ratios: number[] = [];
  for (const ours of runs.filter((run) => run.test === test && run.contender === OURS)) {
    const same = ({ round, turn, contender }: Run) => round === ours.round && turn === ours.turn && contender === peer;
    const mine = ours.row?.[figure];
    const theirs = runs.find((run) => run.test === test && same(run))?.row?.[figure];
    // Nothing can be divided by none, and memory that shrank is no multiple of memory that grew.
    if (mine !== undefined && theirs !== undefined && theirs > 0 && mine >= 0) ratios.push(mine / theirs);
  }
  return ratios.length === 0 ? "–" : median(ratios).toFixed(2);
}

/** Three significant digits, all of those before the point: 0.0123, 4.56, 789, 123,456. */
function digits(value: number | undefined): string {
  if (value === undefined) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
