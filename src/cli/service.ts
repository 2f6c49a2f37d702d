/** Everything one configuration asks for, running: proxies, admin server, log lines, and an orderly end. */
import { adminApp } from "../admin/app.ts";
import type { Config, ProxyConfig } from "../config/config.ts";
import { type Choice, type Engine, startEngine } from "../engine/engine.ts";
import type { OpenThreads } from "../engine/threads.ts";
import { connectionLog, type Tally } from "../log/connections.ts";
import { Log } from "../log/log.ts";
import { formatBytes, type Totals, totals } from "../metrics/totals.ts";
import { formatAddress } from "../net/address.ts";
import { SocketError, UsageError } from "../net/errors.ts";
import type { Bound, Runtime, Timer } from "../net/runtime.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { shutDown } from "../proxy/shutdown.ts";
import type { Host } from "./host.ts";

/** Milliseconds in which a full process says once that it is full. */
const REPEAT = 10_000;

export class Service {
  readonly log: Log;
  readonly runtime: Runtime;
  readonly engine: Engine;
  readonly proxies: ProxyControl[] = [];
  readonly #config: Config;
  readonly #tally: Tally = { active: 0, total: 0 };
  #admin: Bound | undefined;
  #summary: Timer | undefined;

  /** Starts all of it or, when anything fails, nothing. */
  static async start(runtime: Runtime, openThreads: OpenThreads, host: Host, config: Config): Promise<Service> {
    const choice = await startEngine(runtime, openThreads, config.engine);
    const service = new Service(runtime, choice.engine, host, config);
    service.#watchEngine();
    try {
      for (const proxy of config.proxies) await service.#open(proxy);
      await service.#serveAdmin();
    } catch (error) {
      // Clients may have come already; they must not keep a program alive that never started.
      for (const proxy of service.proxies) proxy.cut();
      await service.#close();
      throw error;
    }
    service.#announce(choice);
    service.#summarise();
    return service;
  }

  private constructor(runtime: Runtime, engine: Engine, host: Host, config: Config) {
    this.runtime = runtime;
    this.engine = engine;
    this.#config = config;
    this.log = new Log(config.log, host, () => runtime.wallClock());
  }

  get admin(): Bound | undefined {
    return this.#admin;
  }

  get ready(): boolean {
    return this.proxies.length > 0 && this.proxies.every((proxy) => !proxy.draining);
  }

  get totals(): Totals {
    return totals(this.proxies.map((proxy) => proxy.counters));
  }

  /**
   * Stops listening, lets connections finish for the grace period, then cuts them. `hurry` cuts at once.
   * Resolves when the last connection is gone and the totals are printed.
   */
  async stop(hurry: Promise<unknown>): Promise<void> {
    const { grace } = this.#config.shutdown;
    const { connectionsActive: active } = this.totals;
    const over = shutDown(this.runtime, this.proxies, grace, hurry);
    if (active > 0) {
      const text = `weir: stopping; ${active} connections may finish within ${grace / 1_000} s, a second signal cuts them`;
      this.log.write("info", "draining", text, { active, grace: grace / 1_000 });
    }
    await over;
    await this.#close();
    this.#printSummary("totals");
  }

  async #open(config: ProxyConfig): Promise<void> {
    const events = connectionLog(this.log, this.#config.log, this.runtime, () => this.totals, this.#tally);
    try {
      this.proxies.push(await this.engine.open(config, events));
    } catch (error) {
      throw startError(`proxy "${config.name}"`, error);
    }
  }

  async #serveAdmin(): Promise<void> {
    const { listen, explicit } = this.#config.admin;
    if (!listen) return;
    try {
      this.#admin = await this.runtime.serve(listen, adminApp(this));
    } catch (error) {
      if (explicit || !(error instanceof SocketError)) throw startError("metrics", error);
      const text = `weir: no metrics: ${error.message}; give another address with --metrics, or --metrics off`;
      this.log.write("warn", "no_metrics", text, { address: formatAddress(listen), error: error.code });
    }
  }

  #announce({ engine, fallback }: Choice): void {
    for (const { address, counters, config } of this.proxies) {
      const [listen, target] = [formatAddress(address), counters.target];
      const fields = { proxy: config.name, address: listen, target };
      this.log.write("info", "listening", `listening ${listen} -> ${target}`, fields);
    }
    const fields = { mode: engine.mode, workers: engine.workers, fallback };
    this.log.write("info", "engine", `engine ${describeEngine(engine)}${fallback ? `: ${fallback}` : ""}`, fields);
    if (!this.#admin) return;
    const address = formatAddress(this.#admin.address);
    const url = address.startsWith("unix:") ? address : `http://${address}/metrics`;
    this.log.write("info", "metrics", `metrics ${url}`, { address });
  }

  #watchEngine(): void {
    const { engine, runtime } = this;
    let saidAt = Number.NEGATIVE_INFINITY;
    engine.watch = {
      full: () => {
        // At the limit accepting stops and goes on with every connection that ends.
        if (runtime.now() - saidAt < REPEAT) return;
        saidAt = runtime.now();
        const why = `${engine.capacity} connections use all descriptors (ulimit -n ${runtime.descriptors})`;
        this.log.write("warn", "accept_paused", `weir: accepting stops: ${why}; clients wait`);
      },
      lost: (events) => {
        this.#count();
        const text = `weir: ${events} lines about connections were lost: the log cannot keep up`;
        this.log.write("warn", "events_lost", text, { events });
      },
      died: (worker, connections, stack) => {
        this.#count();
        const text = `weir: worker ${worker} died with ${connections} connections, another takes its place: ${stack}`;
        this.log.write("error", "worker_died", text, { worker, connections, stack });
      },
    };
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
    const sum = this.totals;
    const bytes = `up: ${formatBytes(sum.bytesUpstream)} | down: ${formatBytes(sum.bytesDownstream)}`;
    const text = `[METRICS] active: ${sum.connectionsActive} | total: ${sum.connectionsTotal} | ${bytes}`;
    this.log.write("info", event, text, { ...sum });
  }

  async #close(): Promise<void> {
    this.#summary?.cancel();
    await Promise.all(this.proxies.map((proxy) => proxy.drain()));
    await this.#admin?.close();
    await this.engine.close();
  }
}

/** `native, 2 workers` */
export function describeEngine({ mode, workers }: Engine): string {
  if (mode === "portable") return mode;
  return `${mode}, ${workers} ${workers === 1 ? "worker" : "workers"}`;
}

/** A path that can never become a socket is a mistake in the configuration; a taken port is bad luck. */
function startError(what: string, error: unknown): Error {
  if (!(error instanceof SocketError)) return error instanceof Error ? error : new Error(String(error));
  const message = `${what}: ${error.message}`;
  return error.code === "ENOTSOCK" ? new UsageError("ECONFIG", message) : new SocketError(error.code, message);
}
