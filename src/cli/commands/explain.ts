/** `weir explain CONFIG`: which rule lets a client in or shuts it out, and for whom targets are, without a connection. */
import { formatRate } from "../../admit/rate.ts";
import { limitsSources } from "../../admit/sources.ts";
import type { ProxyConfig } from "../../config/config.ts";
import { formatAddress } from "../../net/address.ts";
import { UsageError } from "../../net/errors.ts";
import { Rules } from "../../proxy/rules.ts";
import type { Flags } from "../config-flags.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";
import { destination } from "../routing.ts";

/** 0: everyone asked about lets the client in, and has a target for it; 1: somebody does not. */
export const explain: CommandRun = async ({ runtime, host, line }) => {
  const { proxies } = await readConfig(host, line.positionals[0] ?? "");
  const { from, to, at, sni, alpn } = line.flags as Flags<"explain">;
  const speaks = sni !== undefined || alpn !== undefined;
  if (from === undefined && !speaks) {
    throw new UsageError("EUSAGE", "weir explain: --from is missing; write --from IP, or --sni NAME");
  }
  const asked = to === undefined ? proxies : proxies.filter(({ name }) => name === to);
  if (asked.length === 0) {
    const names = proxies.map(({ name }) => name).join(", ");
    throw new UsageError("EUSAGE", `weir explain: there is no proxy "${to}"; the file has ${names}`);
  }
  const now = at ?? runtime.wallClock();
  const verdicts = from === undefined ? [] : asked.map((proxy) => verdict(proxy, from, now));
  for (const { lines } of verdicts) for (const text of lines) host.out(text);
  const said = { serverName: sni ?? null, alpn: alpn ?? [] };
  const destinations = speaks ? asked.map((proxy) => destination(proxy, said)) : [];
  for (const each of destinations) host.out(each.line);
  return verdicts.every(({ allowed }) => allowed) && destinations.every(({ found }) => found) ? 0 : 1;
};

function verdict(proxy: ProxyConfig, from: string, at: number): { allowed: boolean; lines: string[] } {
  const { name, listen, refuse } = proxy;
  const client = listen.kind === "unix" ? listen : ({ kind: "tcp", host: from, port: 0 } as const);
  const rules = new Rules(proxy).verdicts(client, at);
  const allowed = rules.every((rule) => rule.allowed);
  const how = listen.kind === "udp" ? "no answer" : refuse === "reset" ? "reset" : "closed";
  const what = allowed ? "let in" : `not let in (${how})`;
  const deciding = rules.filter((rule) => allowed || !rule.allowed).map(({ rule }) => rule);
  const text = `${name} (${formatAddress(listen)}): ${from} is ${what}: ${deciding.join("; ")}`;
  return { allowed, lines: [text, ...(allowed ? conditions(proxy).map((each) => `  ${each}`) : [])] };
}

/** What depends on other connections, and cannot be told without them. */
function conditions({ maxConnections, queue, perSource, proxyProtocol }: ProxyConfig): string[] {
  const lines: string[] = [];
  if (maxConnections > 0) {
    lines.push(`as long as fewer than ${maxConnections} connections are open; ${queue.size} more may wait`);
  }
  if (limitsSources(perSource)) {
    const { maxConnections: most, perSecond, burst } = perSource;
    if (most > 0) lines.push(`as long as it has fewer than ${most} connections`);
    if (perSecond > 0) lines.push(`as long as it comes no faster than ${formatRate(perSecond)}, ${burst} at once`);
  }
  if (proxyProtocol.acceptFrom.length > 0) {
    lines.push("a PROXY header of a trusted source may speak for it: --from is then the address in the header");
  }
  return lines;
}
