/**
 * What weir can be told, after reading and checking: every default filled in, durations in milliseconds,
 * sizes in bytes, addresses parsed. Command lines and files both end here.
 */
import type { Address } from "../net/address.ts";
import type { Cidr } from "../net/cidr.ts";

export interface Config {
  readonly admin: AdminConfig;
  readonly engine: EngineConfig;
  readonly log: LogConfig;
  readonly shutdown: ShutdownConfig;
  readonly proxies: readonly ProxyConfig[];
}

export interface AdminConfig {
  /** Where metrics and API are served; null: nowhere. */
  readonly listen: Address | null;
  /** The user asked for this address: not getting it is an error, not a notice. */
  readonly explicit: boolean;
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
  readonly listen: Address;
  /** At least one; until balancing exists, exactly one. */
  readonly targets: readonly Address[];
  readonly timeouts: Timeouts;
  /** Bytes held per direction before weir stops reading. */
  readonly buffer: number;
  readonly noDelay: boolean;
  /** Ranges of clients that are let in; the narrowest range around an address decides, here or in `deny`. */
  readonly allow: readonly Cidr[];
  readonly deny: readonly Cidr[];
  /** What a client gets that is not let in: RST, or FIN as from a service that has nothing to say. */
  readonly refuse: (typeof REFUSALS)[number];
  /** How often a target that cannot be connected is tried again, 0 to {@link RETRIES_MAX}. */
  readonly retries: number;
  /** The local IP address from which targets are connected; null leaves it to the kernel. */
  readonly source: string | null;
  /**
   * Milliseconds of silence before TCP keepalive probes; 0: off, the default: the runtimes allow ten seconds
   * of probes and no setting of them, so a short outage would end an idle connection.
   */
  readonly keepAlive: number;
}

/** Milliseconds; 0 turns a timeout off. */
export interface Timeouts {
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

export const RETRIES_MAX = 100;

export const DEFAULT_ADMIN = "127.0.0.1:8998";

export const DEFAULTS = {
  log: { level: "info", format: "text", summaryInterval: 10_000, connections: false, access: false },
  engine: { mode: "auto", workers: "auto" },
  shutdown: { grace: 60_000 },
  proxy: {
    timeouts: { connect: 5_000, idle: 600_000, fin: 30_000, lifetime: 0 },
    buffer: 262_144,
    noDelay: true,
    keepAlive: 0,
    allow: [],
    deny: [],
    refuse: "reset",
    retries: 0,
    source: null,
  },
} as const satisfies {
  log: LogConfig;
  engine: EngineConfig;
  shutdown: ShutdownConfig;
  proxy: Omit<ProxyConfig, "name" | "listen" | "targets">;
};
