/**
 * The programs that weir stands in for: started under one of their names, through a link or as a copy, or as
 * `weir as NAME`, it takes the command line that they had.
 */
import { UsageError } from "../net/errors.ts";

/** From the arguments of each to those of weir. */
const TRANSLATIONS = {
  "tcp-clone": tcpClone,
  "tcp-multiplexer": tcpMultiplexer,
  tcpproxy_server: tcpproxyServer,
  "basic-tcp-proxy": basicTcpProxy,
  "mproxy-client": (args: readonly string[]) => mproxy("send", args),
  "mproxy-server": (args: readonly string[]) => mproxy("recv", args),
  "mproxy-forward": (args: readonly string[]) => mproxy("forward", args),
  "mproxy-reverse": (args: readonly string[]) => mproxy("reverse", args),
} as const satisfies Readonly<Record<string, (args: readonly string[]) => readonly string[]>>;

type OldName = keyof typeof TRANSLATIONS;

export const OLD_NAMES = Object.keys(TRANSLATIONS) as readonly OldName[];

/**
 * What `args` mean under this name, which may also stand in them, behind `as`.
 *
 * @example translated("tcp-multiplexer", ["list"]) // ["mux", "list"]
 * @example translated("weir", ["as", "tcp-clone", "a.toml"]) // ["run", "a.toml"]
 * @throws {UsageError} `EUSAGE` for what the old program did not know either.
 */
export function translated(name: string, args: readonly string[]): readonly string[] {
  if (isOldName(name)) return TRANSLATIONS[name](args);
  const [as, ...rest] = args;
  const [meant = "", ...own] = rest[0] === "--" ? rest.slice(1) : rest;
  return as === "as" && isOldName(meant) ? TRANSLATIONS[meant](own) : args;
}

function isOldName(name: string): name is OldName {
  return Object.hasOwn(TRANSLATIONS, name);
}

/** Its one argument was a file. */
function tcpClone(args: readonly string[]): readonly string[] {
  const usage = "usage: tcp-clone CONFIG.toml";
  if (args.length === 0) throw new UsageError("EUSAGE", `tcp-clone: the configuration file is missing; ${usage}`);
  return about("run", args) ?? ["run", ...args];
}

/** It had no arguments: its file was always called the same, and each connection was told of. */
function basicTcpProxy(args: readonly string[]): readonly string[] {
  return about("run", args) ?? ["run", "proxy.toml", "--log", "connections", ...args];
}

/** Four words; flags of `weir tcp` may follow. */
function tcpproxyServer(args: readonly string[]): readonly string[] {
  const asked = about("tcp", args);
  if (asked) return asked;
  const end = args.findIndex((arg) => arg.startsWith("-"));
  const words = end < 0 ? args : args.slice(0, end);
  const [host = "", port = "", forwardHost = "", forwardPort = ""] = words;
  if (words.length !== 4) {
    const found = `expected four arguments, found ${words.length}`;
    const usage = "usage: tcpproxy_server LOCAL_IP LOCAL_PORT FORWARD_HOST FORWARD_PORT";
    throw new UsageError("EUSAGE", `tcpproxy_server: ${found}; ${usage}`);
  }
  return ["tcp", joined(host, port), joined(forwardHost, forwardPort), ...args.slice(words.length)];
}

/** A host and a port as one address. */
function joined(host: string, port: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What the old program did not know, and everybody tries. */
function about(command: string, [first]: readonly string[]): readonly string[] | undefined {
  if (first === "-h" || first === "--help") return ["help", command];
  return first === "-V" || first === "--version" ? ["version"] : undefined;
}

/** Its commands; what it could be told of its log stood before them or behind. */
function tcpMultiplexer(args: readonly string[]): readonly string[] {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const [before, [command, ...rest]] = at < 0 ? [args, []] : [args.slice(0, at), args.slice(at)];
  const loud = before.filter((arg) => arg === "-v" || arg === "--verbose");
  const other = before.find((arg) => !loud.includes(arg));
  if (other === "-h" || other === "--help" || command === undefined) return ["help", "mux", "server"];
  if (other !== undefined) {
    throw new UsageError("EUSAGE", `tcp-multiplexer: unknown flag "${other}"; write it behind a command`);
  }
  switch (command) {
    case "server":
      // Its -l=8000 was -l 8000.
      return ["mux", "server", ...loud, ...rest.map((arg) => arg.replace(/^(-[plt])=/, "$1"))];
    case "list":
      return ["mux", "list", ...rest];
    case "version":
      return ["version"];
    case "help":
      return ["help", "mux", rest[0] ?? "server"];
    default:
      throw new UsageError("EUSAGE", `tcp-multiplexer: unknown command "${command}"; use list, server or version`);
  }
}

/** Its flags are those of `weir udp`; alone it showed what they are. */
function mproxy(command: string, args: readonly string[]): readonly string[] {
  return args.length === 0 ? ["help", "udp", command] : ["udp", command, ...args];
}
