/**
 * The data plane in one thread: the same core as everywhere, on sockets that the control plane has opened. It
 * counts in shared memory and sends events in batches; when nobody takes them it drops events, never bytes.
 */
import type { Address } from "../net/address.ts";
import type {
  DatagramSocket,
  Endpoint,
  Listener,
  ListenOptions,
  Runtime,
  StreamSocket,
  Timer,
} from "../net/runtime.ts";
import { openCore, type ProxyCore } from "../proxy/core.ts";
import { shareBudget } from "../proxy/descriptors.ts";
import type { Failure, ProxyEvents } from "../proxy/proxy.ts";
import type { ConnectionRecord } from "../proxy/record.ts";
import type { Answer, FromWorker, ProxyEvent, ToWorker, Wants } from "./protocol.ts";
import type { WorkerSetup } from "./threads.ts";
import { WorkerBridges } from "./worker-bridges.ts";
import { WorkerLoads } from "./worker-loads.ts";

/** Milliseconds for which events are gathered. */
const GATHER = 10;
/** Events in one message. */
const BATCH = 500;
/** Events on their way; beyond them they are dropped and counted. */
const IN_FLIGHT = 10_000;
/** Milliseconds between two messages that there is room. */
const MOMENT = 1;
/** Connection ids fetched from shared memory at once. */
const IDS = 64n;

/** A runtime that can serve a listening socket which somebody else has opened. */
export interface WorkerRuntime extends Runtime {
  adopt(fd: number, at: Address, options: ListenOptions, accept: (socket: StreamSocket) => void): Listener;
  /** The same for a datagram socket, which stays open when ours is closed. */
  adoptDatagram(fd: number, at: Endpoint): DatagramSocket;
  /** Collects what was thrown away, if the platform lets us. */
  trimHeap(): void;
}

export interface WorkerHooks {
  send(message: FromWorker): void;
  /** An answer of the control plane to a `resolve`. */
  resolved(host: string, hosts: readonly string[], error?: string): void;
  /** The thread shall end. */
  stop(): void;
}

export class EngineWorker {
  readonly #runtime: WorkerRuntime;
  readonly #hooks: WorkerHooks;
  readonly #index: number;
  readonly #nextId: () => number;
  readonly #proxies = new Map<number, ProxyCore>();
  /** Those that were opened, or are being. */
  readonly #known = new Set<number>();
  readonly #bridges: WorkerBridges;
  readonly #loads: WorkerLoads;
  #events: ProxyEvent[] = [];
  #inFlight = 0;
  #lost = 0;
  #gathering: Timer | undefined;

  constructor(runtime: WorkerRuntime, { index, ids, sessions }: WorkerSetup, hooks: WorkerHooks) {
    this.#index = index;
    this.#runtime = runtime;
    this.#hooks = hooks;
    this.#nextId = idsFrom(ids);
    this.#bridges = new WorkerBridges(runtime, hooks.send);
    this.#loads = new WorkerLoads(runtime, hooks.send);
    shareBudget(runtime, sessions).onPause = () => hooks.send({ type: "full" });
  }

  async receive(message: ToWorker): Promise<void> {
    switch (message.type) {
      case "open":
        return await this.#open(message);
      case "drain":
        return await this.#drain(message.proxy);
      case "cut":
        this.#proxies.get(message.proxy)?.cut();
        return;
      case "list":
        return await this.#list(message);
      case "configure":
        this.#configure(message);
        return;
      case "retarget":
        this.#proxies.get(message.proxy)?.retarget(message.targets);
        return;
      case "nudge":
        this.#proxies.get(message.proxy)?.nudged();
        return;
      case "close":
        this.#answer(message, this.#proxies.get(message.proxy)?.close(message.id) ?? false);
        return;
      case "resolved":
        this.#hooks.resolved(message.host, message.hosts, message.error);
        return;
      case "taken":
        this.#inFlight -= message.events;
        return;
      case "trim":
        this.#runtime.trimHeap();
        return;
      case "bridge":
      case "bridge_drain":
      case "bridge_cut":
        return await this.#bridges.receive(message);
      case "load":
      case "load_stop":
        return await this.#loads.receive(message);
      case "stop":
        this.#flush();
        this.#hooks.stop();
    }
  }

