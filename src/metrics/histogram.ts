/** A histogram of fixed bounds inside an array of numbers: a count per bound, one for the rest, and the sum. */

export interface HistogramView {
  /** Cumulative, as Prometheus wants them: how many were at most `bound`. */
  readonly buckets: readonly { readonly bound: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
}

export function observe(cells: Float64Array, at: number, bounds: readonly number[], value: number): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
  cells[at + bucket] = (cells[at + bucket] ?? 0) + 1;
  const sum = at + bounds.length + 1;
  cells[sum] = (cells[sum] ?? 0) + value;
}

export function histogram(cells: Float64Array, at: number, bounds: readonly number[]): HistogramView {
  let count = 0;
  const buckets = bounds.map((bound, index) => {
    count += cells[at + index] ?? 0;
    return { bound, count };
  });
  count += cells[at + bounds.length] ?? 0;
  return { buckets, count, sum: cells[at + bounds.length + 1] ?? 0 };
}
