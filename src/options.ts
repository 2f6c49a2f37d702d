/** What the library's users can say about a proxy, and the configuration that it becomes. */
import { parseRate } from "./admit/rate.ts";
import { parseWindow } from "./admit/schedule.ts";
import { burstOf } from "./admit/sources.ts";
import {
  BALANCES,
  DEFAULTS,
  ENGINES,
  type EngineConfig,
  HEALTH,
  type HealthConfig,
  NONE_HEALTHY,
  PROXY_VERSIONS,
  type ProxyConfig,
  REFUSALS,
  RETRIES_MAX,
  type Timeouts,
} from "./config/config.ts";
import { parseTargetOptions } from "./config/target-options.ts";
import { COUNT_MAX } from "./config/units.ts";
import { udpDefaults } from "./datagram/relay/relay-config.ts";
import type { FaultOptions } from "./fault-settings.ts";
import type { ScriptFilter } from "./filter/script.ts";
import { type MuxOptions, readMux, refuseContradictions } from "./mux-options.ts";
import {
  asReached,
  covers,
  formatAddress,
  type ListenAddress,
  parseEndpoint,
  parseIp,
  parseListen,
} from "./net/address.ts";
import { parseCidr } from "./net/cidr.ts";
import { UsageError } from "./net/errors.ts";
import { isAddress } from "./net/target-name.ts";
import type { ObserverConfig } from "./observe/observer-config.ts";
import {
  type FilterSettings,
  type InspectOptions,
  type ObserverOptions,
  readFaults,
  readFilters,
  readInspects,
  readObservers,
} from "./option-parts.ts";
import {
  readTargetTls,
  readTls,
  refuseTlsContradictions,
  type TargetTlsOptions,
  type TlsOptions,
} from "./tls-options.ts";

export interface ProxyOptions {
  /** Shown in records and metrics. Default: the listen address. */
  readonly name?: string;
  /**
   * Milliseconds; 0 turns one off. Defaults: hello 5,000, connect 5,000, idle 600,000 (of UDP 60,000), fin 30,000,
   * lifetime 0.
   */
  readonly timeouts?: Partial<Timeouts>;
  /** Bytes held per direction before weir stops reading, 1,024 to 2^30. Default 262,144. */
  readonly buffer?: number;
  /** TCP_NODELAY on both connections. Default true. */
  readonly noDelay?: boolean;
  /** Milliseconds of silence before TCP keepalive probes; 0: none, the default. */
  readonly keepAlive?: number;
  /** Other processes may listen on the same address, as long as each of them says so (SO_REUSEPORT). Default false. */
  readonly reusePort?: boolean;
  /** Which of several targets gets the next connection. Default "round_robin". */
  readonly balance?: ProxyConfig["balance"];
  /** Milliseconds in which a target that has come back grows to its whole share; 0, the default: it has it at once. */
  readonly slowStart?: number;
  /** Checks that find out which targets are well; without this there are none, `{}` has the defaults of `HealthConfig`. */
  readonly health?: Partial<HealthConfig>;
  /** What becomes of clients when the checks have given up every target: "refuse", the default, or "try_all". */
  readonly noneHealthy?: ProxyConfig["noneHealthy"];
  /** How `dns://` and `dns+srv://` targets are resolved: servers such as "10.0.0.1:53", and milliseconds. */
  readonly dns?: Partial<ProxyConfig["dns"]>;
  /** Ranges of clients that are let in, such as `"10.0.0.0/8"`; nobody else, then. The narrowest range decides. */
  readonly allow?: readonly string[];
  /** Ranges of clients that are shut out. */
  readonly deny?: readonly string[];
  /** When clients are let in: windows such as `"Mon-Fri 08:00-18:00 Europe/Berlin"`. Default: always. */
  readonly schedule?: readonly string[];
  /**
   * Connections at once, 0, the default, for as many as there is room for; others wait in the queue. Of UDP sessions,
   * 10,000 by default, beyond which the idlest ends.
   */
  readonly maxConnections?: number;
  /** Connections that may wait, and for how many milliseconds. Default 1,000 and 5,000. */
  readonly queue?: Partial<ProxyConfig["queue"]>;
  /** Connections that one client address (of IPv6: its /64) may have at once; 0, the default, for any number. */
  readonly maxConnectionsPerSource?: number;
  /** How fast connections of one client address may come, such as `"20/s"`; `burst` of them at once. */
  readonly rate?: { readonly connectionsPerSource: string; readonly burst?: number };
  /** Who has to begin with a PROXY header, and what targets are sent: "v1", "v2" or "off", the default. */
  readonly proxyProtocol?: {
    readonly acceptFrom?: readonly string[];
    readonly timeout?: number;
    readonly send?: ProxyConfig["proxyProtocol"]["send"];
  };
  /** What those get that are shut out: "reset" (RST, the default) or "close" (FIN). */
  readonly refuse?: ProxyConfig["refuse"];
  /** How often targets that cannot be connected are tried again, 0 to 100: after 100 ms, 200 ms, … a second. Default 0. */
  readonly retries?: number;
  /** The local IP address from which targets are connected. Default: the kernel chooses. */
  readonly source?: string;
  /** Who gets copies, as on the command line, `"127.0.0.1:6000,copies=both"`, or as objects. */
  readonly observers?: readonly (string | ObserverOptions)[];
  /** How clients are met that connect to a `"tls://…"` address. TLS runs in this thread, whatever the engine. */
  readonly tls?: TlsOptions;
  /** How targets are met that are written `"tls://…"`. Without this they are verified by the runtime's own CAs. */
  readonly targetTls?: TargetTlsOptions;
  /** Clients share connections to the targets. Without this each has its own. */
  readonly mux?: MuxOptions;
  /** What is written down of the sessions; the proxy then runs in this thread, whatever the engine. */
  readonly inspect?: readonly InspectOptions[];
  /**
   * What changes bytes on their way, in this order: functions, or objects as in files. With a function, or an object of
   * type "script", the proxy runs in this thread, whatever the engine.
   */
  readonly filters?: readonly (ScriptFilter | FilterSettings)[];
  /** What goes wrong on purpose, as on the command line, `"latency:latency=100ms"`, or as objects. */
  readonly faults?: readonly (string | FaultOptions)[];
  /** Where all chance in faults and filters comes from, a whole number from 0 to 1,000,000. Default: drawn each time. */
  readonly seed?: number;
  /**
   * "portable", the default, relays in this thread on the runtime's sockets. "native" relays in threads of its
   * own over libc, on Linux under Bun and Deno; "auto" does so where it works.
   */
  readonly engine?: EngineConfig["mode"];
  /** Threads of the native engine, 1 to 256. Default 1. */
  readonly workers?: number;
}

