/** Names in certificates: whether one stands for a host (RFC 9525), and which certificate is for a client. */
import { isIPv4, isIPv6, parseIp } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";

/**
 * Whether a name of a certificate stands for `host`: case does not count, and `*` stands for the whole of the first label
 * alone (RFC 9525 section 6.3). IP addresses are compared as such, and no wildcard stands for one (section 6.4).
 *
 * @example nameMatches("*.example.org", "www.example.org") // true
 */
export function nameMatches(name: string, host: string): boolean {
  const [pattern, wanted] = [canonical(name), canonical(host)];
  if (pattern === "" || wanted === "") return false;
  if (!pattern.startsWith("*.") || isIp(wanted)) return pattern === wanted;
  const dot = wanted.indexOf(".");
  // "*.org" would stand for everybody's names; who wants it can write each.
  return dot > 0 && pattern.indexOf(".", 2) > 0 && wanted.slice(dot) === pattern.slice(1);
}

/**
 * Which of several lists of names is for a client that asks for `serverName`: one with this very name before one with a
 * wildcard, and of two alike the first. Undefined: none is.
 */
export function chooseByName(lists: readonly (readonly string[])[], serverName: string): number | undefined {
  const exact = lists.findIndex((names) => names.some((name) => !name.includes("*") && nameMatches(name, serverName)));
  if (exact >= 0) return exact;
  const wild = lists.findIndex((names) => names.some((name) => nameMatches(name, serverName)));
  return wild >= 0 ? wild : undefined;
}

/**
 * Reads a name that a client's certificate may have: a DNS name, with `*` for its first label or without, an IP address, or
 * any other text, as common names have it.
 *
 * @throws {UsageError} `ETLSNAME`
 */
export function parseName(text: string): string {
  const fail = (why: string): never => {
    throw new UsageError("ETLSNAME", `Cannot use the name "${text}": ${why}`);
  };
  if (text.trim() === "") fail("it is empty; leave it out");
  if (/\p{Cc}/u.test(text)) fail("it holds a control character");
  if (!text.includes("*")) return text;
  if (!/^\*\.[^*]+\.[^*]+$/.test(text)) fail('"*" stands for the whole first label of three or more: "*.corp.example"');
  return text;
}

/**
 * Reads the name of a server: what is asked for and verified.
 *
 * @throws {UsageError} `ETLSNAME`
 */
export function parseServerName(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (isIPv4(host) || isIPv6(host)) return parseIp(host);
  if (/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i.test(text)) return text;
  throw new UsageError("ETLSNAME", `Cannot use the server name "${text}": write a host name or an IP address alone`);
}

function isIp(text: string): boolean {
  return isIPv4(text) || isIPv6(text);
}

function canonical(name: string): string {
  const lower = name.toLowerCase().replace(/\.$/, "");
  if (!isIPv6(lower)) return lower;
  // One text for all spellings; certificates have them in full.
  return new URL(`http://[${lower.split("%")[0]}]`).hostname;
}
