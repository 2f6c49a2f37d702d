/** Counts in memory that threads share, with a limit. */

/**
 * Adds one to a cell that holds less than `limit`; false: it does not.
 *
 * Not by adding first and looking afterwards: until it is taken back the count is too high, and another thread finds
 * no room where there is some. If that one then waits, nobody may be left to tell it.
 */
export function addBelow(cells: Int32Array, at: number, limit: number): boolean {
  let seen = Atomics.load(cells, at);
  while (seen < limit) {
    const before = Atomics.compareExchange(cells, at, seen, seen + 1);
    if (before === seen) return true;
    seen = before;
  }
  return false;
}
