/** `weir top [ADMIN-URL]`: a running weir, watched in the terminal. */
import { DEFAULT_ADMIN } from "../../config/config.ts";
import { UsageError } from "../../net/errors.ts";
import { parseAdminUrl } from "../../overview/admin-url.ts";
import { AdminClient } from "../../overview/client.ts";
import { Watch } from "../../top/watch.ts";
import type { Flags } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";

const INTERVAL_LEAST = 100;

/** 0: somebody has ended it; 1: there is no terminal, or it went wrong. */
export const top: CommandRun = async ({ runtime, host, line }) => {
  const { interval = 1_000, timeout = 5_000 } = line.flags as Flags<"top">;
  if (interval < INTERVAL_LEAST) {
    throw new UsageError("EUSAGE", `weir top: --interval is ${interval}ms; use ${INTERVAL_LEAST}ms or more`);
  }
  const client = new AdminClient(runtime, parseAdminUrl(line.positionals[0] ?? DEFAULT_ADMIN), timeout);
  const colours = !host.env("NO_COLOR");
  let watch: Watch | undefined;
  let wanted = true;
  const stop = () => {
    wanted = false;
    watch?.end();
  };
  // Before the terminal is taken over: a signal must never find it without somebody who gives it back.
  const handlers = [host.onSignal(stop), host.onReload(stop)];
  try {
    watch = wanted ? Watch.open(runtime, client, host.openTerminal, { interval, colours }) : undefined;
    if (wanted && !watch) {
      host.err("weir top: there is no terminal to draw on; weir status prints the same once, --json for programs");
      return 1;
    }
    await watch?.over;
    return 0;
  } finally {
    for (const off of handlers) off();
  }
};