/** The configuration that `Proxy.bind` runs. Throws as it does. */
export function toProxyConfig(listen: string, target: string | readonly string[], options: ProxyOptions): ProxyConfig {
  const from = parseListen(listen);
  const texts = typeof target === "string" ? [target] : target;
  const targets = texts.map(parseTargetOptions);
  if (targets.length === 0) throw new UsageError("EOPTION", "There is no target; give one address at least");
  for (const { address } of targets) {
    if (!isAddress(address) || !covers(from, asReached({ listen: from }, address))) continue;
    throw new UsageError("ELOOP", `Cannot relay ${listen} to ${formatAddress(address)}: the proxy would feed itself`);
  }
  checkOptions(options);
  if (options.reusePort && from.kind === "unix") {
    throw new UsageError("EOPTION", "The option reusePort is true, and a unix socket has no port; leave it out");
  }
  const { name = formatAddress(from), timeouts = {}, allow = [], deny = [], schedule = [], queue, health } = options;
  const { buffer, noDelay, keepAlive, reusePort, refuse, retries, source, balance, slowStart, noneHealthy } = options;
  const { maxConnections, maxConnectionsPerSource: most = 0, rate, proxyProtocol = {}, dns = {} } = options;
  const { observers = [], inspect = [], filters = [], faults = [], seed, mux } = options;
  const proxy = from.kind === "udp" ? udpDefaults() : DEFAULTS.proxy;
  const shared = mux ? readMux(mux) : null;
  const perSecond = rate ? parseRate(rate.connectionsPerSource).perSecond : 0;
  const config: ProxyConfig = {
    ...proxy,
    ...given({ buffer, noDelay, keepAlive, reusePort, refuse, retries, source, balance, slowStart, noneHealthy }),
    ...given({ maxConnections, seed }),
    allow: allow.map(parseCidr),
    deny: deny.map(parseCidr),
    schedule: schedule.map(parseWindow),
    name,
    listen: from,
    targets,
    queue: { ...proxy.queue, ...given(queue ?? {}) },
    health: health ? { ...HEALTH, ...given(health) } : null,
    dns: { ...proxy.dns, ...given(dns), servers: (dns.servers ?? []).map(parseEndpoint) },
    perSource: { maxConnections: most, perSecond, burst: rate?.burst ?? burstOf(perSecond) },
    proxyProtocol: {
      ...proxy.proxyProtocol,
      ...given({ send: proxyProtocol.send, timeout: proxyProtocol.timeout }),
      acceptFrom: (proxyProtocol.acceptFrom ?? []).map(parseCidr),
    },
    timeouts: { ...proxy.timeouts, ...given(timeouts) },
    mux: shared,
    observers: copiesFrom(from, readObservers(observers)),
    inspects: readInspects(inspect),
    filters: readFilters(filters),
    faults: readFaults(faults, { mux: shared, listen: from }),
    tls: readTls(options.tls),
    targetTls: readTargetTls(options.targetTls),
  };
  return refuseTlsContradictions(refuseContradictions(config));
}

