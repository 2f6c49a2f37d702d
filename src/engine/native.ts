/**
 * The control plane of the native engine: starts the workers, gives each its share of every proxy, adds up
 * what they count in shared memory, and replaces one that dies. The listening sockets are its own, so
 * clients that wait in their queues wait for the replacement.
 */
import type { ProxyConfig } from "../config/config.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { BridgeControl, TellBridge } from "../datagram/bridge/control.ts";
import { LISTENING } from "../datagram/relay/running-relay.ts";
import type { Scenario } from "../load/scenario.ts";
import { CELL } from "../metrics/counters.ts";
import { isTls } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ClientTls } from "../net/tls.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { sessionsWithin, shareBudget } from "../proxy/descriptors.ts";
import { weightOf } from "../proxy/onlookers.ts";
import { listenOptions, type ProxyEvents } from "../proxy/proxy.ts";
import type { Engine, EngineEvents } from "./engine.ts";
import { Housekeeping } from "./housekeeping.ts";
import { type Load, NativeLoad, portableLoad, type TellSample } from "./load.ts";
import { NativeBridge } from "./native-bridge.ts";
import { NativeProxy, servingOf } from "./native-proxy.ts";
import { bridgeNeedsMainThread, PortableBridge } from "./portable-bridge.ts";
import { PortableProxy } from "./portable-proxy.ts";
import type { FromWorker, ProxyEvent } from "./protocol.ts";
import { needsMainThread, type Scripts } from "./scripts.ts";
import { type Listening, type Threads, ThreadsError } from "./threads.ts";
import { Worker } from "./worker-handle.ts";

export class NativeEngine implements Engine {
  readonly mode = "native";
  restarts = 0;
  eventsLost = 0;
  watch: EngineEvents = {};
  readonly #runtime: Runtime;
  readonly #threads: Threads;
  readonly #workers: Worker[] = [];
  readonly #proxies = new Map<number, NativeProxy>();
  readonly #descriptors: number;
  /** How many sessions there are, in shared memory. */
  readonly #sessions = new Int32Array(new SharedArrayBuffer(4));
  readonly #main: Runtime;
  readonly #nextId: () => number;
  #lastProxy = 0;
  readonly #bridges = new Map<number, NativeBridge>();
  #lastBridge = 0;
  readonly #housekeeping: Housekeeping | undefined;
  readonly #loads = new Map<number, NativeLoad>();
  #lastLoad = 0;

  /** All threads run. Rejects with a {@link ThreadsError} if they cannot: then it has closed itself. */
  readonly started: Promise<void>;

  static async start(runtime: Runtime, threads: Threads, workers: number | "auto"): Promise<NativeEngine> {
    const engine = new NativeEngine(runtime, threads, workers);
    await engine.started;
    return engine;
  }

