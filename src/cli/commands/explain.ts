/** `weir explain CONFIG --from IP`: which rule lets a client in or shuts it out, without a connection. */
import { Access } from "../../admit/access.ts";
import type { ProxyConfig } from "../../config/config.ts";
import { formatAddress } from "../../net/address.ts";
import { UsageError } from "../../net/errors.ts";
import type { CommandRun } from "../context.ts";
import { readConfig } from "../read-config.ts";

/** 0: everyone asked about lets the client in; 1: somebody does not. */
export const explain: CommandRun = async ({ host, line }) => {
  const { proxies } = await readConfig(host, line.positionals[0] ?? "");
  const { from, to } = line.flags as { readonly from?: string; readonly to?: string };
  if (from === undefined) throw new UsageError("EUSAGE", "weir explain: --from is missing; write --from IP");
  const asked = to === undefined ? proxies : proxies.filter(({ name }) => name === to);
  if (asked.length === 0) {
    const names = proxies.map(({ name }) => name).join(", ");
    throw new UsageError("EUSAGE", `weir explain: there is no proxy "${to}"; the file has ${names}`);
  }
  const verdicts = asked.map((proxy) => verdict(proxy, from));
  for (const { text } of verdicts) host.out(text);
  return verdicts.every(({ allowed }) => allowed) ? 0 : 1;
};

function verdict(proxy: ProxyConfig, from: string): { allowed: boolean; text: string } {
  const { name, listen, refuse } = proxy;
  const client = listen.kind === "unix" ? listen : ({ kind: "tcp", host: from, port: 0 } as const);
  const { allowed, rule } = new Access(proxy).judge(client);
  const how = refuse === "reset" ? "reset" : "closed";
  const what = allowed ? "let in" : `not let in (${how})`;
  return { allowed, text: `${name} (${formatAddress(listen)}): ${from} is ${what}: ${rule}` };
}
