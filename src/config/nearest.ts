/**
 * What somebody who mistyped a word may have meant.
 */

/**
 * The candidate that is fewest typing errors away from `word`; undefined if none is within about a third of
 * the word's length. Case does not matter; of two equally near, the first wins.
 *
 * @example nearest("timeuot", ["target", "timeouts"]) // "timeouts"
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.min(Math.max(1, Math.round(word.length / 3)), word.length - 1);
  let found: string | undefined;
  let least = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= least) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      found = candidate;
    }
  }
  return found;
}

/**
 * What to say of `word`, which is none of `words`.
 *
 * @example unexpected("zhs", ["bash", "zsh"]) // 'expected "bash" or "zsh", found "zhs"; did you mean "zsh"?'
 */
export function unexpected(word: string, words: readonly string[]): string {
  const meant = nearest(word, words);
  const expected = either(words.map((each) => `"${each}"`));
  return `expected ${expected}, found "${word}"${meant ? `; did you mean "${meant}"?` : ""}`;
}

/** @example either(["a", "b", "c"]) // "a, b or c" */
export function either(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/**
 * How many letters to insert, delete, replace, or swap with their neighbour to make `a` into `b` (optimal
 * string alignment: Levenshtein's distance with transpositions).
 *
 * @example editDistance("timeuot", "timeout") // 1
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      let cost = Math.min(replaced, at(last, column) + 1, at(current, column - 1) + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
