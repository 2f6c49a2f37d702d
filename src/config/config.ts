/**
 * What weir can be told, after reading and checking: every default filled in, durations in milliseconds,
 * sizes in bytes, addresses parsed. Command lines and files both end here.
 */

import type { Window } from "../admit/schedule.ts";
import type { SourceRules } from "../admit/sources.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { FaultConfig } from "../filter/faults/fault.ts";
import type { FilterConfig } from "../filter/filter.ts";
import type { MuxConfig } from "../mux/mux-config.ts";
import { type Address, type ListenAddress, parseUdp } from "../net/address.ts";
import type { Cidr } from "../net/cidr.ts";
import { type DnsName, formatTarget, parseTarget } from "../net/target-name.ts";
import type { InspectConfig } from "../observe/inspect/inspect-config.ts";
import type { ObserverConfig } from "../observe/observer-config.ts";
import type { ListenTlsConfig, TargetTlsConfig } from "../tls/tls-config.ts";

export interface Config {
  readonly admin: AdminConfig;
  readonly engine: EngineConfig;
  readonly log: LogConfig;
  readonly shutdown: ShutdownConfig;
  /** Where Toxiproxy's API is served; null: nowhere. */
  readonly toxiproxy: Address | null;
  /** Of all chance; null: another one at each start. */
  readonly seed: number | null;
  readonly proxies: readonly ProxyConfig[];
  readonly bridges: readonly BridgeConfig[];
}

export interface AdminConfig {
  /** Where metrics and API are served; null: nowhere. */
  readonly listen: Address | null;
  /** The user asked for this address: not getting it is an error, not a notice. */
  readonly explicit: boolean;
  /** The environment variable with the token that changes over the API need; null: none. */
  readonly tokenEnv: string | null;
}

