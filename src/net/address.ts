/**
 * Addresses as people write them: `8080`, `:8080`, `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`,
 * `tcp://…`, `tls://…`, `unix:/run/x.sock`, `unix:@abstract`.
 */
import { UsageError } from "./errors.ts";

export type Address = TcpAddress | UnixAddress;

export interface TcpAddress {
  readonly kind: "tcp";
  /** An IPv4 or IPv6 address without brackets, or a host name. */
  readonly host: string;
  /** 0 to 65535; 0 asks the kernel for a free port. */
  readonly port: number;
  /** What goes over it is TLS, which weir ends or begins there. */
  readonly tls?: true;
}

export interface UnixAddress {
  readonly kind: "unix";
  /** A file path, or `@name` in Linux's abstract namespace (unix(7)). */
  readonly path: string;
}

/** UDP, where datagrams come to. */
export interface UdpAddress {
  readonly kind: "udp";
  /** An IPv4 or IPv6 address without brackets, or a host name. */
  readonly host: string;
  readonly port: number;
}

/** Where a proxy listens: for connections, or for datagrams. */
export type ListenAddress = Address | UdpAddress;

/** What an address is for: it decides what a missing host means. */
export type AddressUse = "listen" | "target";

/** Whether it may begin with `tls://`. */
export type TlsUse = "tls" | "plain";

export type Fail = (why: string) => never;

/** Hosts that would be taken for the beginning of `unix:…`, `udp://…` or `file:…` where no scheme goes before them. */
const NAMED_AS_SCHEME = /^(unix|udp|file)$/i;

/** sun_path has 108 bytes (unix(7)), the last of them NUL. */
const UNIX_PATH_MAX = 107;

/**
 * Reads an address. A port alone (`8080`) means 127.0.0.1. With a colon (`:8080`) a listener takes every
 * interface (`::`, both families), a target 127.0.0.1.
 *
 * @throws {UsageError} `EADDRESS`, naming the text, what is wrong with it and what to write instead.
 */
export function parseAddress(text: string, use: AddressUse, tls: TlsUse = "plain"): Address {
  const fail = (why: string): never => {
    throw new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`);
  };
  if (text === "") return fail('it is empty; write "host:port" or "unix:/path"');
  if (text.startsWith("unix:")) return unixAddress(text.slice(5), fail);
  let rest = text;
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text);
  if (scheme) {
    const name = (scheme[1] ?? "").toLowerCase();
    if (name === "udp") fail("there is no UDP here; it is for what [[proxy]] listens on, its targets, and weir udp");
    rest = text.slice(scheme[0].length);
    if (name === "tls" && tls === "tls") return { ...hostAndPort(rest, use, fail), tls: true };
    if (name === "tls")
      fail("there is no TLS here; it is for what [[proxy]] and [[mux]] listen on, and for their targets");
    if (name !== "tcp") fail(`unknown scheme "${name}://"; use tcp:// or unix:`);
  }
  if (rest.startsWith("/") || rest.startsWith("./") || rest.startsWith("@")) {
    fail(`a unix socket is written "unix:${rest}"`);
  }
  return hostAndPort(rest, use, fail);
}

/**
 * Reads where a proxy listens: what {@link parseAddress} reads, also `tls://`, or `udp://` with an IP address and a port.
 *
 * @example parseListen("udp://:53") // { kind: "udp", host: "::", port: 53 }: both families
 * @throws {UsageError} `EADDRESS`
 */
export function parseListen(text: string): ListenAddress {
  return /^udp:/i.test(text) ? parseUdp(text, "listen") : parseAddress(text, "listen", "tls");
}

