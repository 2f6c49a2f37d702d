/** From the flags of a command line to the same configuration that files become. */
import { burstOf } from "../admit/sources.ts";
import { checkConfig } from "../config/check.ts";
import {
  type AdminConfig,
  type Config,
  DEFAULT_ADMIN,
  DEFAULTS,
  HEALTH,
  type HealthConfig,
  type LogConfig,
  logConfig,
  type ProxyConfig,
} from "../config/config.ts";
import { parseTargetOptions } from "../config/target-options.ts";
import { parseAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import { INSPECT } from "../observe/inspect/inspect-config.ts";
import type { FlagValues, Run } from "./command.ts";
import type { LOG_FLAGS } from "./flags.ts";
import type { program } from "./program.ts";
import { tlsConfig } from "./tls-flags.ts";

/**
 * What `weir tcp` is to do.
 *
 * @throws {UsageError} `EUSAGE` for a flag that needs another one, `ECONFIG` if the parts contradict each other; one line
 *   for each contradiction.
 */
export function tcpConfig(line: Run): Config {
  const [listen = "", ...targets] = line.positionals;
  const own = {
    name: "proxy-1",
    listen: parseAddress(listen, "listen", "tls"),
    targets: targets.map(parseTargetOptions),
  };
  return relayConfig(line, { ...own, mux: null });
}

/** One proxy, with all else that the flags of `weir tcp` say of it. Throws as {@link tcpConfig} does. */
export function relayConfig(line: Run, own: Pick<ProxyConfig, "name" | "listen" | "targets" | "mux">): Config {
  const flags = line.flags as Flags<"tcp">;
  if (flags.burst !== undefined && flags.rate === undefined) {
    throw new UsageError("EUSAGE", `weir ${line.command.name}: --burst needs --rate; write one such as "--rate 20/s"`);
  }
  return checked(line, {
    admin: adminConfig(flags, NO_FILE.admin),
    log: logOf(line, DEFAULTS.log),
    engine: { mode: flags.engine ?? DEFAULTS.engine.mode, workers: flags.workers ?? DEFAULTS.engine.workers },
    shutdown: { grace: flags.grace ?? DEFAULTS.shutdown.grace },
    toxiproxy: null,
    seed: flags.seed ?? null,
    proxies: [proxyConfig(`weir ${line.command.name}`, own, flags)],
    bridges: [],
  });
}

/**
 * What `weir tap` runs: one proxy that writes down what passes through it.
 *
 * @throws {UsageError} `ECONFIG` if the proxy would feed itself.
 */
export function tapConfig(line: Run): Config {
  const flags = line.flags as Flags<"tap">;
  const [listen = "", target = ""] = line.positionals;
  const { proxy } = DEFAULTS;
  return checked(line, {
    ...NO_FILE,
    admin: { ...NO_FILE.admin, listen: null },
    log: { ...logOf(line, DEFAULTS.log), summaryInterval: 0 },
    engine: { mode: "portable", workers: "auto" },
    // Whoever looks on has seen enough.
    shutdown: { grace: 0 },
    proxies: [
      {
        ...proxy,
        name: "tap",
        listen: parseAddress(listen, "listen"),
        targets: [parseTargetOptions(target)],
        inspects: [
          {
            format: flags.format ?? INSPECT.format,
            path: flags.out ?? INSPECT.path,
            maxBytes: flags["max-bytes"] ?? INSPECT.maxBytes,
            maxSize: flags["max-size"] ?? INSPECT.maxSize,
            keep: flags.keep ?? INSPECT.keep,
            direction: flags.direction ?? INSPECT.direction,
          },
        ],
      },
    ],
  });
}

function proxyConfig(where: string, own: Parameters<typeof relayConfig>[1], flags: Flags<"tcp">): ProxyConfig {
  const { proxy } = DEFAULTS;
  const { timeouts, queue, perSource, proxyProtocol, dns } = proxy;
  return {
    ...own,
    name: flags.name ?? own.name,
    balance: flags.balance ?? proxy.balance,
    slowStart: flags["slow-start"] ?? proxy.slowStart,
    noneHealthy: flags["none-healthy"] ?? proxy.noneHealthy,
    health: healthConfig(flags),
    dns: {
      servers: flags["dns-server"] ?? dns.servers,
      interval: flags["dns-interval"] ?? dns.interval,
      timeout: dns.timeout,
    },
    timeouts: {
      hello: flags["hello-timeout"] ?? timeouts.hello,
      connect: flags["connect-timeout"] ?? timeouts.connect,
      idle: flags["idle-timeout"] ?? timeouts.idle,
      fin: flags["fin-timeout"] ?? timeouts.fin,
      lifetime: flags.lifetime ?? timeouts.lifetime,
    },
    buffer: flags.buffer ?? proxy.buffer,
    noDelay: flags.nodelay ?? proxy.noDelay,
    keepAlive: flags.keepalive ?? proxy.keepAlive,
    reusePort: flags["reuse-port"] ?? proxy.reusePort,
    allow: flags.allow ?? proxy.allow,
    deny: flags.deny ?? proxy.deny,
    allowFile: flags["allow-file"] ?? proxy.allowFile,
    denyFile: flags["deny-file"] ?? proxy.denyFile,
    schedule: flags.schedule ?? proxy.schedule,
    maxConnections: flags["max-connections"] ?? proxy.maxConnections,
    queue: { size: flags["queue-size"] ?? queue.size, timeout: flags["queue-timeout"] ?? queue.timeout },
    perSource: {
      maxConnections: flags["max-connections-per-source"] ?? perSource.maxConnections,
      perSecond: flags.rate?.perSecond ?? perSource.perSecond,
      burst: flags.burst ?? burstOf(flags.rate?.perSecond ?? 0),
    },
    proxyProtocol: {
      acceptFrom: flags["accept-proxy-from"] ?? proxyProtocol.acceptFrom,
      timeout: proxyProtocol.timeout,
      send: flags["send-proxy"] ?? proxyProtocol.send,
    },
    refuse: flags.refuse ?? proxy.refuse,
    retries: flags.retries ?? proxy.retries,
    observers: flags.observer ?? proxy.observers,
    inspects: proxy.inspects,
    filters: proxy.filters,
    faults: flags.fault ?? proxy.faults,
    seed: proxy.seed,
    source: flags.source ?? proxy.source,
    ...tlsConfig(where, flags),
  };
}

/** Any of the flags turns checks on. */
function healthConfig(flags: Flags<"tcp">): HealthConfig | null {
  const interval = flags["health-interval"];
  const [send, expect, http] = [flags["health-send"], flags["health-expect"], flags["health-http"]];
  if ([interval, send, expect, http].every((each) => each === undefined)) return null;
  return {
    ...HEALTH,
    interval: interval ?? HEALTH.interval,
    send: send ?? null,
    expect: expect ?? null,
    http: http ?? null,
  };
}

/** What holds where there is no file. */
export const NO_FILE: Config = {
  admin: { listen: parseAddress(DEFAULT_ADMIN, "listen"), explicit: false, tokenEnv: null },
  log: DEFAULTS.log,
  engine: DEFAULTS.engine,
  shutdown: DEFAULTS.shutdown,
  toxiproxy: null,
  seed: null,
  proxies: [],
  bridges: [],
};

/**
 * What a file says, with the flags of `weir run` on top of it.
 *
 * @throws {UsageError} `ECONFIG` if the two contradict each other; one line for each contradiction.
 */
export function overrideConfig(config: Config, line: Run): Config {
  const flags = line.flags as Flags<"run">;
  return checked(line, {
    ...config,
    admin: adminConfig(flags, config.admin),
    log: logOf(line, config.log),
    engine: { mode: flags.engine ?? config.engine.mode, workers: flags.workers ?? config.engine.workers },
    shutdown: { grace: flags.grace ?? config.shutdown.grace },
    toxiproxy: flags.toxiproxy ?? config.toxiproxy,
    seed: flags.seed ?? config.seed,
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
export type Flags<Name extends Commands["name"]> = FlagValues<
  Extract<Commands, { readonly name: Name }>["flagGroups"][number]["flags"][number]
>;
type LogFlags = FlagValues<(typeof LOG_FLAGS)[number]>;

/** Where flags of any command say that there are to be metrics. */
export function adminConfig(flags: Pick<Flags<"run">, "metrics" | "token-env">, base: AdminConfig): AdminConfig {
  const { metrics: listen } = flags;
  return {
    listen: listen === undefined ? base.listen : listen,
    explicit: listen !== undefined || base.explicit,
    tokenEnv: flags["token-env"] ?? base.tokenEnv,
  };
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

/** @throws {UsageError} `ECONFIG`, one line for each contradiction. */
export function checked({ command }: Run, config: Config): Config {
  const lines = checkConfig(config).map(({ message }) => `weir ${command.name}: ${message}`);
  // What a file has at two places may need only one word here.
  if (lines.length > 0) throw new UsageError("ECONFIG", [...new Set(lines)].join("\n"));
  return config;
}