export const LEVELS = ["error", "warn", "info", "debug", "trace"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogConfig {
  readonly level: Level;
  readonly format: "text" | "json";
  /** Milliseconds between summary lines; 0: none. */
  readonly summaryInterval: number;
  /** A line when a connection opens and one when it closes. */
  readonly connections: boolean;
  /** One record of each connection that has ended. */
  readonly access: boolean;
}

/** What somebody said about the log, in a file or in flags. */
export type LogWishes = { readonly [K in keyof LogConfig]?: LogConfig[K] | undefined };

/**
 * Puts wishes on top of what holds without them. Levels debug and trace always have connection lines, and json
 * has access records unless told otherwise. Both go again with the level or format they came from.
 *
 * @example logConfig({ format: "json" }).access // true
 */
export function logConfig(wishes: LogWishes, base: LogConfig = DEFAULTS.log): LogConfig {
  const level = wishes.level ?? base.level;
  const format = wishes.format ?? base.format;
  // What a base has only for its level or format was nobody's wish; what it has against them was.
  const connections = base.connections && !isDetailed(base.level);
  const access = base.access === isForPrograms(base.format) ? isForPrograms(format) : base.access;
  return {
    level,
    format,
    summaryInterval: wishes.summaryInterval ?? base.summaryInterval,
    connections: isDetailed(level) || (wishes.connections ?? connections),
    access: wishes.access ?? access,
  };
}

function isDetailed(level: Level): boolean {
  return level === "debug" || level === "trace";
}

function isForPrograms(format: LogConfig["format"]): boolean {
  return format === "json";
}

export const ENGINES = ["auto", "native", "portable"] as const;

export interface EngineConfig {
  /** Where connections are relayed: in threads over libc, on the runtime's sockets, or the first where it works. */
  readonly mode: (typeof ENGINES)[number];
  /** Threads of the native engine; "auto": one for each core. */
  readonly workers: number | "auto";
}

export interface ShutdownConfig {
  /** Milliseconds that live connections get to finish. */
  readonly grace: number;
}

/** One listening address with its rules. */
export interface ProxyConfig {
  readonly name: string;
  readonly listen: ListenAddress;
  /** At least one, no address twice. */
  readonly targets: readonly TargetConfig[];
  readonly balance: Balance;
  /** Milliseconds in which a target that has come back grows to its whole share; 0: it has it at once. */
  readonly slowStart: number;
  /** What becomes of clients when the health checks have given up every target. */
  readonly noneHealthy: (typeof NONE_HEALTHY)[number];
  /** null: no checks; a target is well until it cannot be connected. */
  readonly health: HealthConfig | null;
  readonly dns: DnsConfig;
  readonly timeouts: Timeouts;
  /** Bytes held per direction before weir stops reading. */
  readonly buffer: number;
  readonly noDelay: boolean;
  /** Ranges of clients that are let in; the narrowest range around an address decides, here or in `deny`. */
  readonly allow: readonly Cidr[];
  readonly deny: readonly Cidr[];
  /** Files whose ranges come to those; they are in them already. */
  readonly allowFile: string | null;
  readonly denyFile: string | null;
  /** When clients are let in; empty: always. */
  readonly schedule: readonly Window[];
  /** Connections at once; 0: as many as the process can have. */
  readonly maxConnections: number;
  /** Where connections wait for which there is no room. */
  readonly queue: QueueConfig;
  /** What one client address may have. */
  readonly perSource: SourceRules;
  readonly proxyProtocol: ProxyProtocolConfig;
  /** What a client gets that is not let in: RST, or FIN as from a service that has nothing to say. */
  readonly refuse: (typeof REFUSALS)[number];
  /** How often a target that cannot be connected is tried again, 0 to {@link RETRIES_MAX}. */
  readonly retries: number;
  /** How clients share connections to the targets; null: each has its own. */
  readonly mux: MuxConfig | null;
  /** Who gets copies of what sessions send and receive. */
  readonly observers: readonly ObserverConfig[];
  /** What is written down of them. */
  readonly inspects: readonly InspectConfig[];
  /** What changes their bytes, in this order. */
  readonly filters: readonly FilterConfig[];
  /** What goes wrong on purpose. No two have the same name. */
  readonly faults: readonly FaultConfig[];
  /** Where all chance in faults and filters comes from: the same seed, the same chances. */
  readonly seed: number;
  /** The local IP address from which targets are connected; null leaves it to the kernel. */
  readonly source: string | null;
  /**
   * Milliseconds of silence before TCP keepalive probes; 0: off, the default: the runtimes allow ten seconds
   * of probes and no setting of them, so a short outage would end an idle connection.
   */
  readonly keepAlive: number;
  /** Of a listener that says `tls://`; null for others. */
  readonly tls: ListenTlsConfig | null;
  /** Of targets that say `tls://`; null: what holds without a word. */
  readonly targetTls: TargetTlsConfig | null;
  /** Other processes may listen on the same address, as long as each of them says so (SO_REUSEPORT). */
  readonly reusePort: boolean;
}

export interface TargetConfig {
  readonly address: Address | DnsName;
  /** Its share of new connections against that of others, 0 to {@link WEIGHT_MAX}; 0: none. */
  readonly weight: number;
  /** Used only when no other target is well. */
  readonly backup: boolean;
  /** Connections at once; 0: any number. */
  readonly maxConnections: number;
  /** For TLS clients that ask for one of these names: `example.com`, `*.example.com`; without, for any. */
  readonly sni?: readonly string[];
  /** For TLS clients that speak one of these protocols; without, for any. */
  readonly alpn?: readonly string[];
  /** It was written udp://, which is for proxies alone that listen so; their other targets mean the same. */
  readonly datagrams?: true;
}

/** How names of DNS are resolved behind which there are targets. */
export interface DnsConfig {
  /** IP addresses with ports; none: those of the machine. */
  readonly servers: readonly string[];
  /** Milliseconds between two questions. */
  readonly interval: number;
  /** Milliseconds for an answer. */
  readonly timeout: number;
}

interface QueueConfig {
  /** Connections; 0: nobody waits. */
  readonly size: number;
  /** Milliseconds after which one that waits is refused; 0: never. */
  readonly timeout: number;
}

export interface ProxyProtocolConfig {
  /** Whoever comes from here has to begin with a PROXY header, of either version. */
  readonly acceptFrom: readonly Cidr[];
  /** Milliseconds in which the header has to be complete. */
  readonly timeout: number;
  /** What targets are told with. */
  readonly send: (typeof PROXY_VERSIONS)[number];
}

export interface HealthConfig {
  /** Milliseconds between two checks of a target, give or take a tenth. */
  readonly interval: number;
  /** Milliseconds for a whole check. */
  readonly timeout: number;
  /** Good checks in a row after which a target is well again, and failed ones after which it no longer is. */
  readonly rise: number;
  readonly fall: number;
  /** What to send; null: nothing. */
  readonly send: string | null;
  /** What the answer has to hold; null: to be connected is enough. */
  readonly expect: string | null;
  /** The path of an HTTP request in place of `send` and `expect`. */
  readonly http: string | null;
  /** Status codes of a good answer; empty: 200 to 399. */
  readonly status: readonly number[];
}

/** The targets as people write them. */
export function targetsOf({ targets }: Pick<ProxyConfig, "targets">): string {
  return targets.map(({ address }) => formatTarget(address)).join(", ");
}

/** Milliseconds; 0 turns a timeout off. */
export interface Timeouts {
  /** For a whole ClientHello, where targets are chosen by it. */
  readonly hello: number;
  /** From the start of the attempt to an established target connection. */
  readonly connect: number;
  /** Without a byte either way. */
  readonly idle: number;
  /** Without a byte the other way, after one side has sent its FIN. */
  readonly fin: number;
  /** From accept to the end, whatever happens in between. */
  readonly lifetime: number;
}

export const REFUSALS = ["reset", "close"] as const;

export const BALANCES = ["round_robin", "least_connections", "random_two", "source_hash", "first"] as const;
export type Balance = (typeof BALANCES)[number];

export const NONE_HEALTHY = ["refuse", "try_all"] as const;

export const PROXY_VERSIONS = ["off", "v1", "v2"] as const;

export const WEIGHT_MAX = 1_000;

/** A target of which only the address is known. */
export function plainTarget(address: TargetConfig["address"]): TargetConfig {
  return { address, weight: 1, backup: false, maxConnections: 0 };
}

/**
 * What `udp://` or any other address of a target means.
 *
 * @throws {UsageError} `EADDRESS`
 */
export function parsePlainTarget(text: string): TargetConfig {
  if (!/^udp:/i.test(text)) return plainTarget(parseTarget(text));
  return { ...plainTarget({ ...parseUdp(text, "target"), kind: "tcp" }), datagrams: true };
}

export const RETRIES_MAX = 100;

export const DEFAULT_ADMIN = "127.0.0.1:8998";

/** What is another default where a proxy listens for datagrams: clients do not say goodbye. */
export const UDP = { idle: 60_000, maxConnections: 10_000 } as const;

/** Of checks, where somebody wants them. */
export const HEALTH: HealthConfig = {
  interval: 2_000,
  timeout: 1_000,
  rise: 2,
  fall: 3,
  send: null,
  expect: null,
  http: null,
  status: [],
};

export const DEFAULTS = {
  log: { level: "info", format: "text", summaryInterval: 10_000, connections: false, access: false },
  engine: { mode: "auto", workers: "auto" },
  shutdown: { grace: 60_000 },
  proxy: {
    timeouts: { hello: 5_000, connect: 5_000, idle: 600_000, fin: 30_000, lifetime: 0 },
    buffer: 262_144,
    noDelay: true,
    keepAlive: 0,
    reusePort: false,
    balance: "round_robin",
    slowStart: 0,
    noneHealthy: "refuse",
    health: null,
    dns: { servers: [], interval: 10_000, timeout: 2_000 },
    allow: [],
    deny: [],
    allowFile: null,
    denyFile: null,
    schedule: [],
    maxConnections: 0,
    queue: { size: 1_000, timeout: 5_000 },
    perSource: { maxConnections: 0, perSecond: 0, burst: 1 },
    proxyProtocol: { acceptFrom: [], timeout: 5_000, send: "off" },
    refuse: "reset",
    retries: 0,
    mux: null,
    observers: [],
    inspects: [],
    filters: [],
    faults: [],
    seed: 0,
    source: null,
    tls: null,
    targetTls: null,
  },
} as const satisfies {
  log: LogConfig;
  engine: EngineConfig;
  shutdown: ShutdownConfig;
  proxy: Omit<ProxyConfig, "name" | "listen" | "targets">;
};
