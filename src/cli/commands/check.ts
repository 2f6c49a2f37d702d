/** `weir check CONFIG`: every problem of a file, or what it would run. */
import { type ProxyConfig, targetsOf } from "../../config/config.ts";
import { formatDuration } from "../../config/units.ts";
import { formatAddress } from "../../net/address.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { routing } from "../routing.ts";

export const check: CommandRun = async ({ host, line }) => {
  const path = line.positionals[0] ?? "";
  const config = await readConfig(host, path);
  if (line.flags.quiet) return 0;
  const count = config.proxies.length;
  host.out(`${path} is fine: ${count} ${count === 1 ? "proxy" : "proxies"}`);
  for (const proxy of config.proxies) {
    host.out(`  ${describe(proxy)}`);
    for (const text of routing(proxy)) host.out(`    ${text}`);
  }
  const { listen } = config.admin;
  host.out(`  metrics ${listen ? formatAddress(listen) : "off"}`);
  return 0;
};

function describe({ name, listen, targets, timeouts }: ProxyConfig): string {
  // Nobody waits for a hello where all targets are for everybody.
  const { hello, ...others } = timeouts;
  const limits = Object.entries(routing({ targets }).length > 0 ? { hello, ...others } : others)
    .map(([what, ms]) => `${what} ${ms === 0 ? "off" : formatDuration(ms)}`)
    .join(", ");
  return `${name}: ${formatAddress(listen)} -> ${targetsOf({ targets })} (${limits})`;
}
