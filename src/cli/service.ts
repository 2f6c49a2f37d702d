/** Everything one configuration asks for, running: proxies, admin server, log lines, and an orderly end. */
import { StoppingError } from "../admin/changes.ts";
import type { Started } from "../admin/status.ts";
import { ToxicProxies } from "../admin/toxic-proxies.ts";
import { toxiproxyApp } from "../admin/toxiproxy.ts";
import { randomFrom } from "../balance/hash.ts";
import { type Config, DEFAULTS, type ProxyConfig } from "../config/config.ts";
import { same } from "../config/same.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import { bridgeTotals, describeTotals } from "../datagram/bridge/bridge-totals.ts";
import type { BridgeControl } from "../datagram/bridge/control.ts";
import { BridgeSet } from "../engine/bridge-set.ts";
import type { Choice, Engine } from "../engine/engine.ts";
import { type Changes, ProxySet } from "../engine/proxy-set.ts";
import { bridgeLog } from "../log/bridges.ts";
import { connectionLog, type Tally } from "../log/connections.ts";
import { engineLog } from "../log/engine.ts";
import { Log, type LogSink } from "../log/log.ts";
import { muxLog } from "../log/mux.ts";
import { onlookerLog } from "../log/onlookers.ts";
import { targetLog } from "../log/targets.ts";
import { tlsLog } from "../log/tls.ts";
import type { Counters } from "../metrics/counters.ts";
import { formatBytes, type Totals, totals } from "../metrics/totals.ts";
import type { Address } from "../net/address.ts";
import { SocketError, UsageError } from "../net/errors.ts";
import type { Bound, Runtime, Timer } from "../net/runtime.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { shutDown } from "../proxy/shutdown.ts";
import { Turns } from "../proxy/turns.ts";
import { AdminServer, closed } from "./admin-server.ts";
import { type Announced, announce } from "./announce.ts";
import type { Host } from "./host.ts";

/** As many seeds as are easy to type. */
const SEEDS = 1_000_000;

export class Service {
  readonly log: Log;
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly started: Started;
  /** Somebody has asked for the end over the admin API. */
  readonly drained: Promise<void>;
  readonly #host: Host;
  readonly #read: ReadConfig | undefined;
  readonly #set: ProxySet;
  readonly #bridges: BridgeSet;
  #config: Config;
  #resolveDrained: () => void = () => {};
  readonly #reloads = new Turns();
  readonly #tally: Tally = { active: 0, total: 0 };
  readonly #admin: AdminServer;
  #toxiproxy: Bound | undefined;
  /** Of all chance: that of the configuration, or drawn at the start. */
  readonly #seed: number;
  #stopping = false;
  #summary: Timer | undefined;

