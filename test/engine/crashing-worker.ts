/** A worker with a bug: its loop breaks as soon as the file of WEIR_TEST_CRASH exists, which it then removes. */
import { existsSync, unlinkSync } from "node:fs";
import { env } from "node:process";
import { TimerWheel } from "../../adapters/linux/timers.ts";
import "../../adapters/linux/worker.ts";

const { advance } = TimerWheel.prototype;
TimerWheel.prototype.advance = function (now) {
  const path = env["WEIR_TEST_CRASH"] ?? "";
  if (existsSync(path)) {
    unlinkSync(path);
    throw new Error("thrown on purpose");
  }
  advance.call(this, now);
};
