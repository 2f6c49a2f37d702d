/**
 * Which of several targets gets the next connection. Who may be chosen at all has been decided before; a strategy
 * looks at their weights and connections alone.
 */
import type { Balance } from "../config/config.ts";
import { mix } from "./hash.ts";

export interface Candidate {
  /** Above 0. */
  readonly effective: number;
  /** Connections that it has; another thread may change it between two looks. */
  readonly active: number;
  /** Of its address. */
  readonly hash: number;
  /** What it has coming in round robin, and what it was chosen too early for; strategies keep it. */
  credit?: number;
}

/** `candidates`: at least one, in the order of the configuration; `source`: a hash of the client's address. */
export type Strategy = <C extends Candidate>(candidates: readonly C[], source: number) => C;

export const STRATEGIES: Readonly<Record<Balance, (random: () => number) => Strategy>> = {
  round_robin: () => roundRobin,
  least_connections: () => leastConnections,
  random_two: randomTwo,
  source_hash: () => sourceHash,
  first: () => (candidates) => candidates[0] as (typeof candidates)[number],
};

/**
 * Smooth weighted round robin, as nginx has it: each gains its weight, the one with the most is chosen and pays for
 * all. Weights 5, 1, 1 give a a b a c a a and not a a a a a b c.
 */
const roundRobin: Strategy = (candidates) => {
  let best = candidates[0] as (typeof candidates)[number];
  let [most, total, sum] = [Number.NEGATIVE_INFINITY, 0, 0];
  for (const each of candidates) {
    const credit = (each.credit ?? 0) + each.effective;
    each.credit = credit;
    sum += credit;
    total += each.effective;
    if (credit > most) {
      most = credit;
      best = each;
    }
  }
  best.credit = most - total;
  // Among those who always take turns the sum is the total. Threads that choose at once lose some of it, and others
  // come and go: nobody shall begin far ahead or behind for that.
  const drift = (sum - total) / candidates.length;
  if (Math.abs(drift) > total) for (const each of candidates) each.credit = (each.credit ?? 0) - drift;
  return best;
};

/** The one with the fewest connections for its weight; among equals they take turns, by weight. */
const leastConnections: Strategy = (candidates, source) => {
  let least = Number.POSITIVE_INFINITY;
  let equals: (typeof candidates)[number][] = [];
  for (const each of candidates) {
    // Once for each: other threads change it at any time.
    const its = load(each);
    if (its > least) continue;
    if (its < least) equals = [];
    least = its;
    equals.push(each);
  }
  return roundRobin(equals, source);
};

/**
 * Two by chance, and of them the less busy one: nearly as even as looking at all, and no two proxies that share
 * targets run after the same one (Mitzenmacher, "The power of two choices", 2001).
 */
function randomTwo(random: () => number): Strategy {
  return (candidates) => {
    const one = byChance(candidates, random, undefined);
    if (candidates.length === 1) return one;
    const other = byChance(candidates, random, one);
    return load(other) < load(one) ? other : one;
  };
}

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998), weighted: everybody draws a lot that depends on the source and
 * on himself alone. A target that goes gives up its own sources, one that comes takes its part from each; no other
 * source moves.
 */
const sourceHash: Strategy = (candidates, source) => {
  let best = candidates[0] as (typeof candidates)[number];
  let highest = Number.NEGATIVE_INFINITY;
  for (const each of candidates) {
    const lot = (mix(source ^ each.hash) + 0.5) / 2 ** 32;
    const score = -each.effective / Math.log(lot);
    if (score > highest) {
      highest = score;
      best = each;
    }
  }
  return best;
};

/** Idle targets are equals: with connections that are over at once, the heaviest would get them all otherwise. */
function load({ active, effective }: Candidate): number {
  return active / effective;
}

function byChance<C extends Candidate>(candidates: readonly C[], random: () => number, but: C | undefined): C {
  let total = 0;
  for (const each of candidates) if (each !== but) total += each.effective;
  let left = random() * total;
  let last = candidates[0] as C;
  for (const each of candidates) {
    if (each === but) continue;
    last = each;
    left -= each.effective;
    if (left < 0) break;
  }
  return last;
}
