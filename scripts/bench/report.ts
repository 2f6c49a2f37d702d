/** Prints figures: a line per run, and at the end the markdown table of medians and ratios. */

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
  errors: { label: "errors", better: "less" },
} as const satisfies Readonly<Record<string, { label: string; better: "more" | "less"; ratio?: false }>>;

type Figure = keyof typeof FIGURES;

/** The figures of one run. */
export type Row = Readonly<Partial<Record<Figure, number>>>;

/** One run: its figures, or why there are none. */
export interface Run {
  readonly round: number;
  readonly test: string;
  readonly contender: string;
  readonly row?: Row;
  readonly error?: string;
}

const OURS = "weir";

export function runLine({ round, test, contender, row = {}, error }: Run): string {
  const text =
    error ??
    figures([row])
      .map((figure) => `${figure}=${digits(row[figure])}`)
      .join("  ");
  return `round ${round}  ${test.padEnd(6)}  ${contender.padEnd(8)} ${text}`;
}

/** The median of each figure over the rounds, for one test and contender. */
export function medians(runs: readonly Run[], test: string, contender: string): Row {
  const rows = runs.filter((run) => run.test === test && run.contender === contender).map(({ row }) => row ?? {});
  const result: Partial<Record<Figure, number>> = {};
  for (const figure of figures(rows)) {
    result[figure] = median(rows.map((row) => row[figure]).filter((value) => value !== undefined));
  }
  return result;
}

/** The table of all tests: medians per contender in the first round's order, then weir's divided by each peer's. */
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
      const ratios = peers.map((peer) => ("ratio" in FIGURES[figure] ? "–" : ratio(value(OURS), value(peer))));
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

function ratio(ours: number | undefined, theirs: number | undefined): string {
  // Nothing can be divided by none, and memory that shrank is no multiple of memory that grew.
  return ours === undefined || theirs === undefined || theirs <= 0 || ours < 0 ? "–" : (ours / theirs).toFixed(2);
}

/** Three significant digits, all of those before the point: 0.0123, 4.56, 789, 123,456. */
function digits(value: number | undefined): string {
  if (value === undefined) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
