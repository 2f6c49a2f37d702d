/** What a target can be: an address, or a name of DNS behind which there are addresses, now these and now those. */
import {
  type Address,
  type Fail,
  formatAddress,
  hostAndPort,
  isIPv4,
  isIPv6,
  parseAddress,
  sameAddress,
} from "./address.ts";
import { UsageError } from "./errors.ts";

/** All addresses of a host (RFC 1035, RFC 3596), or the services of a name (RFC 2782). */
export type DnsName =
  | { readonly kind: "dns"; readonly host: string; readonly port: number }
  | { readonly kind: "dns+srv"; readonly name: string };

/**
 * Reads a target: what {@link parseAddress} reads, `dns://db.internal:5432`, or `dns+srv://_pg._tcp.db.internal`.
 *
 * @throws {UsageError} `EADDRESS`, naming the text, what is wrong with it and what to write instead.
 */
export function parseTarget(text: string): Address | DnsName {
  const [, scheme, rest = ""] = /^(dns|dns\+srv):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme === undefined) return parseAddress(text, "target", "tls");
  const fail: Fail = (why) => {
    throw new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`);
  };
  return scheme.toLowerCase() === "dns" ? hostName(rest, fail) : serviceName(rest, fail);
}

function hostName(text: string, fail: Fail): DnsName {
  // Without a host an address means this machine, without a port it cannot say that it is to begin with dns://.
  if (!/^[^:].*:\d*$/s.test(text)) fail("write a name and a port, such as dns://db.internal:5432");
  const { host, port } = hostAndPort(text, "target", fail);
  if (isIPv4(host) || isIPv6(host)) fail(`"${host}" is an address already; leave "dns://" out`);
  return { kind: "dns", host, port };
}

function serviceName(text: string, fail: Fail): DnsName {
  const name = text.replace(/\.$/, "");
  const labels = name.split(".");
  const [service, protocol, ...domain] = labels;
  const named = service?.startsWith("_") && protocol?.startsWith("_") && domain.length > 0;
  if (!named || name.length > 253 || !labels.every((label) => /^[a-z0-9_-]{1,63}$/i.test(label))) {
    fail("write a service, a protocol and a domain, without a port, such as dns+srv://_pg._tcp.db.internal");
  }
  return { kind: "dns+srv", name };
}

/** It needs no DNS server's word on which targets there are. */
export function isAddress(target: Address | DnsName): target is Address {
  return target.kind === "tcp" || target.kind === "unix";
}

/** Whether two targets are one, however they are spelled. Names are not resolved. */
export function sameTarget(a: Address | DnsName, b: Address | DnsName): boolean {
  if (isAddress(a) || isAddress(b)) return isAddress(a) && isAddress(b) && sameAddress(a, b);
  return formatTarget(a).toLowerCase() === formatTarget(b).toLowerCase();
}

/** As people write it; {@link parseTarget} reads it back. */
export function formatTarget(target: Address | DnsName): string {
  if (target.kind === "dns") return `dns://${target.host}:${target.port}`;
  return target.kind === "dns+srv" ? `dns+srv://${target.name}` : formatAddress(target);
}
