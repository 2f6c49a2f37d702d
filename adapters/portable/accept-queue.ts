/**
 * Emptying the kernel's queue of a listener before it closes, on runtimes that accept by themselves and offer no
 * accept to call: their event loop is given turns until there was nobody left.
 */

/** How a runtime accepts. */
export interface Accepting {
  /** Lets its event loop ask the kernel. */
  turn(): Promise<void>;
  /** After a turn in which so many came, or fewer, there is nobody left: others would have come in it as well. */
  readonly few: number;
}

/** Turns in a row in which few came: the loop may not have asked the kernel in the first of them. */
const QUIET = 2;

/**
 * Resolves when nobody waits any more, or when `backlog` more have come and so all who waited at the beginning.
 * `accepted`: how many so far.
 */
export async function emptied(accepted: () => number, backlog: number, { turn, few }: Accepting): Promise<void> {
  const first = accepted();
  for (let quiet = 0; quiet < QUIET && accepted() - first <= backlog; ) {
    const before = accepted();
    await turn();
    quiet = accepted() - before <= few ? quiet + 1 : 0;
  }
}
