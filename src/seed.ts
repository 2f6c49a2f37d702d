/** Seeds that nobody has chosen. */
import { hashOf, mix, randomFrom } from "./balance/hash.ts";
import type { Runtime } from "./net/runtime.ts";

/** As many as are easy to type. */
const SEEDS = 1_000_000;

let drawn = 0;

/** Another one each time, from 0 to 999,999. */
export function drawSeed(runtime: Pick<Runtime, "now" | "wallClock">): number {
  // Two that are drawn in the same millisecond differ by the second clock, or at least by their number.
  const moment = mix(runtime.wallClock()) ^ hashOf(String(runtime.now()));
  return Math.floor(randomFrom(moment + ++drawn)() * SEEDS);
}
