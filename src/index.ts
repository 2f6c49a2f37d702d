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
import { needsMainThread } from "./engine/scripts.ts";
import type { Fault, FaultOptions } from "./fault-settings.ts";
import type { FaultConfig } from "./filter/faults/fault.ts";
import { totals } from "./metrics/totals.ts";
import { type MuxView, muxView } from "./mux/mux-view.ts";
import { formatAddress } from "./net/address.ts";
import { type FileError, UsageError } from "./net/errors.ts";
import type { ObserverView } from "./observe/observer-counters.ts";
import { readFault, readFaults, scriptsOf, viewOfFault } from "./option-parts.ts";
import { checkChoice, checkRange, LONGEST, type ProxyOptions, toProxyConfig } from "./options.ts";
import type { ProxyControl } from "./proxy/control.ts";
import type { ProxyEvents } from "./proxy/proxy.ts";
import type { Connection, ConnectionRecord } from "./proxy/record.ts";
import { shutDown } from "./proxy/shutdown.ts";
import { reconfigure } from "./proxy/turns.ts";
import { drawSeed } from "./seed.ts";

export type { FaultAttributes, MessageSettings } from "./fault-settings.ts";
export type { FilterHandlers, FilterOut, FilterSession, ScriptFilter } from "./filter/script.ts";
export type { Reason } from "./metrics/reason.ts";
export type { MuxTargetView, MuxView } from "./mux/mux-view.ts";
export type { MuxOptions } from "./mux-options.ts";
export { FileError, SocketError, UsageError } from "./net/errors.ts";
export type { FilterSettings, InspectOptions, ObserverOptions } from "./option-parts.ts";
export type { ProxyOptions } from "./options.ts";
export type { TargetTlsOptions, TlsOptions } from "./tls-options.ts";
export type { Connection, ConnectionRecord, Fault, FaultOptions, ObserverView, TargetChange, TargetView, Timeouts };

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
  /** A file of `inspect` cannot be written; told once for each file, and tried again every second. */
  inspectFailed: { readonly path: string; readonly error: FileError };
}

type Watchers = { [Event in keyof ProxyEventMap]: Set<(value: ProxyEventMap[Event]) => void> };

