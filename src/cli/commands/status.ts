/** `weir status [ADMIN-URL]`: what a running weir does, for people or for programs. */
import { DEFAULT_ADMIN } from "../../config/config.ts";
import { formatAddress } from "../../net/address.ts";
import { parseAdminUrl } from "../../overview/admin-url.ts";
import { AdminClient } from "../../overview/client.ts";
import { statusText } from "../../overview/status-text.ts";
import { neutral } from "../../overview/text.ts";
import type { Flags } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";

/** 0: it is ready; 1: it does not answer, or takes no more connections. */
export const status: CommandRun = async ({ runtime, host, line }) => {
  const { json = false, timeout = 5_000 } = line.flags as Flags<"status">;
  const client = new AdminClient(runtime, parseAdminUrl(line.positionals[0] ?? DEFAULT_ADMIN), timeout);
  const now = await client.status();
  const where = neutral(formatAddress(client.address));
  if (json) host.out(JSON.stringify(now));
  else for (const text of statusText(now, where)) host.out(text);
  await host.printed();
  if (now.state === "ready") return 0;
  host.err(`weir status: the weir at ${where} is draining: it takes no new connections`);
  return 1;
};
