/**
 * The programs that weir stands in for: started under one of their names, through a link or as a copy, it takes the
 * command line that they had.
 */
import { UsageError } from "../net/errors.ts";

/** From the arguments of each to those of weir. */
const OLD_NAMES: Readonly<Record<string, (args: readonly string[]) => readonly string[]>> = {
  "tcp-multiplexer": tcpMultiplexer,
  "mproxy-client": (args) => mproxy("send", args),
  "mproxy-server": (args) => mproxy("recv", args),
  "mproxy-forward": (args) => mproxy("forward", args),
  "mproxy-reverse": (args) => mproxy("reverse", args),
};

/**
 * What `args` mean under this name.
 *
 * @example translated("tcp-multiplexer", ["list"]) // ["mux", "list"]
 * @throws {UsageError} `EUSAGE` for what the old program did not know either.
 */
export function translated(name: string, args: readonly string[]): readonly string[] {
  return Object.hasOwn(OLD_NAMES, name) ? (OLD_NAMES[name]?.(args) ?? args) : args;
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
