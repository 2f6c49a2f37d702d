/** Workers that stand still as long as the file of WEIR_TEST_STAND exists, and say so with another file beside it. */
import { existsSync, writeFileSync } from "node:fs";
import { env } from "node:process";
import { TimerWheel } from "../../adapters/linux/timers.ts";
import "../../adapters/linux/worker.ts";

const me = crypto.randomUUID();
const { advance } = TimerWheel.prototype;
TimerWheel.prototype.advance = function (now) {
  const path = env["WEIR_TEST_STAND"] ?? "";
  if (existsSync(path)) writeFileSync(`${path}.${me}`, "");
  while (existsSync(path));
  return advance.call(this, now);
};
