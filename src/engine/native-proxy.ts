/** One proxy whose connections live in the workers. */
import type { ProxyConfig } from "../config/config.ts";
import { BYTES, Counters } from "../metrics/counters.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { ConnectionList, ProxyControl } from "../proxy/control.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { ProxyEvent, Wants } from "./protocol.ts";
import type { Listening } from "./threads.ts";
import type { Worker } from "./worker-handle.ts";

let lastRequest = 0;

interface Listing {
  readonly limit: number;
  readonly waiting: Set<number>;
  total: number;
  connections: ConnectionList["connections"][number][];
  readonly resolve: (list: ConnectionList) => void;
}

export class NativeProxy implements ProxyControl {
  readonly config: ProxyConfig;
  readonly opened: Promise<void>;
  onDrained: () => void = () => {};
  draining = false;
  readonly #number: number;
  readonly #listening: Listening;
  readonly #events: ProxyEvents;
  readonly #workers: readonly Worker[];
  /** One for each worker: nobody else adds to it. */
  readonly #parts: readonly Counters[];
  /** Workers that have not said yet that they listen, that they no longer listen, or that all is over. */
  readonly #opening = new Set<number>();
  readonly #stopping = new Set<number>();
  readonly #finishing = new Set<number>();
  readonly #listings = new Map<number, Listing>();
  #resolveOpened: () => void = () => {};
  #resolveDrained: () => void = () => {};
  readonly #drained = new Promise<void>((resolve) => {
    this.#resolveDrained = resolve;
  });

  constructor(
    number: number,
    config: ProxyConfig,
    listening: Listening,
    events: ProxyEvents,
    workers: readonly Worker[],
  ) {
    this.#number = number;
    this.config = config;
    this.#listening = listening;
    this.#events = events;
    this.#workers = workers;
    const target = config.targets[0] ? formatAddress(config.targets[0]) : "";
    this.#parts = workers.map(() => new Counters(config.name, target, new Float64Array(new SharedArrayBuffer(BYTES))));
    this.opened = new Promise((resolve) => {
      this.#resolveOpened = resolve;
    });
    for (const worker of workers) this.enlist(worker);
  }

  get address(): Address {
    return this.#listening.address;
  }

  get counters(): Counters {
    return Counters.sum(this.#parts);
  }

  /** What each worker has counted. */
  get shares(): readonly Counters[] {
    return this.#parts;
  }

  /** Gives a worker its share. */
  enlist(worker: Worker): void {
    const { index } = worker;
    const part = this.#parts[index];
    if (this.draining || !part) return;
    this.#opening.add(index);
    const { descriptors, address } = this.#listening;
    worker.post({
      type: "open",
      proxy: this.#number,
      config: this.config,
      address,
      descriptor: descriptors[index % descriptors.length] as number,
      cells: part.cells,
      wants: wantsOf(this.#events),
    });
  }

  async connections(limit: number): Promise<ConnectionList> {
    const request = ++lastRequest;
    const alive = this.#workers.filter((worker) => worker.alive);
    if (alive.length === 0) return { total: 0, connections: [] };
    return await new Promise((resolve) => {
      const waiting = new Set(alive.map(({ index }) => index));
      this.#listings.set(request, { limit, waiting, total: 0, connections: [], resolve });
      for (const worker of alive) worker.post({ type: "list", request, proxy: this.#number, limit });
    });
  }

  async drain(): Promise<void> {
    if (!this.draining) {
      this.draining = true;
      this.#listening.stop();
      const alive = this.#workers.filter((worker) => worker.alive);
      for (const worker of alive) {
        this.#stopping.add(worker.index);
        this.#finishing.add(worker.index);
        worker.post({ type: "drain", proxy: this.#number });
      }
      if (alive.length === 0) {
        this.#listening.close();
        this.#finish();
      }
    }
    await this.#drained;
  }

  cut(): void {
    for (const worker of this.#workers) worker.post({ type: "cut", proxy: this.#number });
  }

  /** A worker has done what it was told. */
  heard(what: "opened" | "stopped" | "drained", worker: number): void {
    if (what === "opened") this.#crossOff(this.#opening, worker, () => this.#resolveOpened());
    if (what === "stopped") this.#crossOff(this.#stopping, worker, () => this.#listening.close());
    if (what === "drained") this.#crossOff(this.#finishing, worker, () => this.#finish());
  }

  listed(request: number, worker: number, list: ConnectionList): void {
    const listing = this.#listings.get(request);
    if (!listing) return;
    listing.total += list.total;
    listing.connections.push(...list.connections);
    this.#crossOff(listing.waiting, worker, () => {
      this.#listings.delete(request);
      const connections = listing.connections.sort((a, b) => a.id - b.id).slice(0, listing.limit);
      listing.resolve({ total: listing.total, connections });
    });
  }

  tell(event: ProxyEvent): void {
    const { opened, read } = this.#events;
    if (event.event === "opened") opened?.(event.connection);
    else if (event.event === "read") read?.(event.connection, event.from, event.bytes);
    else this.#events[event.event]?.(event.record, event.failure);
  }

  /** A worker has died, with whatever it had; the number of its connections. */
  abandoned(worker: number): number {
    for (const request of this.#listings.keys()) this.listed(request, worker, { total: 0, connections: [] });
    this.heard("opened", worker);
    this.heard("stopped", worker);
    this.heard("drained", worker);
    return this.#parts[worker]?.abandon() ?? 0;
  }

  #finish(): void {
    this.onDrained();
    this.#resolveDrained();
  }

  #crossOff(list: Set<number>, worker: number, last: () => void): void {
    if (list.delete(worker) && list.size === 0) last();
  }
}

function wantsOf({ opened, closed, failed, broken, read }: ProxyEvents): Wants {
  return { opened: !!opened, closed: !!closed, failed: !!failed, broken: !!broken, read: !!read };
}