/**
 * Reads where something listens that has no use for TLS: what {@link parseAddress} reads, or `udp://` with an IP address.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parsePlainListen(text: string): ListenAddress {
  return /^udp:/i.test(text) ? parseUdp(text, "listen") : parseAddress(text, "listen");
}

/**
 * Reads `udp://HOST:PORT`; who listens is no name, which could have several addresses.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parseUdp(text: string, use: AddressUse): UdpAddress {
  const fail: Fail = (why) => {
    throw new UsageError("EADDRESS", `Cannot parse address "${text}": ${why}`);
  };
  const [, rest] = /^udp:\/\/(.*)$/is.exec(text) ?? fail("write udp://HOST:PORT");
  const { host, port: number } = hostAndPort(rest ?? "", use, fail);
  if (use === "listen" && !isIPv4(host) && !isIPv6(host)) {
    fail(`"${host}" is a name; write the IP address to listen on, or udp://:${number} for all`);
  }
  return { kind: "udp", host, port: number };
}

/** Reads what follows the scheme of an address; `fail` throws, given what is wrong. */
export function hostAndPort(rest: string, use: AddressUse, fail: Fail): TcpAddress {
  if (/^\d+$/.test(rest)) return { kind: "tcp", host: "127.0.0.1", port: port(rest, use, fail) };
  const bracketed = /^\[([^\]]*)\](.*)$/.exec(rest);
  if (bracketed) {
    const host = bracketed[1] ?? "";
    if (!isIPv6(host)) fail(`"${host}" is not an IPv6 address`);
    if (!bracketed[2]?.startsWith(":")) fail(`the port is missing; write "[${host}]:PORT"`);
    return { kind: "tcp", host, port: port(bracketed[2]?.slice(1) ?? "", use, fail) };
  }
  const colon = rest.lastIndexOf(":");
  if (isIPv6(rest)) fail(`an IPv6 address needs brackets; write "[${rest}]:PORT"`);
  if (colon < 0) fail(`the port is missing; write "${rest}:PORT"`);
  const host = rest.slice(0, colon);
  if (host === "") {
    return { kind: "tcp", host: use === "listen" ? "::" : "127.0.0.1", port: port(rest.slice(1), use, fail) };
  }
  checkHost(host, fail);
  return { kind: "tcp", host, port: port(rest.slice(colon + 1), use, fail) };
}

/**
 * Reads an IP address with a port, as text in its canonical form.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parseEndpoint(text: string): string {
  const address = parseAddress(text, "target");
  if (address.kind === "tcp" && (isIPv4(address.host) || isIPv6(address.host))) return formatAddress(address);
  throw new UsageError(
    "EADDRESS",
    `Cannot parse address "${text}": write an IP address and a port, such as 10.0.0.1:53`,
  );
}

/**
 * Reads an IP address without a port.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parseIp(text: string): string {
  const host = text.replace(/^\[(.*)\]$/, "$1");
  if (isIPv4(host) || isIPv6(host)) return host;
  throw new UsageError("EADDRESS", `Cannot parse IP address "${text}": write one such as 10.0.0.5 or fd00::5`);
}

/**
 * The canonical text: `127.0.0.1:80`, `tls://[::1]:443`, `unix:/run/x.sock`, `udp://127.0.0.1:53`; `unknown` for a peer
 * that was gone before the
 * runtime could tell its address.
 */
export function formatAddress(address: ListenAddress): string {
  if (address.kind === "unix") return address.path === "" ? "unix:" : `unix:${address.path}`;
  if (address.host === "") return address.kind === "udp" ? "udp://unknown" : "unknown";
  if (address.kind === "udp") return `udp://${hostWithPort(address)}`;
  const scheme = address.tls ? "tls://" : NAMED_AS_SCHEME.test(address.host) ? "tcp://" : "";
  return scheme + hostWithPort(address);
}

/** What {@link hostAndPort} reads back. */
export function hostWithPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The address that stands for all of this machine, in the family of the IP address `host`. */
export function anyAddress(host: string): "0.0.0.0" | "::" {
  return host.includes(":") ? "::" : "0.0.0.0";
}

/** It says `tls://`. */
export function isTls(address: ListenAddress): boolean {
  return address.kind === "tcp" && address.tls === true;
}

/** Whether two addresses are one, with TLS or without, however they are spelled. Names are not resolved; paths know case. */
export function sameAddress(a: ListenAddress, b: ListenAddress): boolean {
  if (a.kind === "unix" || b.kind === "unix") return a.kind === "unix" && b.kind === "unix" && a.path === b.path;
  return a.kind === b.kind && a.port === b.port && canonicalHost(a.host) === canonicalHost(b.host);
}

/**
 * Whether a connection to `target` arrives at a listener on `listen`: two listeners of which one covers
 * the other cannot both be bound, and a proxy whose listener covers its target would feed itself.
 */
export function covers(listen: ListenAddress, target: ListenAddress): boolean {
  if (listen.kind === "unix" || target.kind === "unix") return sameAddress(listen, target);
  if (listen.kind !== target.kind) return false;
  if (listen.port !== target.port || listen.port === 0) return false;
  const here = family(listen.host);
  const there = family(target.host);
  if (here.any && (there.any || there.loopback)) return here.v6 || !there.v6;
  if (here.name === "localhost" && (there.loopback || there.any)) return true;
  // Measured on Linux: connecting to 0.0.0.0 reaches 127.0.0.1, and connecting to :: reaches ::1.
  if (there.any) return here.name === (there.v6 ? LOOPBACK_IPV6 : "127.0.0.1");
  if (there.name === "localhost") return here.loopback;
  return here.name === there.name;
}

