/** A worker with a bug: the loop of the first that can remove the file of WEIR_TEST_CRASH breaks. */
import { existsSync, unlinkSync } from "node:fs";
import { env } from "node:process";
import { TimerWheel } from "../../adapters/linux/timers.ts";
import "../../adapters/linux/worker.ts";

const { advance } = TimerWheel.prototype;
TimerWheel.prototype.advance = function (now) {
  const path = env["WEIR_TEST_CRASH"] ?? "";
  if (existsSync(path) && removed(path)) throw new Error("thrown on purpose");
  return advance.call(this, now);
};

/** Two workers may see the file at once; only one of them removes it. */
function removed(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
