/**
 * Bugs that a storm has found. A seed stands for its storm only as long as the simulation chooses as it did then (what is
 * new draws from a fork of the random source for that reason), so beside each seed stands the case that holds the bug
 * for good.
 */
export const CORPUS: readonly { readonly seed: number; readonly was: string; readonly heldBy: string }[] = [
  {
    seed: 268,
    was: "both peers reset while neither could take the other's last bytes: each half waited for the other until a timeout",
    heldBy: "test/proxy/ending.test.ts: two peers that stop reading and then reset …",
  },
  {
    seed: 59,
    was: "the target broke after the client had ended well: recorded as target_closed, with undelivered bytes",
    heldBy: "test/proxy/deadlines.test.ts: a target that breaks with bytes left …",
  },
  {
    seed: 1581,
    was: "a target had reset, and a fault that closed the session then let the client see a FIN: torn, and looking whole",
    heldBy: "test/proxy/faults.test.ts: a session that broke …",
  },
  {
    seed: 1_045_891_156_327,
    was: "the client had reset, and a filter kept the beginning of a match for what could no longer follow",
    heldBy: "test/filter/path.test.ts: when a connection breaks …",
  },
  {
    seed: 1727,
    was: "a target was full with what its client had said first, and a fault that took the link away gave it more before its drain",
    heldBy: "test/proxy/early-link.test.ts: a step that comes while the target is full …",
  },
  {
    seed: 3213,
    was: "a fault that begins later passed a drain on although what it had held had filled the next one again",
    heldBy: "test/filter/faults/after.test.ts: a next one that is full again …",
  },
  {
    seed: 12897,
    was: "a fault had ended the way to a client that was gone then, and what its target still sent was written to nobody",
    heldBy: "this seed alone, so far",
  },
];