/** A target as whoever listens there would have it: what a UDP proxy sends is datagrams. */
export function asReached({ listen }: { readonly listen: ListenAddress }, target: Address): ListenAddress {
  return listen.kind === "udp" && target.kind === "tcp" ? { ...target, kind: "udp" } : target;
}

export function isIPv4(host: string): boolean {
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** RFC 4291 section 2.2, with an optional zone (`%eth0`, RFC 4007 section 11). */
export function isIPv6(host: string): boolean {
  const [address = "", zone = "0", extra] = host.split("%");
  return extra === undefined && /^[^\s/\p{Cc}]+$/u.test(zone) && groupsOf(address) !== undefined;
}

function unixAddress(path: string, fail: Fail): UnixAddress {
  if (path === "" || path === "@") fail('the path is missing; write "unix:/run/x.sock" or "unix:@name"');
  if (path.includes("\0")) fail("a socket path cannot hold a NUL byte");
  if (path.endsWith("/")) fail("it names a directory; a unix socket is a file");
  const bytes = new TextEncoder().encode(path).length;
  if (bytes > UNIX_PATH_MAX) fail(`the path has ${bytes} bytes; the kernel allows ${UNIX_PATH_MAX}`);
  return { kind: "unix", path };
}

function port(text: string, use: AddressUse, fail: Fail): number {
  if (text === "") fail("the port is missing after the colon");
  if (!/^\d+$/.test(text)) fail(`the port "${text}" is not a number`);
  const value = Number(text);
  if (value > 65535) fail(`the port ${text} is out of range; use ${use === "listen" ? 0 : 1} to 65535`);
  if (value === 0 && use === "target") fail("port 0 cannot be connected to; use 1 to 65535");
  return value;
}

/** RFC 1123 section 2.1 names, with the underscores that service names use. */
function checkHost(host: string, fail: Fail): void {
  if (host.includes(":")) fail(`"${host}" is not a host; an IPv6 address needs brackets: "[${host}]:PORT"`);
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) fail(`"${host}" is not an IPv4 address`);
  if (host.length > 253) fail("a host name has at most 253 characters");
  if (!/^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i.test(host)) {
    fail(`"${host}" is not a host name`);
  }
}

const ANY_IPV6 = "0:0:0:0:0:0:0:0";
const LOOPBACK_IPV6 = "0:0:0:0:0:0:0:1";

function family(host: string): { name: string; any: boolean; loopback: boolean; v6: boolean } {
  const name = canonicalHost(host);
  return {
    name,
    any: name === "0.0.0.0" || name === ANY_IPV6,
    loopback: name === "localhost" || name === LOOPBACK_IPV6 || (name.startsWith("127.") && isIPv4(name)),
    v6: name.includes(":"),
  };
}

/** This machine alone can connect to it. */
export function isLoopback(host: string): boolean {
  return family(host).loopback;
}

/** One text for all spellings: lower case, IPv6 in full, or as IPv4 where it stands for that (`::ffff:10.0.0.1`). */
function canonicalHost(host: string): string {
  const [address = "", zone] = host.toLowerCase().split("%");
  const groups = groupsOf(address);
  if (!groups) return host.toLowerCase();
  const [high = 0, low = 0] = groups.slice(6);
  const mapped = groups.slice(0, 6).join(":") === `0:0:0:0:0:${0xffff}`;
  if (mapped) return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const full = groups.map((group) => group.toString(16)).join(":");
  return zone === undefined ? full : `${full}%${zone}`;
}

/**
 * The eight numbers of an IPv6 address; undefined if it is none. Not by way of URL: Bun 1.4.5's takes `::0:` and
 * refuses `0::0:0:0:1.2.3.4`.
 */
export function groupsOf(address: string): number[] | undefined {
  const halves = address.split("::");
  const [head = [], tail] = halves.map((half, index) => {
    const parts = half === "" ? [] : half.split(":");
    const last = index === halves.length - 1 ? parts.length - 1 : -1;
    return parts.flatMap((part, at) => (at === last && isIPv4(part) ? pairsOf(part) : [groupOf(part)]));
  });
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length > 2 || (tail ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  return groups.includes(Number.NaN) ? undefined : groups;
}

function groupOf(part: string): number {
  return /^[0-9a-f]{1,4}$/i.test(part) ? Number.parseInt(part, 16) : Number.NaN;
}

function pairsOf(ipv4: string): [number, number] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}
