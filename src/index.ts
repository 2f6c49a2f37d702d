/**
 * weir as a library: a TCP relay inside your own process, above all inside your tests.
 *
 * ```ts
 * import { Proxy } from "weir";
 *
 * await using proxy = await Proxy.bind("127.0.0.1:0", "127.0.0.1:5432");
 * proxy.on("closed", (record) => console.log(record.client, record.reason));
 * console.log(proxy.address); // "127.0.0.1:41234"
 * ```
 */
import { openThreads } from "#native";
import { runtime } from "#runtime";
import {
  DEFAULTS,
  ENGINES,
  type EngineConfig,
  type ProxyConfig,
  REFUSALS,
  RETRIES_MAX,
  type Timeouts,
} from "./config/config.ts";
import { type Engine, startEngine } from "./engine/engine.ts";
import { totals } from "./metrics/totals.ts";
import { covers, formatAddress, parseAddress, parseIp } from "./net/address.ts";
import { parseCidr } from "./net/cidr.ts";
import { UsageError } from "./net/errors.ts";
import type { ProxyControl } from "./proxy/control.ts";
import type { ProxyEvents } from "./proxy/proxy.ts";
import type { Connection, ConnectionRecord } from "./proxy/record.ts";
import { shutDown } from "./proxy/shutdown.ts";

export type { Reason } from "./metrics/reason.ts";
export { SocketError, UsageError } from "./net/errors.ts";
export type { Connection, ConnectionRecord, Timeouts };

export interface ProxyOptions {
  /** Shown in records and metrics. Default: the listen address. */
  readonly name?: string;
  /** Milliseconds; 0 turns one off. Defaults: connect 5,000, idle 600,000, fin 30,000, lifetime 0. */
  readonly timeouts?: Partial<Timeouts>;
  /** Bytes held per direction before weir stops reading, 1,024 to 2^30. Default 262,144. */
  readonly buffer?: number;
  /** TCP_NODELAY on both connections. Default true. */
  readonly noDelay?: boolean;
  /** Milliseconds of silence before TCP keepalive probes; 0: none, the default. */
  readonly keepAlive?: number;
  /** Ranges of clients that are let in, such as `"10.0.0.0/8"`; nobody else, then. The narrowest range decides. */
  readonly allow?: readonly string[];
  /** Ranges of clients that are shut out. */
  readonly deny?: readonly string[];
  /** What those get that are shut out: "reset" (RST, the default) or "close" (FIN). */
  readonly refuse?: ProxyConfig["refuse"];
  /** How often a target that cannot be connected is tried again, 0 to 100: after 100 ms, 200 ms, … a second. Default 0. */
  readonly retries?: number;
  /** The local IP address from which the target is connected. Default: the kernel chooses. */
  readonly source?: string;
  /**
   * "portable", the default, relays in this thread on the runtime's sockets. "native" relays in threads of its
   * own over libc, on Linux under Bun and Deno; "auto" does so where it works.
   */
  readonly engine?: EngineConfig["mode"];
  /** Threads of the native engine, 1 to 256. Default 1. */
  readonly workers?: number;
}

/** The figures of one proxy at one moment. */
export interface Metrics {
  readonly connectionsActive: number;
  readonly connectionsTotal: number;
  /** Bytes read from clients. */
  readonly bytesUpstream: number;
  /** Bytes read from the target. */
  readonly bytesDownstream: number;
}

export interface ProxyEventMap {
  /** A client was accepted; its target is being connected. */
  opened: Connection;
  /** A relayed connection is over; `reason` says why. */
  closed: ConnectionRecord;
  /** A client got no target, because there was none or it was not let in; `reason` says why. */
  failed: ConnectionRecord;
}

type Watchers = { [Event in keyof ProxyEventMap]: Set<(value: ProxyEventMap[Event]) => void> };

