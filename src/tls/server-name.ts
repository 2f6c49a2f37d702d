/** Names of servers as clients say them in a ClientHello, and patterns for such names. */
import { UsageError } from "../net/errors.ts";

/** RFC 1035 section 2.3.4: bytes of a name without the trailing dot, and of a label. */
const NAME_MAX = 253;
const LABEL = /^[a-z0-9_-]{1,63}$/;

/**
 * A host name in lower case, without a trailing dot; undefined if it is none. An IP literal is no name (RFC 6066
 * section 3), nor is what ends in a number, which programs take for an IPv4 address (RFC 3696 section 2). Underscores
 * are let pass: resolvers and browsers do so too.
 *
 * @example hostName("Example.COM.") // "example.com"
 */
export function hostName(text: string): string | undefined {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  const labels = name.length <= NAME_MAX ? name.split(".") : [];
  const last = labels.at(-1);
  if (last === undefined || /^\d+$/.test(last)) return undefined;
  return labels.every((label) => LABEL.test(label)) ? name : undefined;
}

/**
 * Reads a name, or `*.` and a name for all that end in it, however many labels are in front: `*.example.com` is for
 * `a.example.com` and `a.b.example.com`, and not for `example.com`.
 *
 * @throws {UsageError} `EADDRESS`, naming the text, what is wrong with it and what to write instead.
 */
export function parseServerPattern(text: string): string {
  const wild = text.startsWith("*.");
  const name = hostName(wild ? text.slice(2) : text);
  if (name !== undefined) return wild ? `*.${name}` : name;
  throw new UsageError("EADDRESS", `Cannot parse server name "${text}": ${whatIsWrong(text)}`);
}

function whatIsWrong(text: string): string {
  if (text === "*") return "leave sni out for a target that takes every name";
  if (text.includes("*")) return 'a wildcard stands for whole labels at the beginning, such as "*.example.com"';
  if (/^[\d.]+$/.test(text) || text.includes(":")) return "clients send no IP address or port here; write a host name";
  return 'it is no host name; write one such as "example.com" or "*.example.com"';
}

/**
 * Reads the name of a protocol (RFC 7301 section 3.1): 1 to 255 bytes, here without white space and commas.
 *
 * @throws {UsageError} `EADDRESS`, naming the text and what to write instead.
 */
export function parseAlpn(text: string): string {
  if (/^[!-+\--~]{1,255}$/.test(text)) return text;
  const why = 'a protocol has 1 to 255 visible ASCII characters and no comma, such as "h2" or "http/1.1"';
  throw new UsageError("EADDRESS", `Cannot parse ALPN protocol "${text}": ${why}`);
}