/** An observer at the proxy's own address would get copies of its copies, for ever. */
function copiesFrom(listen: ListenAddress, observers: ObserverConfig[]): ObserverConfig[] {
  for (const { address } of observers) {
    if (address.kind === "udp" || address.kind === "file" || !covers(listen, address)) continue;
    const text = formatAddress(listen);
    throw new UsageError("ELOOP", `Cannot copy ${text} to ${formatAddress(address)}: the proxy would copy its copies`);
  }
  return observers;
}

/** An option that is undefined is one that was not given. */
function given<T extends object>(options: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** Timers count milliseconds in 31 bits. */
export const LONGEST = 2 ** 31 - 1;

function checkOptions(options: ProxyOptions): void {
  const { timeouts = {}, queue = {}, health = {}, dns = {}, proxyProtocol = {}, rate, source } = options;
  const durations = {
    ...prefixed("timeouts", timeouts),
    ...prefixed("queue", { timeout: queue.timeout }),
    ...prefixed("proxyProtocol", { timeout: proxyProtocol.timeout }),
    keepAlive: options.keepAlive,
    slowStart: options.slowStart,
  };
  for (const [name, value] of Object.entries(durations)) checkRange(name, value, 0, LONGEST, "milliseconds");
  const periods = {
    ...prefixed("health", { interval: health.interval, timeout: health.timeout }),
    ...prefixed("dns", { interval: dns.interval, timeout: dns.timeout }),
  };
  for (const [name, value] of Object.entries(periods)) checkRange(name, value, 1, LONGEST, "milliseconds");
  checkRange("buffer", options.buffer, 1_024, 2 ** 30, "bytes");
  checkRange("retries", options.retries, 0, RETRIES_MAX, "attempts");
  checkRange("workers", options.workers, 1, 256, "threads");
  checkRange("health.rise", health.rise, 1, 1_000, "checks");
  checkRange("health.fall", health.fall, 1, 1_000, "checks");
  checkRange("rate.burst", rate?.burst, 1, COUNT_MAX, "connections");
  const counts = {
    maxConnections: options.maxConnections,
    maxConnectionsPerSource: options.maxConnectionsPerSource,
    "queue.size": queue.size,
  };
  for (const [name, value] of Object.entries(counts)) checkRange(name, value, 0, COUNT_MAX, "connections");
  if (source !== undefined) parseIp(source);
  checkSeed(options.seed);
  checkChoice("refuse", options.refuse, REFUSALS);
  checkChoice("engine", options.engine, ENGINES);
  checkChoice("balance", options.balance, BALANCES);
  checkChoice("noneHealthy", options.noneHealthy, NONE_HEALTHY);
  checkChoice("proxyProtocol.send", proxyProtocol.send, PROXY_VERSIONS);
}

function prefixed(name: string, values: Readonly<Record<string, unknown>>): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${name}.${key}`, value as number]));
}

/** @throws {UsageError} `EOPTION`, naming value and range. */
export function checkSeed(seed: number | undefined): void {
  if (seed === undefined || (Number.isInteger(seed) && seed >= 0 && seed <= COUNT_MAX)) return;
  throw new UsageError("EOPTION", `The option seed is ${seed}; use a whole number from 0 to ${COUNT_MAX}`);
}

/** @throws {UsageError} `EOPTION`, naming option, value and choices. */
export function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new UsageError("EOPTION", `The option ${name} is "${value}"; use ${choices.join(", ")}`);
}

/** @throws {UsageError} `EOPTION`, naming option, value and range. */
export function checkRange(name: string, value: number | undefined, least: number, most: number, unit: string): void {
  if (value === undefined || (Number.isFinite(value) && value >= least && value <= most)) return;
  throw new UsageError("EOPTION", `The option ${name} is ${value}; use ${least} to ${most} ${unit}`);
}
