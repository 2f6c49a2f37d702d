/** From the flags of a command line to the same configuration that files become. */
import { checkConfig } from "../config/check.ts";
import { type AdminConfig, type Config, DEFAULT_ADMIN, DEFAULTS, type LogConfig, logConfig } from "../config/config.ts";
import { parseAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import type { FlagValues, Run } from "./command.ts";
import type { LOG_FLAGS, program } from "./program.ts";

/**
 * What `weir tcp` is to do.
 *
 * @throws {UsageError} `ECONFIG` if the parts contradict each other; one line for each contradiction.
 */
export function tcpConfig(line: Run): Config {
  const [listen = "", target = ""] = line.positionals;
  const flags = line.flags as Flags<"tcp">;
  const { timeouts, buffer, noDelay, keepAlive, allow, deny, refuse, retries, source } = DEFAULTS.proxy;
  return checked(line, {
    admin: adminConfig(flags.metrics) ?? { listen: parseAddress(DEFAULT_ADMIN, "listen"), explicit: false },
    log: logOf(line, DEFAULTS.log),
    engine: { mode: flags.engine ?? DEFAULTS.engine.mode, workers: flags.workers ?? DEFAULTS.engine.workers },
    shutdown: { grace: flags.grace ?? DEFAULTS.shutdown.grace },
    proxies: [
      {
        name: flags.name ?? "proxy-1",
        listen: parseAddress(listen, "listen"),
        targets: [parseAddress(target, "target")],
        timeouts: {
          connect: flags["connect-timeout"] ?? timeouts.connect,
          idle: flags["idle-timeout"] ?? timeouts.idle,
          fin: flags["fin-timeout"] ?? timeouts.fin,
          lifetime: flags.lifetime ?? timeouts.lifetime,
        },
        buffer: flags.buffer ?? buffer,
        noDelay: flags.nodelay ?? noDelay,
        keepAlive: flags.keepalive ?? keepAlive,
        allow: flags.allow ?? allow,
        deny: flags.deny ?? deny,
        refuse: flags.refuse ?? refuse,
        retries: flags.retries ?? retries,
        source: flags.source ?? source,
      },
    ],
  });
}

/**
 * What a file says, with the flags of `weir run` on top of it.
 *
 * @throws {UsageError} `ECONFIG` if the two contradict each other; one line for each contradiction.
 */
export function overrideConfig(config: Config, line: Run): Config {
  const flags = line.flags as Flags<"run">;
  return checked(line, {
    ...config,
    admin: adminConfig(flags.metrics) ?? config.admin,
    log: logOf(line, config.log),
    engine: { mode: flags.engine ?? config.engine.mode, workers: flags.workers ?? config.engine.workers },
    shutdown: { grace: flags.grace ?? config.shutdown.grace },
  });
}

/** What the log flags of any command ask for, where no file has a say. */
export function logOptions(line: Run): LogConfig {
  return logOf(line, DEFAULTS.log);
}

/** Milliseconds that connections may take to finish, where no file has a say. */
export function graceOption(line: Run): number {
  return (line.flags as Flags<"echo">).grace ?? DEFAULTS.shutdown.grace;
}

// A Run knows nothing of its command's flags; these types do. They hold because parsing goes by the same table.
type Commands = (typeof program)["commands"][number];
type Flags<Name extends Commands["name"]> = FlagValues<
  Extract<Commands, { readonly name: Name }>["flagGroups"][number]["flags"][number]
>;
type LogFlags = FlagValues<(typeof LOG_FLAGS)[number]>;

/** Undefined unless asked for. */
function adminConfig(listen: AdminConfig["listen"] | undefined): AdminConfig | undefined {
  return listen === undefined ? undefined : { listen, explicit: true };
}

function logOf(line: Run, base: LogConfig): LogConfig {
  const flags = line.flags as LogFlags;
  const format = flags["log-format"];
  if (flags.quiet) {
    const silent = { level: "error", summaryInterval: 0, connections: false, access: false } as const;
    return logConfig({ ...silent, format }, base);
  }
  return logConfig(
    {
      level: flags["log-level"],
      format,
      summaryInterval: flags["summary-interval"],
      // The flag only adds.
      connections: flags.log?.includes("connections") || undefined,
      access: flags.log?.includes("access") || undefined,
    },
    base,
  );
}

function checked({ command }: Run, config: Config): Config {
  const lines = checkConfig(config).map(({ message }) => `weir ${command.name}: ${message}`);
  if (lines.length > 0) throw new UsageError("ECONFIG", lines.join("\n"));
  return config;
}
