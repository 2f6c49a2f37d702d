/** `weir check CONFIG`: every problem of a file, or what it would run. */
import { type ProxyConfig, targetsOf } from "../../config/config.ts";
import { formatDuration } from "../../config/units.ts";
import { formatAddress } from "../../net/address.ts";
import { checkTlsFiles } from "../../tls/keeper.ts";
import { usesTls } from "../../tls/tls-config.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";

export const check: CommandRun = async ({ runtime, host, line }) => {
  const path = line.positionals[0] ?? "";
  const config = await readConfig(host, path);
  for (const proxy of config.proxies) if (usesTls(proxy)) checkTlsFiles(runtime, proxy);
  if (line.flags.quiet) return 0;
  const count = config.proxies.length;
  host.out(`${path} is fine: ${count} ${count === 1 ? "proxy" : "proxies"}`);
  for (const proxy of config.proxies) host.out(`  ${describe(proxy)}`);
  const { listen } = config.admin;
  host.out(`  metrics ${listen ? formatAddress(listen) : "off"}`);
  return 0;
};

function describe({ name, listen, targets, timeouts }: ProxyConfig): string {
  const limits = Object.entries(timeouts)
    .map(([what, ms]) => `${what} ${ms === 0 ? "off" : formatDuration(ms)}`)
    .join(", ");
  return `${name}: ${formatAddress(listen)} -> ${targetsOf({ targets })} (${limits})`;
}