/** A relay from one listening address to one target or several. */
// biome-ignore lint/suspicious/noShadowRestrictedNames: the name that users of such libraries expect
export class Proxy implements AsyncDisposable {
  readonly #engine: Engine;
  readonly #proxy: ProxyControl;
  readonly #watchers: Watchers;
  #ended = false;
  #stopped: Promise<void> | undefined;
  #resolveRun: () => void = () => {};
  readonly #run = new Promise<void>((resolve) => {
    this.#resolveRun = resolve;
  });

  /**
   * Starts listening on `listen` and relays every connection to `target`, or to one of several. All are written as on
   * the command line: `"127.0.0.1:0"`, `":8080"`, `"[::1]:8080"`, `"unix:/run/x.sock"`; targets with options behind
   * commas, `"10.0.0.2:80,weight=2"`, `"10.0.0.3:443,sni=*.example.com,alpn=h2"`. With `"udp://127.0.0.1:0"` it relays
   * datagrams: each client address is a session, which appears as a connection everywhere.
   *
   * @throws {UsageError} `EADDRESS` for an address that cannot be read, `ETARGET` for options behind it, `ECIDR` for a
   *   range, `ESCHEDULE`, `ERATE`, `EOPTION` for an option out of range, `ELOOP` when a target is the listener itself.
   * @throws {UsageError} `EOBSERVER` and `EFAULT` for those that are text; objects that are wrong are `EOPTION`.
   * @throws {UsageError} `ECONFIG` for `reusePort` where the runtime cannot share a port, for a filter's module that
   *   cannot be loaded, or for a certificate that cannot be used.
   * @throws {SocketError} `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, … when the address cannot be bound.
   * @throws {Error} with the reason when the native engine was asked for and cannot run here.
   *
   * ```ts
   * const proxy = await Proxy.bind("127.0.0.1:0", "127.0.0.1:5432", { timeouts: { idle: 30_000 } });
   * ```
   */
  static async bind(listen: string, target: string | readonly string[], options: ProxyOptions = {}): Promise<Proxy> {
    const { engine: mode = "portable", workers = 1, filters = [], seed = drawSeed(runtime) } = options;
    const config = toProxyConfig(listen, target, { ...options, seed });
    const watchers: Watchers = { opened: new Set(), closed: new Set(), failed: new Set(), inspectFailed: new Set() };
    const emit: ProxyEvents = {
      opened: (connection) => tell(watchers.opened, connection),
      closed: (record) => tell(watchers.closed, record),
      failed: (record) => tell(watchers.failed, record),
      inspect: { failed: (path, error) => tell(watchers.inspectFailed, { path, error }), stdout() {} },
    };
    const { engine } = await startEngine(runtime, openThreads, { mode, workers });
    try {
      return new Proxy(engine, await engine.open(config, emit, scriptsOf(filters)), watchers);
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
    return address.kind === "unix" ? 0 : address.port;
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
    this.#stopped ??= drained.then(() => this.#end());
    await Promise.all([drained, this.#stopped]);
  }

  metrics(): Metrics {
    return totals([this.#proxy.counters]);
  }

  /** "native" or "portable": what relays. */
  get engine(): Engine["mode"] {
    return needsMainThread(this.#proxy.config) ? "portable" : this.#engine.mode;
  }

  /** What repeats all that was left to chance: `Proxy.bind(…, { seed })`. */
  get seed(): number {
    return this.#proxy.config.seed;
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

  /** Those that get copies: how they are, and what they have got. */
  get observers(): readonly ObserverView[] {
    return this.#proxy.observers;
  }

  /** How clients share connections, and what they have done with them; null if each has its own. */
  get mux(): MuxView | null {
    return muxView(this.#proxy);
  }

  /** What goes wrong on purpose, in the order in which bytes meet it. */
  get faults(): readonly Fault[] {
    return this.#proxy.config.faults.map(viewOfFault);
  }

  /**
   * Sets other faults, for connections that live as well. Those that are as before go on; one that goes passes on what
   * it holds. Resolves when all connections have them, as do the other methods for faults.
   *
   * @throws {UsageError} `EFAULT` or `EOPTION` for a fault that cannot be, `ECLOSED` after the end of the proxy.
   *
   * ```ts
   * await proxy.setFaults(["latency:latency=100ms", { type: "limit_data", bytes: "1KiB", stream: "upstream" }]);
   * ```
   */
  async setFaults(faults: readonly (string | FaultOptions)[]): Promise<void> {
    const all = readFaults(faults, this.#proxy.config);
    await this.#change(() => all);
  }

  /**
   * Adds a fault, behind the others, or puts it in the place of the one of the same name.
   *
   * @throws {UsageError} as {@link setFaults}.
   *
   * ```ts
   * const { name } = await proxy.addFault({ type: "latency", latency: 100, jitter: 20 }); // "latency_downstream"
   * ```
   */
  async addFault(fault: string | FaultOptions): Promise<Fault> {
    const added = readFault(["fault"], fault, this.#proxy.config);
    await this.#change((faults) => {
      const known = faults.some(({ name }) => name === added.name);
      return known ? faults.map((each) => (each.name === added.name ? added : each)) : [...faults, added];
    });
    return viewOfFault(added);
  }

  /** Takes a fault away; false: there is none of this name. Rejects with `ECLOSED` after the end of the proxy. */
  async removeFault(name: string): Promise<boolean> {
    let found = false;
    await this.#change((faults) => {
      found = faults.some((each) => each.name === name);
      return faults.filter((each) => each.name !== name);
    });
    return found;
  }

  /** As if the service were down, until `up`: resets all connections and whoever comes. It goes on listening. */
  async down(): Promise<void> {
    await this.addFault({ type: "down", name: "down" });
  }

  /** Takes away every fault of type "down". */
  async up(): Promise<void> {
    await this.#change((faults) => faults.filter(({ type }) => type !== "down"));
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

  #change(other: (faults: readonly FaultConfig[]) => readonly FaultConfig[]): Promise<void> {
    return reconfigure(this.#proxy, (config) => {
      if (this.#ended) throw new UsageError("ECLOSED", `The proxy ${this.address} is shut down; bind another`);
      return { ...config, faults: other(config.faults) };
    });
  }

  /** All connections are gone. */
  async #end(): Promise<void> {
    this.#ended = true;
    await this.#engine.close();
    this.#resolveRun();
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
