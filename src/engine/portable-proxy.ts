/** One proxy whose connections live in the caller's own thread. */
import { type TargetChange, TargetGroup, type TargetView } from "../balance/group.ts";
import type { ProxyConfig } from "../config/config.ts";
import { CELLS, Counters } from "../metrics/counters.ts";
import type { ListenAddress } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ObserverCounters, ObserverView } from "../observe/observer-counters.ts";
import { ObserverGroup } from "../observe/observer-group.ts";
import type { ConnectionList, ProxyControl } from "../proxy/control.ts";
import { openCore, type ProxyCore } from "../proxy/core.ts";
import { sameBudget } from "../proxy/descriptors.ts";
import { type EntranceMemory, entranceMemory } from "../proxy/entrance.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { CertificateState } from "../tls/files.ts";
import { TlsKeeper } from "../tls/keeper.ts";
import { usesTls } from "../tls/tls-config.ts";
import { loadScripts, type Scripts } from "./scripts.ts";

let lastId = 0;

export class PortableProxy implements ProxyControl {
  config: ProxyConfig;
  readonly #runtime: Runtime;
  readonly #core: ProxyCore;
  readonly #group: TargetGroup;
  #memory: EntranceMemory;
  readonly #observers: ObserverGroup;
  readonly #known: Scripts | undefined;
  readonly #keeper: TlsKeeper | undefined;

  /** `nextId`: unique in this process; `known`: scripts that need not be loaded, by what stands for their path. */
  static async open(
    runtime: Runtime,
    config: ProxyConfig,
    events: ProxyEvents,
    nextId = () => ++lastId,
    known?: Scripts,
  ): Promise<PortableProxy> {
    let core: ProxyCore | undefined;
    const keeper = usesTls(config) ? new TlsKeeper(runtime, config, events.tls) : undefined;
    const outer = keeper ? sameBudget(keeper.over(runtime), runtime) : runtime;
    const group = new TargetGroup(outer, config, 1, {
      ...events.targets,
      changed: (targets) => core?.retarget(targets),
    });
    const memory = entranceMemory(config, 1, runtime.wallClock());
    const observers = new ObserverGroup(config.name, config.observers, 1);
    const scripts = await loadScripts(runtime, config, known);
    const share = {
      nextId,
      cells: new Float64Array(CELLS),
      worker: 0,
      workers: 1,
      memory,
      nudge() {},
      listen: outer.listen,
      datagram: outer.datagram,
      observers: observers.memory,
      scripts,
    };
    try {
      await group.start();
      core = await openCore(outer, config, events, { ...share, targets: group.shares });
      // They may have changed meanwhile, and nobody could be told.
      core.retarget(group.shares);
    } catch (error) {
      group.stop();
      keeper?.stop();
      throw error;
    }
    return new PortableProxy(runtime, config, core, group, memory, observers, known, keeper);
  }

  private constructor(
    runtime: Runtime,
    config: ProxyConfig,
    core: ProxyCore,
    group: TargetGroup,
    memory: EntranceMemory,
    observers: ObserverGroup,
    known: Scripts | undefined,
    keeper: TlsKeeper | undefined,
  ) {
    this.#runtime = runtime;
    this.config = config;
    this.#core = core;
    this.#group = group;
    this.#memory = memory;
    this.#observers = observers;
    this.#known = known;
    this.#keeper = keeper;
  }

  get address(): ListenAddress {
    return this.#core.address;
  }

  get figures(): readonly Counters[] {
    return [Counters.sum([this.#core.front], this.config.name), ...this.#group.counters];
  }

  get counters(): Counters {
    return Counters.sum(this.figures);
  }

  get targets(): readonly TargetView[] {
    return this.#group.views;
  }

  get observers(): readonly ObserverView[] {
    return this.#observers.views;
  }

  get copies(): readonly ObserverCounters[] {
    return this.#observers.counters;
  }

  get certificates(): readonly CertificateState[] {
    return this.#keeper?.states ?? [];
  }

  get draining(): boolean {
    return this.#core.draining;
  }

  connections(limit: number): Promise<ConnectionList> {
    return this.#core.connections(limit);
  }

  async close(id: number): Promise<boolean> {
    return this.#core.close(id);
  }

  setTarget(address: string, change: TargetChange): boolean {
    return this.#group.set(address, change);
  }

  async configure(config: ProxyConfig): Promise<void> {
    const scripts = await loadScripts(this.#runtime, config, this.#known);
    this.#keeper?.configure(config);
    this.config = config;
    this.#memory = entranceMemory(config, 1, this.#runtime.wallClock(), this.#memory);
    this.#observers.configure(config.observers);
    this.#group.configure(config);
    this.#core.configure(config, this.#memory, this.#observers.memory, this.#group.shares, scripts);
  }

  get stopped(): Promise<void> {
    return this.#core.stopped;
  }

  async drain(): Promise<void> {
    await this.#core.drain();
    this.#group.stop();
    this.#keeper?.stop();
  }

  cut(): void {
    this.#core.cut();
  }
}
