/** `weir check CONFIG`: every problem of a file, or what it would run. */
import { type ProxyConfig, targetsOf } from "../../config/config.ts";
import { formatDuration } from "../../config/units.ts";
import type { BridgeConfig } from "../../datagram/bridge/bridge-config.ts";
import { formatRoute } from "../../datagram/bridge/route-address.ts";
import { formatAddress } from "../../net/address.ts";
import { checkTlsFiles } from "../../tls/keeper.ts";
import { usesTls } from "../../tls/tls-config.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { routing } from "../routing.ts";

export const check: CommandRun = async ({ runtime, host, line }) => {
  const path = line.positionals[0] ?? "";
  const config = await readConfig(host, path);
  for (const proxy of config.proxies) if (usesTls(proxy)) checkTlsFiles(runtime, proxy);
  if (line.flags.quiet) return 0;
  const { proxies, bridges } = config;
  const counts = [
    ...(proxies.length > 0 || bridges.length === 0 ? [counted(proxies.length, "proxy", "proxies")] : []),
    ...(bridges.length > 0 ? [counted(bridges.length, "bridge", "bridges")] : []),
  ];
  host.out(`${path} is fine: ${counts.join(", ")}`);
  for (const proxy of proxies) {
    host.out(`  ${describe(proxy)}`);
    for (const text of routing(proxy)) host.out(`    ${text}`);
  }
  for (const bridge of bridges) host.out(`  ${describeBridge(bridge)}`);
  const { listen } = config.admin;
  host.out(`  metrics ${listen ? formatAddress(listen) : "off"}`);
  return 0;
};

function counted(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}

function describe({ name, listen, targets, timeouts }: ProxyConfig): string {
  // Nobody waits for a hello where all targets are for everybody.
  const { hello, ...others } = timeouts;
  const limits = Object.entries(routing({ targets }).length > 0 ? { hello, ...others } : others)
    .map(([what, ms]) => `${what} ${ms === 0 ? "off" : formatDuration(ms)}`)
    .join(", ");
  return `${name}: ${formatAddress(listen)} -> ${targetsOf({ targets })} (${limits})`;
}

function describeBridge({ name, from, to }: BridgeConfig): string {
  return `${name}: ${from.map(formatRoute).join(", ")} -> ${to.map(formatRoute).join(", ")}`;
}