  async #open({
    proxy,
    config,
    address,
    descriptor,
    cells,
    workers,
    memory,
    targets,
    observers,
    wants,
  }: Extract<ToWorker, { type: "open" }>): Promise<void> {
    // A thread that takes the place of another may be told twice.
    if (this.#known.has(proxy)) return;
    this.#known.add(proxy);
    const runtime = this.#runtime;
    const listen: Runtime["listen"] = async (at, options, accept) => {
      return runtime.adopt(descriptor, address.kind === "udp" ? at : address, options, accept);
    };
    const datagram: Runtime["datagram"] = async (at) => {
      return runtime.adoptDatagram(descriptor, address.kind === "udp" ? address : at);
    };
    const nudge = atMostOnceAMoment(runtime, () => this.#hooks.send({ type: "nudge", proxy }));
    const own = { nextId: this.#nextId, worker: this.#index, cells, listen, datagram, nudge };
    const share = { ...own, workers, memory, targets, observers };
    this.#proxies.set(proxy, await openCore(runtime, config, this.#watch(proxy, wants), share));
    this.#hooks.send({ type: "opened", proxy });
  }

  #configure(message: Extract<ToWorker, { type: "configure" }>): void {
    const { proxy, config, memory, observers, targets } = message;
    this.#proxies.get(proxy)?.configure(config, memory, observers, targets);
    this.#answer(message, true);
  }

  async #drain(proxy: number): Promise<void> {
    const running = this.#proxies.get(proxy);
    const drained = running?.drain();
    await running?.stopped;
    // Who waited is accepted, and the listener has left the loop: the control plane may close the socket.
    this.#hooks.send({ type: "stopped", proxy });
    await drained;
    this.#proxies.delete(proxy);
    this.#known.delete(proxy);
    this.#flush();
    this.#hooks.send({ type: "drained", proxy });
  }

  async #list(message: Extract<ToWorker, { type: "list" }>): Promise<void> {
    const { proxy, limit } = message;
    this.#answer(message, (await this.#proxies.get(proxy)?.connections(limit)) ?? { total: 0, connections: [] });
  }

  #answer({ request, proxy }: Extract<ToWorker, { readonly request: number }>, answer: Answer): void {
    this.#hooks.send({ type: "answer", request, proxy, answer });
  }

  #watch(proxy: number, wants: Wants): ProxyEvents {
    const ended = (event: "closed" | "failed" | "broken") => (record: ConnectionRecord, failure: Failure | undefined) =>
      this.#gather({ event, proxy, record, failure: failure && { message: failure.message, stack: failure.stack } });
    return {
      opened: wants.opened ? (connection) => this.#gather({ event: "opened", proxy, connection }) : undefined,
      closed: wants.closed ? ended("closed") : undefined,
      failed: wants.failed ? ended("failed") : undefined,
      broken: wants.broken ? ended("broken") : undefined,
      read: wants.read
        ? (connection, from, bytes) => this.#gather({ event: "read", proxy, connection, from, bytes })
        : undefined,
      observer: wants.observer ? (about) => this.#gather({ event: "observer", proxy, about }) : undefined,
      mux: {
        trouble: wants.trouble ? (about) => this.#gather({ event: "trouble", proxy, about }) : undefined,
        line: wants.line ? (about) => this.#gather({ event: "line", proxy, about }) : undefined,
      },
    };
  }

  #gather(event: ProxyEvent): void {
    if (this.#inFlight + this.#events.length >= IN_FLIGHT) {
      this.#lost++;
      return;
    }
    this.#events.push(event);
    if (this.#events.length >= BATCH) this.#flush();
    else this.#gathering ??= this.#runtime.after(GATHER, () => this.#flush());
  }

  #flush(): void {
    this.#gathering?.cancel();
    this.#gathering = undefined;
    if (this.#events.length === 0 && this.#lost === 0) return;
    this.#inFlight += this.#events.length;
    this.#hooks.send({ type: "events", events: this.#events, lost: this.#lost });
    this.#events = [];
    this.#lost = 0;
  }
}

/** At once, and what comes in the millisecond after it once more at its end. */
function atMostOnceAMoment(runtime: Runtime, run: () => void): () => void {
  let [resting, again] = [false, false];
  const rest = () => {
    resting = again;
    if (!again) return;
    again = false;
    run();
    runtime.after(MOMENT, rest);
  };
  return () => {
    again = resting;
    if (resting) return;
    resting = true;
    run();
    runtime.after(MOMENT, rest);
  };
}

/** Ids in blocks: one atomic addition for many connections. */
function idsFrom(last: BigUint64Array): () => number {
  let [next, end] = [0, 0];
  return () => {
    if (next === end) {
      next = Number(Atomics.add(last, 0, IDS)) + 1;
      end = next + Number(IDS);
    }
    return next++;
  };
}
