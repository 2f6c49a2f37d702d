/** `weir check FILE…`: every problem of files, or what they would run. */
import { type Config, type ProxyConfig, targetsOf } from "../../config/config.ts";
import { formatDuration } from "../../config/units.ts";
import type { BridgeConfig } from "../../datagram/bridge/bridge-config.ts";
import { formatRoute } from "../../datagram/bridge/route-address.ts";
import { formatAddress } from "../../net/address.ts";
import { UsageError } from "../../net/errors.ts";
import { checkTlsFiles } from "../../tls/keeper.ts";
import { usesTls } from "../../tls/tls-config.ts";
import type { CommandRun, Context } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { routing } from "../routing.ts";

/** One that is wrong does not keep the others from being looked at. */
export const check: CommandRun = async (context) => {
  const { host, line } = context;
  const wrong: string[] = [];
  for (const path of new Set(line.positionals)) {
    try {
      const config = await read(context, path);
      if (!line.flags.quiet) for (const text of described(path, config)) host.out(text);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.push(error.message);
    }
  }
  if (wrong.length > 0) throw new UsageError("ECONFIG", wrong.join("\n"));
  return 0;
};

async function read({ runtime, host }: Context, path: string): Promise<Config> {
  // What standard input names lies where weir was started.
  const source = path === "-" ? { ...host, readFile: stdinFirst(host) } : host;
  const config = await readConfig(source, path);
  for (const proxy of config.proxies) if (usesTls(proxy)) checkTlsFiles(runtime, proxy);
  return config;
}

function stdinFirst({ readFile, readInput }: Context["host"]): Context["host"]["readFile"] {
  return (path) => (path === "-" ? readInput() : readFile(path));
}

function described(path: string, { proxies, bridges, admin: { listen } }: Config): string[] {
  const counts = [
    ...(proxies.length > 0 || bridges.length === 0 ? [counted(proxies.length, "proxy", "proxies")] : []),
    ...(bridges.length > 0 ? [counted(bridges.length, "bridge", "bridges")] : []),
  ];
  return [
    `${path} is fine: ${counts.join(", ")}`,
    ...proxies.flatMap((proxy) => [`  ${describe(proxy)}`, ...routing(proxy).map((text) => `    ${text}`)]),
    ...bridges.map((bridge) => `  ${describeBridge(bridge)}`),
    `  metrics ${listen ? formatAddress(listen) : "off"}`,
  ];
}

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
