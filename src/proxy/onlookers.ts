/** Who looks on at the sessions of a proxy, in one thread: observers, which get copies, and inspectors, which write down. */
import type { ProxyConfig } from "../config/config.ts";
import { same } from "../config/same.ts";
import type { Direction, Step } from "../filter/step.ts";
import type { Reason } from "../metrics/reason.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import { isPerSession } from "../observe/inspect/file-name.ts";
import { type InspectHooks, Inspector } from "../observe/inspect/inspector.ts";
import type { SessionInspection } from "../observe/inspect/session-inspection.ts";
import type { ObserverEvent } from "../observe/observer.ts";
import { formatObserverAddress } from "../observe/observer-address.ts";
import { ObserverCounters } from "../observe/observer-counters.ts";
import { Observers, type SessionObservers } from "../observe/observers.ts";
import { sessionsFor } from "./descriptors.ts";

/** What onlookers tell; whatever nobody asks for is not told. */
export interface OnlookerEvents {
  observer?: ((event: ObserverEvent) => void) | undefined;
  inspect?: InspectHooks | undefined;
}

/** A session that is looked at. */
export interface Watched {
  readonly id: number;
  /** Who connects, and weir's own end of that connection. */
  readonly client: Address;
  readonly local: Address;
}

/** Memory in which observers are counted, for each of them in the configuration's order. */
export type ObserverMemory = readonly SharedArrayBuffer[];

const UNHEARD: InspectHooks = { failed() {}, stdout() {} };

export class Onlookers {
  readonly #runtime: Runtime;
  readonly #worker: number;
  readonly #events: OnlookerEvents;
  #proxy: string;
  #config: Pick<ProxyConfig, "observers" | "inspects">;
  /** {@link weightOf} the sessions to come. */
  weight: number;
  #observers: Observers | undefined;
  #inspectors: readonly Inspector[] = [];
  /** Observers of an older configuration, as long as they have sessions. */
  readonly #leaving = new Set<Observers>();

  /** `worker`: which thread it is, whose part of the memory it counts in. */
  constructor(runtime: Runtime, config: ProxyConfig, memory: ObserverMemory, worker: number, events: OnlookerEvents) {
    this.#runtime = runtime;
    this.#worker = worker;
    this.#events = events;
    this.#proxy = config.name;
    this.#config = config;
    this.weight = weightOf(config);
    this.#observe(memory);
    this.#inspect();
  }

  get any(): boolean {
    return this.#observers !== undefined || this.#inspectors.length > 0;
  }

  /** Others for the sessions to come. */
  configure(config: ProxyConfig, memory: ObserverMemory): void {
    const before = this.#config;
    this.#config = config;
    this.#proxy = config.name;
    this.weight = weightOf(config);
    if (!same(before.observers, config.observers)) this.#observe(memory);
    if (!same(before.inspects, config.inspects)) this.#inspect();
  }

  /** A session begins to look for its target; observers are connected from now on. */
  meet(session: Watched): SessionOnlookers {
    const { id, client } = session;
    const observers = this.#observers?.session({ proxy: this.#proxy, id, client: formatAddress(client) });
    return new SessionOnlookers(this.#proxy, session, observers, this.#inspectors);
  }

  /** No session is left: resolves when observers have got what was left for them. */
  async stop(): Promise<void> {
    const all = [...this.#leaving, ...(this.#observers ? [this.#observers] : [])];
    await Promise.all(all.map((each) => each.stop()));
    for (const inspector of this.#inspectors) inspector.close();
  }

  /** Nothing waits for observers any more. */
  cut(): void {
    for (const each of this.#leaving) each.cut();
    this.#observers?.cut();
  }

  #observe(memory: ObserverMemory): void {
    const old = this.#observers;
    if (old) {
      this.#leaving.add(old);
      void old.stop().then(() => this.#leaving.delete(old));
    }
    const shares = this.#config.observers.map((config, index) => {
      const cells = memory[index];
      if (!cells) throw new Error(`no memory for the observer ${formatObserverAddress(config.address)}`);
      const name = formatObserverAddress(config.address);
      return { config, counters: ObserverCounters.of(cells, this.#proxy, name, this.#worker) };
    });
    const tell = (event: ObserverEvent) => this.#events.observer?.(event);
    this.#observers = shares.length > 0 ? new Observers(this.#runtime, shares, tell) : undefined;
  }

  #inspect(): void {
    // Those before close their files behind the sessions that they still have.
    for (const old of this.#inspectors) old.close();
    const hooks = this.#events.inspect ?? UNHEARD;
    this.#inspectors = this.#config.inspects.map((each) => new Inspector(this.#runtime, this.#proxy, each, hooks));
  }
}

/** What a session of a proxy counts for among the descriptors of the process. */
export function weightOf({ observers, inspects }: Pick<ProxyConfig, "observers" | "inspects">): number {
  const streams = observers.filter(({ address }) => address.kind !== "udp").length;
  return sessionsFor(streams + inspects.filter(({ path }) => isPerSession(path)).length);
}

export class SessionOnlookers {
  readonly #proxy: string;
  readonly #session: Watched;
  readonly #observers: SessionObservers | undefined;
  readonly #inspectors: readonly Inspector[];
  #inspections: readonly SessionInspection[] = [];

  constructor(
    proxy: string,
    session: Watched,
    observers: SessionObservers | undefined,
    inspectors: readonly Inspector[],
  ) {
    this.#proxy = proxy;
    this.#session = session;
    this.#observers = observers;
    this.#inspectors = inspectors;
  }

  /** The target is there. */
  begin(target: string): void {
    const { id, client, local } = this.#session;
    const info = { id, proxy: this.#proxy, client, local, target };
    this.#inspections = this.#inspectors.map((inspector) => inspector.session(info));
  }

  /** Those that look at one direction, in the order in which they meet what goes upstream. */
  steps(direction: Direction): readonly Step[] {
    const tap = this.#observers?.tap(direction);
    return [...this.#inspections.map((each) => each[direction]), ...(tap ? [tap] : [])];
  }

  ended(reason: Reason, error: string | null): void {
    this.#observers?.end(reason);
    for (const each of this.#inspections) each.closed({ reason, error });
  }
}
