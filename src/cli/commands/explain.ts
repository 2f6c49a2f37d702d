/** `weir explain CONFIG --from IP`: which rule lets a client in or shuts it out, without a connection. */
import { formatRate } from "../../admit/rate.ts";
import { limitsSources } from "../../admit/sources.ts";
import type { ProxyConfig } from "../../config/config.ts";
import { formatAddress } from "../../net/address.ts";
import { UsageError } from "../../net/errors.ts";
import { Rules } from "../../proxy/rules.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";

/** 0: everyone asked about lets the client in; 1: somebody does not. */
export const explain: CommandRun = async ({ runtime, host, line }) => {
  const { proxies } = await readConfig(host, line.positionals[0] ?? "");
  const { from, to, at } = line.flags as { readonly from?: string; readonly to?: string; readonly at?: number };
  if (from === undefined) throw new UsageError("EUSAGE", "weir explain: --from is missing; write --from IP");
  const asked = to === undefined ? proxies : proxies.filter(({ name }) => name === to);
  if (asked.length === 0) {
    const names = proxies.map(({ name }) => name).join(", ");
    throw new UsageError("EUSAGE", `weir explain: there is no proxy "${to}"; the file has ${names}`);
  }
  const verdicts = asked.map((proxy) => verdict(proxy, from, at ?? runtime.wallClock()));
  for (const { lines } of verdicts) for (const text of lines) host.out(text);
  return verdicts.every(({ allowed }) => allowed) ? 0 : 1;
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