/** A relay from one listening address to one target. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that users of such libraries expect
export class Proxy implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #proxy: ProxyControl;
  readonly #watchers: Watchers;
  #stopped: Promise<void> | undefined;
  #resolveRun: () => void = () => {};
  readonly #run = new Promise<void>((resolve) => {
    this.#resolveRun = resolve;
  });

  /**
   * Starts listening on `listen` and relays every connection to `target`. Both are written as on the command
   * line: `"127.0.0.1:0"`, `":8080"`, `"[::1]:8080"`, `"unix:/run/x.sock"`.
   *
   * @throws {UsageError} `EADDRESS` for an address that cannot be read, `ECIDR` for a range, `EOPTION` for an option
   *   out of range, `ELOOP` when the target is the listener itself.
   * @throws {SocketError} `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … when the address cannot be bound.
   * @throws {Error} with the reason when the native engine was asked for and cannot run here.
   *
   * ```ts
   * const proxy = await Proxy.bind("127.0.0.1:0", "127.0.0.1:5432", { timeouts: { idle: 30_000 } });
   * ```
   */
  static async bind(listen: string, target: string, options: ProxyOptions = {}): Promise<Proxy> {
    const from = parseAddress(listen, "listen");
    const to = parseAddress(target, "target");
    if (covers(from, to))
      throw new UsageError("ELOOP", `Cannot relay ${listen} to ${target}: the proxy would feed itself`);
    checkOptions(options);
    const { name = formatAddress(from), timeouts = {}, engine: mode = "portable", workers = 1 } = options;
    const { buffer, noDelay, keepAlive, allow = [], deny = [], refuse, retries, source } = options;
    const watchers: Watchers = { opened: new Set(), closed: new Set(), failed: new Set() };
    const emit: ProxyEvents = {
      opened: (connection) => tell(watchers.opened, connection),
      closed: (record) => tell(watchers.closed, record),
      failed: (record) => tell(watchers.failed, record),
    };
    const config: ProxyConfig = {
      ...DEFAULTS.proxy,
      ...given({ buffer, noDelay, keepAlive, refuse, retries, source }),
      allow: allow.map(parseCidr),
      deny: deny.map(parseCidr),
      name,
      listen: from,
      targets: [to],
      timeouts: { ...DEFAULTS.proxy.timeouts, ...given(timeouts) },
    };
    const { engine } = await startEngine(runtime, openThreads, { mode, workers });
    try {
      return new Proxy(engine, await engine.open(config, emit), watchers);
    } catch (error) {
      await engine.close();
      throw error;
    }
  }

  private constructor(engine: Engine, proxy: ProxyControl, watchers: Watchers) {
    this.#engine = engine;
    this.#proxy = proxy;
    this.#watchers = watchers;
  }

  /** The address really bound, as text: `"127.0.0.1:41234"`. */
  get address(): string {
    return formatAddress(this.#proxy.address);
  }

  /** The port really bound; 0 for a unix socket. */
  get port(): number {
    const { address } = this.#proxy;
    return address.kind === "tcp" ? address.port : 0;
  }

  /** Resolves when the proxy has been shut down. It relays from `bind` on, whether or not this is awaited. */
  run(): Promise<void> {
    return this.#run;
  }

  /**
   * Stops listening and lets live connections finish for `grace` milliseconds (default 0), then resets what
   * is left. Resolves when the last connection is gone. A second call with a shorter grace cuts sooner.
   *
   * @throws {UsageError} `EOPTION` for a grace that is not 0 to 2^31 - 1.
   */
  async shutdown({ grace = 0 }: { grace?: number } = {}): Promise<void> {
    checkRange("grace", grace, 0, LONGEST, "milliseconds");
    const drained = shutDown(runtime, [this.#proxy], grace);
    this.#stopped ??= drained.then(() => this.#engine.close()).then(() => this.#resolveRun());
    await Promise.all([drained, this.#stopped]);
  }

  metrics(): Metrics {
    return totals([this.#proxy.counters]);
  }

  /** "native" or "portable": what relays. */
  get engine(): Engine["mode"] {
    return this.#engine.mode;
  }

  /** The live connections, with their bytes so far. */
  async connections(): Promise<readonly Connection[]> {
    return (await this.#proxy.connections(Number.POSITIVE_INFINITY)).connections;
  }

  /**
   * Calls `listener` on every such event until the returned function is called.
   *
   * ```ts
   * const stop = proxy.on("failed", ({ reason }) => console.log(reason)); // "connect_refused"
   * ```
   */
  on<Event extends keyof ProxyEventMap>(event: Event, listener: (value: ProxyEventMap[Event]) => void): () => void {
    this.#watchers[event].add(listener);
    return () => this.#watchers[event].delete(listener);
  }

  /** Cuts every connection: what a test wants at its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/** An exception in a listener is the listener's: it surfaces as uncaught and never disturbs the relay. */
function tell<T>(watchers: Set<(value: T) => void>, value: T): void {
  for (const watcher of watchers) {
    try {
      watcher(value);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** An option that is undefined is one that was not given. */
function given<T extends object>(options: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** Timers count milliseconds in 31 bits. */
const LONGEST = 2 ** 31 - 1;

function checkOptions({
  timeouts = {},
  buffer,
  keepAlive,
  refuse,
  retries,
  source,
  engine,
  workers,
}: ProxyOptions): void {
  for (const [name, value] of Object.entries(timeouts))
    checkRange(`timeouts.${name}`, value, 0, LONGEST, "milliseconds");
  checkRange("keepAlive", keepAlive, 0, LONGEST, "milliseconds");
  checkRange("buffer", buffer, 1_024, 2 ** 30, "bytes");
  checkRange("retries", retries, 0, RETRIES_MAX, "attempts");
  if (source !== undefined) parseIp(source);
  checkRange("workers", workers, 1, 256, "threads");
  if (refuse !== undefined && !REFUSALS.includes(refuse)) {
    throw new UsageError("EOPTION", `The option refuse is "${refuse}"; use ${REFUSALS.join(" or ")}`);
  }
  if (engine !== undefined && !ENGINES.includes(engine)) {
    throw new UsageError("EOPTION", `The option engine is "${engine}"; use ${ENGINES.join(", ")}`);
  }
}

function checkRange(name: string, value: number | undefined, least: number, most: number, unit: string): void {
  if (value === undefined || (Number.isFinite(value) && value >= least && value <= most)) return;
  throw new UsageError("EOPTION", `The option ${name} is ${value}; use ${least} to ${most} ${unit}`);
}
