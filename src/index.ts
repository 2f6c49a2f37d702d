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
import type { TargetChange, TargetView } from "./balance/group.ts";
import { TARGET_STATES } from "./balance/target.ts";
import { type Timeouts, WEIGHT_MAX } from "./config/config.ts";
import { type Engine, startEngine } from "./engine/engine.ts";
import { totals } from "./metrics/totals.ts";
import { formatAddress } from "./net/address.ts";
import { UsageError } from "./net/errors.ts";
import { checkChoice, checkRange, LONGEST, type ProxyOptions, toProxyConfig } from "./options.ts";
import type { ProxyControl } from "./proxy/control.ts";
import type { ProxyEvents } from "./proxy/proxy.ts";
import type { Connection, ConnectionRecord } from "./proxy/record.ts";
import { shutDown } from "./proxy/shutdown.ts";

export type { Reason } from "./metrics/reason.ts";
export { SocketError, UsageError } from "./net/errors.ts";
export type { ProxyOptions } from "./options.ts";
export type { Connection, ConnectionRecord, TargetChange, TargetView, Timeouts };

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

/** A relay from one listening address to one target or several. */
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
   * Starts listening on `listen` and relays every connection to `target`, or to one of several. All are written as on
   * the command line: `"127.0.0.1:0"`, `":8080"`, `"[::1]:8080"`, `"unix:/run/x.sock"`; targets with options behind
   * commas, `"10.0.0.2:80,weight=2"`.
   *
   * @throws {UsageError} `EADDRESS` for an address that cannot be read, `ETARGET` for options behind it, `ECIDR` for a
   *   range, `ESCHEDULE`, `ERATE`, `EOPTION` for an option out of range, `ELOOP` when a target is the listener itself.
   * @throws {UsageError} `ECONFIG` for `reusePort` where the runtime cannot share a port.
   * @throws {SocketError} `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … when the address cannot be bound.
   * @throws {Error} with the reason when the native engine was asked for and cannot run here.
   *
   * ```ts
   * const proxy = await Proxy.bind("127.0.0.1:0", "127.0.0.1:5432", { timeouts: { idle: 30_000 } });
   * ```
   */
  static async bind(listen: string, target: string | readonly string[], options: ProxyOptions = {}): Promise<Proxy> {
    const config = toProxyConfig(listen, target, options);
    const { engine: mode = "portable", workers = 1 } = options;
    const watchers: Watchers = { opened: new Set(), closed: new Set(), failed: new Set() };
    const emit: ProxyEvents = {
      opened: (connection) => tell(watchers.opened, connection),
      closed: (record) => tell(watchers.closed, record),
      failed: (record) => tell(watchers.failed, record),
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

  /** The targets: how they are, and how many connections they have. */
  get targets(): readonly TargetView[] {
    return this.#proxy.targets;
  }

  /**
   * Takes a target out of the choice ("drain"; "disabled" ends its health checks, too), puts it back ("ready"), or sets
   * its weight, 0 to 1,000. Connections that it has go on.
   *
   * @throws {UsageError} `EOPTION` for a target that is none or a change that cannot be.
   */
  setTarget(address: string, change: TargetChange): void {
    checkChoice("state", change.state, TARGET_STATES);
    checkRange("weight", change.weight, 0, WEIGHT_MAX, "parts");
    if (this.#proxy.setTarget(address, change)) return;
    const known = this.targets.map((target) => target.address).join(", ");
    throw new UsageError("EOPTION", `There is no target ${address}; there are ${known}`);
  }

  /** Ends one connection with RST; false: there is none with this id. */
  closeConnection(id: number): Promise<boolean> {
    return this.#proxy.close(id);
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
