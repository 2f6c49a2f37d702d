/** Time, which the three runtimes give alike. */
import type { Runtime } from "../../src/net/runtime.ts";

export const clock: Pick<Runtime, "now" | "exactNow" | "wallClock" | "after"> = {
  now: () => performance.now(),
  exactNow: () => performance.now(),
  wallClock: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