  /** Starts all of it or, when anything fails, nothing: the engine ends as well. `read` reads the configuration again, where there is one. */
  static async start(
    runtime: Runtime,
    choice: Choice,
    host: Host,
    config: Config,
    read?: ReadConfig,
  ): Promise<Service> {
    const service = new Service(runtime, choice.engine, host, config, read);
    service.engine.watch = engineLog(service.log, choice.engine, runtime, () => service.#count());
    try {
      await service.#set.start(service.#seeded(config));
      await service.#bridges.start(config.bridges);
      await service.#admin.start(config.admin).catch(failedToStart("metrics"));
      await service.#serveToxiproxy(config.toxiproxy).catch(failedToStart("toxiproxy"));
      await choice.started;
    } catch (error) {
      // Clients may have come already; they must not keep a program alive that never started.
      service.#set.cut();
      service.#bridges.cut();
      await service.#close();
      throw error;
    }
    announce(service.log, choice, service.#running);
    service.#summarise();
    // Whoever was asked to send a file has nothing to do afterwards.
    if (config.proxies.length === 0) void service.#bridges.finished.then(() => service.drain());
    return service;
  }

  private constructor(runtime: Runtime, engine: Engine, host: Host, config: Config, read: ReadConfig | undefined) {
    this.runtime = runtime;
    this.engine = engine;
    this.started = { at: runtime.now(), wallClock: runtime.wallClock() };
    this.#host = host;
    this.#config = config;
    this.#seed = config.seed ?? Math.floor(randomFrom(runtime.wallClock())() * SEEDS);
    this.#read = read;
    this.#set = new ProxySet((proxy) => this.#open(proxy));
    this.#bridges = new BridgeSet((bridge) => this.#openBridge(bridge));
    this.drained = new Promise((resolve) => {
      this.#resolveDrained = resolve;
    });
    this.log = new Log(config.log, sinkOf(host, config), () => runtime.wallClock());
    this.#admin = new AdminServer(runtime, host, this.log, this);
  }

  get admin(): Bound | undefined {
    return this.#admin.bound;
  }

  get proxies(): readonly ProxyControl[] {
    return this.#set.all;
  }

  get bridges(): readonly BridgeControl[] {
    return this.#bridges.all;
  }

  /** What those counted that are no more. */
  get past(): readonly Counters[] {
    return this.#set.past;
  }

  get ready(): boolean {
    const all = [...this.proxies, ...this.bridges];
    return (all.length > 0 || this.#toxiproxy !== undefined) && all.every(({ draining }) => !draining);
  }

  get totals(): Totals {
    return totals(this.#set.figures);
  }

  /**
   * Reads the configuration again and changes what it changes. Rejects, with everything as it was, when something is
   * wrong with it; undefined: there is none to read.
   */
  reload(): Promise<Changes | undefined> {
    if (this.#stopping) return Promise.reject(new StoppingError());
    return this.#reloads.run(() => this.#reload());
  }

  /** Does what the first signal does. */
  drain(): void {
    this.#stopping = true;
    this.#resolveDrained();
  }

  /**
   * Stops listening, lets connections finish for the grace period, then cuts them. `hurry` cuts at once.
   * Resolves when the last connection is gone and the totals are printed.
   */
  async stop(hurry: Promise<unknown>): Promise<void> {
    this.#stopping = true;
    // One that is under way may start proxies.
    await this.#reloads.over;
    const { grace } = this.#config.shutdown;
    const { proxies, bridges } = this;
    const over = shutDown(this.runtime, [...proxies, ...bridges], grace, hurry);
    await Promise.all(proxies.map(({ stopped }) => stopped));
    const { connectionsActive: active } = this.totals;
    if (active > 0) {
      const text = `weir: stopping; ${active} connections may finish within ${grace / 1_000} s, a second signal cuts them`;
      this.log.write("info", "draining", text, { active, grace: grace / 1_000 });
    }
    await over;
    await this.#close();
    this.#printSummary("totals");
  }

  async #reload(): Promise<Changes | undefined> {
    try {
      const config = await this.#read?.();
      if (this.#stopping) throw new StoppingError();
      return config ? await this.#change(config) : undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const text = `weir: the configuration stays as it was: ${why}`;
      this.log.write("error", "reload_failed", text, { error: why });
      throw error;
    }
  }

  async #change(config: Config): Promise<Changes> {
    const before = this.#config;
    const admin = await this.#admin.prepare(before.admin, config.admin).catch(failedToStart("metrics"));
    const changes = await this.#changeAll(before, config).catch(async (error) => {
      await admin.undo();
      throw error;
    });
    admin.commit();
    // What has not taken effect is not what it was changed to.
    const log = { ...before.log, summaryInterval: config.log.summaryInterval };
    const listen = admin.later.length > 0 ? before.admin.listen : config.admin.listen;
    this.#config = { ...config, engine: before.engine, log, admin: { ...config.admin, listen } };
    this.#summary?.cancel();
    this.#summarise();
    const later = [...postponed(before, config), ...admin.later, ...changes.later];
    this.#tellChanges({ ...changes, later });
    return { ...changes, later };
  }

  /** All of it or nothing. */
  async #changeAll(before: Config, config: Config): Promise<Changes> {
    const bridges = await this.#bridges.change(config.bridges);
    const proxies = await this.#set.change(this.#seeded(config)).catch(async (error) => {
      await this.#bridges.change(before.bridges);
      throw error;
    });
    const both = (what: keyof typeof bridges) => [...proxies[what], ...bridges[what]];
    return { added: both("added"), changed: both("changed"), removed: both("removed"), later: proxies.later };
  }

  #tellChanges({ added, changed, removed, later }: Changes): void {
    const list = (names: readonly string[], what: string) => (names.length > 0 ? [`${names.join(", ")} ${what}`] : []);
    const parts = [...list(added, "added"), ...list(changed, "changed"), ...list(removed, "removed")];
    const text = `weir: reloaded: ${parts.length > 0 ? parts.join("; ") : "nothing has changed"}`;
    this.log.write("info", "reloaded", text, { added, changed, removed });
    if (later.length === 0) return;
    this.log.write("warn", "reload_later", `weir: takes effect at the next start: ${later.join("; ")}`, { later });
  }

  /** Toxiproxy's clients may change everything over it: whoever opens the address wants that. */
  async #serveToxiproxy(listen: Address | null): Promise<void> {
    if (!listen) return;
    const proxies = new ToxicProxies({
      proxies: () => this.proxies,
      defaults: { ...DEFAULTS.proxy, seed: this.#seed },
      add: async (config) => {
        if (this.#stopping) throw new StoppingError();
        return await this.#set.add(config);
      },
      remove: (proxy) => this.#set.remove(proxy),
    });
    const app = toxiproxyApp(proxies, { listen, token: undefined, open: true });
    this.#toxiproxy = await this.runtime.serve(listen, app);
  }

  #seeded({ proxies }: Config): readonly ProxyConfig[] {
    return proxies.map((proxy) => ({ ...proxy, seed: this.#seed }));
  }

  #open(config: ProxyConfig): Promise<ProxyControl> {
    const events = connectionLog(this.log, this.#config.log, this.runtime, () => this.totals, this.#tally);
    const targets = targetLog(this.log, config.name);
    const tls = tlsLog(this.log, config.name, this.runtime);
    const onlookers = onlookerLog(this.log, config.name, (record) => this.#host.outBytes(record));
    return this.engine
      .open(config, { ...events, ...onlookers, targets, tls, mux: muxLog(this.log, config.name) })
      .catch(failedToStart(`proxy "${config.name}"`));
  }

  #openBridge(config: BridgeConfig): Promise<BridgeControl> {
    const tell = bridgeLog(this.log, this.runtime, config.name);
    return this.engine.bridge(config, tell).catch(failedToStart(`udp "${config.name}"`));
  }

  get #running(): Announced {
    const { proxies, bridges, admin } = this;
    return { proxies, bridges, admin, toxiproxy: this.#toxiproxy, seed: this.#seed };
  }

  /** Events are lost: from here on the lines count from what the counters say. */
  #count(): void {
    const { connectionsActive, connectionsTotal } = this.totals;
    this.#tally.active = connectionsActive;
    this.#tally.total = connectionsTotal;
  }

  #summarise(): void {
    const { summaryInterval } = this.#config.log;
    if (summaryInterval <= 0 || !this.log.enabled("info")) return;
    this.#summary = this.runtime.after(summaryInterval, () => {
      this.#printSummary("summary");
      this.#summarise();
    });
  }

  #printSummary(event: "summary" | "totals"): void {
    const bridged = bridgeTotals(this.bridges);
    if (bridged) this.log.write("info", `${event}_udp`, describeTotals(bridged), { ...bridged });
    if (bridged && this.#config.proxies.length === 0) return;
    const sum = this.totals;
    const bytes = `up: ${formatBytes(sum.bytesUpstream)} | down: ${formatBytes(sum.bytesDownstream)}`;
    const text = `[METRICS] active: ${sum.connectionsActive} | total: ${sum.connectionsTotal} | ${bytes}`;
    this.log.write("info", event, text, { ...sum });
  }

  async #close(): Promise<void> {
    this.#summary?.cancel();
    await Promise.all([this.#set.drain(), this.#bridges.drain()]);
    await this.#admin.close();
    await closed(this.runtime, this.#toxiproxy);
    await this.engine.close();
  }
}

/** Reads and checks the configuration. */
export type ReadConfig = () => Promise<Config>;

/** What cannot change while it runs. */
function postponed(before: Config, { engine, log, toxiproxy, seed }: Config): string[] {
  const { summaryInterval: _, ...fixed } = log;
  const { summaryInterval: __, ...was } = before.log;
  return [
    ...(same(before.engine, engine) ? [] : ["engine"]),
    ...(same(was, fixed) ? [] : ["log"]),
    ...(same(before.toxiproxy, toxiproxy) ? [] : ["toxiproxy"]),
    ...(same(before.seed, seed) ? [] : ["seed"]),
  ];
}

/** Where the log goes: what is sent to standard output as data is not to be mixed with it. */
function sinkOf(host: Host, { bridges }: Config): LogSink {
  const taken = bridges.some(({ to }) => to.some((sink) => sink.kind === "descriptor" && sink.descriptor === 1));
  const err = (line: string) => host.err(line);
  return taken ? { out: err, err } : host;
}

/** A path that can never become a socket is a mistake in the configuration; a taken port is bad luck. */
function failedToStart(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof SocketError)) throw error;
    const message = `${what}: ${error.message}`;
    throw error.code === "ENOTSOCK" ? new UsageError("ECONFIG", message) : new SocketError(error.code, message);
  };
}