  /** `workers`: how many threads, or one for each core. */
  constructor(runtime: Runtime, threads: Threads, workers: number | "auto") {
    const count = workers === "auto" ? threads.cores : workers;
    this.#runtime = runtime;
    this.#threads = threads;
    this.#descriptors = runtime.descriptors ?? 1_024;
    const ids = new BigUint64Array(new SharedArrayBuffer(8));
    this.#nextId = () => Number(Atomics.add(ids, 0, 1n)) + 1;
    // A runtime of its own, so that what it opens counts together with what the threads do.
    this.#main = { ...runtime };
    shareBudget(this.#main, this.#sessions).onPause = () => this.watch.full?.();
    for (let index = 0; index < count; index++) {
      const setup = { index, ids, descriptors: this.#descriptors, sessions: this.#sessions };
      this.#workers.push(
        new Worker(runtime, threads, setup, {
          message: (message, worker) => this.#receive(message, worker),
          died: (stack) => this.#died(index, stack),
          replaced: (worker) => this.#enlist(worker),
        }),
      );
    }
    this.#housekeeping = threads.trimCode && this.#keepHouse(threads.trimCode);
    this.started = this.#start();
    // Who opens something hears of it.
    this.started.catch(() => {});
  }

  get workers(): number {
    return this.#workers.length;
  }

  get shares(): readonly number[] {
    return this.#workers.map(({ index }) => this.#accepted(index));
  }

  get capacity(): number {
    return sessionsWithin(this.#descriptors);
  }

  /** What has to be in the main thread runs there, on the runtime's sockets. */
  async open(config: ProxyConfig, events: ProxyEvents = {}, scripts?: Scripts): Promise<ProxyControl> {
    if (needsMainThread(config)) return await PortableProxy.open(this.#main, config, events, this.#nextId, scripts);
    const number = ++this.#lastProxy;
    const serving = servingOf(config, number, this.#workers).length;
    // Clients that come before the threads have started wait in the kernel's queue.
    const listening = await this.#listen(config, serving);
    await this.started.catch((error) => {
      listening.close();
      throw error;
    });
    const proxy = new NativeProxy(this.#runtime, number, config, listening, events, this.#workers);
    this.#proxies.set(number, proxy);
    proxy.onDrained = () => this.#proxies.delete(number);
    await proxy.start();
    return proxy;
  }

  async bridge(config: BridgeConfig, tell: TellBridge): Promise<BridgeControl> {
    if (bridgeNeedsMainThread(config)) return await PortableBridge.open(this.#main, config, tell);
    await this.started;
    const number = ++this.#lastBridge;
    const worker = this.#workers[number % this.#workers.length] as Worker;
    const bridge = new NativeBridge(number, config, tell, worker);
    this.#bridges.set(number, bridge);
    bridge.onDrained = () => this.#bridges.delete(number);
    try {
      await bridge.start();
    } catch (error) {
      this.#bridges.delete(number);
      throw error;
    }
    return bridge;
  }

  /** TLS is the runtime's, in the main thread. */
  load(scenario: Scenario, tell: TellSample, clientTls?: ClientTls): Load {
    if (isTls(scenario.target)) return portableLoad(this.#main, scenario, tell, clientTls);
    const number = ++this.#lastLoad;
    const load = new NativeLoad(number, scenario, tell, this.#workers);
    this.#loads.set(number, load);
    const forget = () => this.#loads.delete(number);
    load.done.then(forget, forget);
    return load;
  }

  async #start(): Promise<void> {
    try {
      await Promise.all(this.#workers.map((worker) => worker.started));
    } catch (error) {
      await this.close();
      throw new ThreadsError(error instanceof Error ? error.message : String(error));
    }
  }

  #listen(config: ProxyConfig, count: number): Promise<Listening> {
    const { listen } = config;
    if (listen.kind === "udp") return this.#threads.datagram(listen, LISTENING);
    return this.#threads.listen(listen, listenOptions(config), count);
  }

  async close(): Promise<void> {
    this.#housekeeping?.stop();
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #receive(message: FromWorker, worker: Worker): void {
    switch (message.type) {
      case "events":
        worker.post({ type: "taken", events: message.events.length });
        this.#count(message.lost);
        for (const event of message.events) this.#tell(event);
        return;
      case "resolve":
        this.#resolve(message.host, worker);
        return;
      case "full":
        this.watch.full?.();
        return;
      case "answer":
        this.#proxies.get(message.proxy)?.answered(message.request, worker.index, message.answer);
        return;
      case "bridge_opened":
      case "bridge_failed":
      case "bridge_event":
      case "bridge_drained":
        this.#bridges.get(message.bridge)?.heard(message);
        return;
      case "load_sample":
      case "load_done":
        this.#loads.get(message.load)?.heard(message, worker.index);
        return;
      case "nudge":
        this.#proxies.get(message.proxy)?.nudged(worker);
        return;
      default:
        this.#proxies.get(message.proxy)?.heard(message.type, worker.index);
    }
  }

  #accepted(worker: number): number {
    let sum = 0;
    for (const proxy of this.#proxies.values()) sum += proxy.shares[worker]?.get(CELL.connections) ?? 0;
    return sum;
  }

  #keepHouse(trimCode: () => void): Housekeeping {
    const trimHeaps = () => {
      for (const worker of this.#workers) worker.post({ type: "trim" });
    };
    const proxies = () => (this.#loads.size + this.#bridges.size > 0 ? undefined : this.#proxies.values());
    return new Housekeeping(this.#runtime, { proxies, trimCode, trimHeaps });
  }

  #count(lost: number): void {
    if (lost === 0) return;
    this.eventsLost += lost;
    this.watch.lost?.(lost);
  }

  #tell(event: ProxyEvent): void {
    this.#proxies.get(event.proxy)?.tell(event);
  }

  #resolve(host: string, worker: Worker): void {
    this.#threads.lookup(host).then(
      (hosts) => worker.post({ type: "resolved", host, hosts }),
      (error) => worker.post({ type: "resolved", host, hosts: [], error: String(error?.code ?? "EAI_AGAIN") }),
    );
  }

  #died(index: number, stack: string): void {
    this.restarts++;
    let lost = 0;
    for (const proxy of this.#proxies.values()) {
      const connections = proxy.abandoned(index);
      lost += connections;
      Atomics.sub(this.#sessions, 0, connections * weightOf(proxy.config));
    }
    for (const bridge of this.#bridges.values()) if (bridge.worker.index === index) bridge.abandoned();
    for (const load of this.#loads.values()) load.abandoned(index, stack);
    this.watch.died?.(index, lost, stack);
  }

  /** A new thread in the place of a dead one: it gets its share of every proxy that still listens. */
  #enlist(worker: Worker): void {
    for (const proxy of this.#proxies.values()) proxy.enlist(worker);
    for (const bridge of this.#bridges.values()) if (bridge.worker === worker) bridge.replaced();
  }
}
