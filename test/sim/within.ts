/** Promises that have to settle in time. */
import type { Clock } from "./clock.ts";

/**
 * Lets time pass until `promise` has settled, `ms` virtual milliseconds at most: what it has become. That it takes longer,
 * or fails, is a violation.
 */
export async function within<T>(
  clock: Clock,
  violations: string[],
  promise: Promise<T>,
  ms: number,
  what: string,
): Promise<T | undefined> {
  let settled: { readonly value?: T } | undefined;
  promise.then(
    (value) => {
      settled = { value };
    },
    (error) => {
      settled = {};
      violations.push(`${what} failed: ${error instanceof Error ? error.stack : error}`);
    },
  );
  await clock.run(() => settled !== undefined, clock.now + ms);
  if (!settled) violations.push(`${what} took longer than ${ms} ms`);
  return settled?.value;
}
