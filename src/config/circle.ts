/** Circles among things that lead to each other, whatever they are. */

/**
 * The shortest way from `origin` through later ones back to itself, as positions; undefined if there is none. Asked of
 * each in turn, every circle is found once, at its first.
 *
 * @param links for each the positions of those it leads to.
 * @example wayBack([[1], [2], [1]], 1) // [1, 2]
 */
export function wayBack(links: readonly (readonly number[])[], origin: number): number[] | undefined {
  const seen = new Set<number>();
  const ways: number[][] = [[origin]];
  for (const way of ways) {
    for (const next of links[way.at(-1) ?? origin] ?? []) {
      if (next === origin) return way;
      if (next < origin || seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
