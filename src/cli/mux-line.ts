/** From the command line of `weir mux` to its configuration. */
import { type Config, DEFAULTS, logConfig, type ProxyConfig } from "../config/config.ts";
import { parseTargetOptions } from "../config/target-options.ts";
import { MUX, type MuxConfig } from "../mux/mux-config.ts";
import { parseAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import type { Run } from "./command.ts";
import { checked, type Flags, NO_FILE, relayConfig } from "./config-flags.ts";
import { MUX_LISTEN, MUX_TARGET } from "./mux-commands.ts";

const NAME = "mux-1";

/**
 * What `weir mux` is to do.
 *
 * @throws {UsageError} `EUSAGE` for what is given twice, and as `weir tcp`.
 */
export function muxConfig(line: Run): Config {
  return relayConfig(line, { name: NAME, ...placesOf(line), mux: sharingOf(line.flags as Flags<"mux">) });
}

/** What `weir mux server` is to do. */
export function muxServerConfig(line: Run): Config {
  const flags = line.flags as Flags<"mux server">;
  const level = flags.verbose ? "debug" : "info";
  return checked(line, {
    ...NO_FILE,
    log: logConfig({ level, connections: true, summaryInterval: 0 }),
    proxies: [
      {
        ...DEFAULTS.proxy,
        name: NAME,
        listen: flags.listen ?? parseAddress(`:${MUX_LISTEN}`, "listen"),
        targets: [flags.targetServer ?? parseTargetOptions(MUX_TARGET)],
        mux: { ...MUX, protocol: flags.applicationProtocol ?? "echo" },
      },
    ],
  });
}

/** Each is an argument or a flag. */
function placesOf({ positionals, flags }: Run): Pick<ProxyConfig, "listen" | "targets"> {
  const [listen = "", ...targets] = positionals.filter((text) => text !== "");
  const given = flags as Flags<"mux">;
  if (listen !== "" && given.listen) throw twice("LISTEN", listen, "listen; with that, write targets behind --target");
  if (targets.length > 0 && given.target) throw twice("TARGET", targets[0] ?? "", "target; keep one of the two");
  const written = targets.length > 0 ? targets : [MUX_TARGET];
  return {
    listen: given.listen ?? parseAddress(listen || MUX_LISTEN, "listen", "tls"),
    targets: given.target ?? written.map(parseTargetOptions),
  };
}

function twice(what: string, text: string, flag: string): UsageError {
  return new UsageError("EUSAGE", `weir mux: ${what} is given twice, as "${text}" and by --${flag}`);
}

function sharingOf(flags: Flags<"mux">): MuxConfig {
  return {
    protocol: flags.protocol ?? "echo",
    maxMessage: flags["max-message"] ?? MUX.maxMessage,
    delimiter: flags.delimiter ?? MUX.delimiter,
    length: flags.length ?? MUX.length,
    match: flags.match ?? MUX.match,
    connections: flags.connections ?? MUX.connections,
    warm: flags.warm ?? MUX.warm,
    inFlight: flags["in-flight"] ?? MUX.inFlight,
    inFlightPerClient: flags["max-in-flight-per-client"] ?? MUX.inFlightPerClient,
    queuePerClient: flags["queue-per-client"] ?? MUX.queuePerClient,
    timeout: flags.timeout ?? MUX.timeout,
    messageTimeout: flags["message-timeout"] ?? MUX.messageTimeout,
    requestRetries: flags["request-retries"] ?? MUX.requestRetries,
    maxAge: flags["max-age"] ?? MUX.maxAge,
    idle: flags.idle ?? MUX.idle,
    closeWithLast: flags["close-with-last-client"] ?? MUX.closeWithLast,
  };
}
