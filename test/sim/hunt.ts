/** Many seeds, one after the other. */

/** What has become of one seed. */
export interface Outcome {
  readonly seed: number;
  /** Printed when a seed is replayed. */
  readonly plan: { readonly kind: string };
  /** Simulated connections, and events that ran. */
  readonly connections: number;
  readonly steps: number;
  /** What should never happen and did. */
  readonly violations: readonly string[];
}

/** `trace` gets a line for each thing that happens to weir's sockets. */
export type Storm = (seed: number, trace?: (line: string) => void) => Promise<Outcome>;

export interface Bag {
  readonly storms: number;
  readonly connections: number;
  readonly steps: number;
  readonly failed: number;
  readonly seconds: number;
}

/** Runs `count` seeds from `from` on and shows each that fails; ends after `enough` of those. */
export async function hunt(
  storm: Storm,
  from: number,
  count: number,
  show: (outcome: Outcome) => void,
  enough: number,
): Promise<Bag> {
  const start = performance.now();
  let [storms, connections, steps, failed] = [0, 0, 0, 0];
  for (let seed = from; seed < from + count && failed < enough; seed++) {
    const outcome = await storm(seed);
    storms++;
    connections += outcome.connections;
    steps += outcome.steps;
    if (outcome.violations.length === 0) continue;
    failed++;
    show(outcome);
  }
  return { storms, connections, steps, failed, seconds: (performance.now() - start) / 1_000 };
}
