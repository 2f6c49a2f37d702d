/** What somebody has missed of what passed. */

export interface Reading {
  /** How many had passed when it came; undefined: nobody knows. */
  readonly start: number | undefined;
  /** It got the end in order: whatever passed then has come to it, or was skipped. */
  readonly ended: boolean;
  /** No more than so many can have been skipped. */
  readonly most: number;
}

/**
 * How many of `all` have to be missing in `text`, at least; undefined: it is no sequence of whole datagrams. Where it
 * was cut off the last may be a part of one.
 */
export function skipped(all: readonly string[], text: string, { start, ended, most }: Reading): number | undefined {
  // How much of the text has been found when so many datagrams were skipped.
  let found = new Map<number, number>();
  let best: number | undefined;
  const better = (missed: number) => {
    if (best === undefined || missed < best) best = missed;
  };
  for (let at = start ?? 0; at <= all.length; at++) {
    if (at === (start ?? at)) found.set(0, 0);
    const datagram = all[at];
    const next = new Map<number, number>();
    for (const [length, missed] of found) {
      const rest = text.length - length;
      if (ended ? datagram === undefined && rest === 0 : rest < (datagram?.length ?? 1)) {
        if (datagram === undefined ? rest === 0 : text.endsWith(datagram.slice(0, rest))) better(missed);
      }
      if (datagram === undefined) continue;
      const went = text.startsWith(datagram, length);
      if (went) keep(next, length + datagram.length, missed);
      const more = missed + (datagram.length === 0 ? 0 : 1);
      if (more <= most && !(went && datagram.length === 0)) keep(next, length, more);
    }
    found = next;
  }
  return best;
}

function keep(found: Map<number, number>, length: number, missed: number): void {
  const before = found.get(length);
  if (before === undefined || missed < before) found.set(length, missed);
}
