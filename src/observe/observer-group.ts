/** The observers of one proxy as the control plane holds them: where they are counted, and what all threads have counted. */
import { formatObserverAddress } from "./observer-address.ts";
import type { ObserverConfig } from "./observer-config.ts";
import { ObserverCounters, type ObserverView, observerMemory, observerView } from "./observer-counters.ts";

export class ObserverGroup {
  readonly #proxy: string;
  readonly #workers: number;
  /** By address, those that have gone included: what they have counted stays counted. */
  readonly #memory = new Map<string, SharedArrayBuffer>();
  #configs: readonly ObserverConfig[] = [];

  /** `workers`: threads that count for themselves. */
  constructor(proxy: string, configs: readonly ObserverConfig[], workers: number) {
    this.#proxy = proxy;
    this.#workers = workers;
    this.configure(configs);
  }

  configure(configs: readonly ObserverConfig[]): void {
    this.#configs = configs;
    for (const { address } of configs) {
      const name = formatObserverAddress(address);
      if (!this.#memory.has(name)) this.#memory.set(name, observerMemory(this.#workers));
    }
  }

  /** What threads are given: in the order of the configuration. */
  get memory(): readonly SharedArrayBuffer[] {
    return this.#configs.map(({ address }) => this.#memory.get(formatObserverAddress(address)) as SharedArrayBuffer);
  }

  get counters(): readonly ObserverCounters[] {
    return [...this.#memory].map(([name, memory]) => ObserverCounters.all(memory, this.#proxy, name));
  }

  get views(): readonly ObserverView[] {
    return this.#configs.map((config) => {
      const name = formatObserverAddress(config.address);
      const memory = this.#memory.get(name) as SharedArrayBuffer;
      return observerView(config, ObserverCounters.all(memory, this.#proxy, name));
    });
  }

  /** A thread is gone, with its connections. */
  abandon(worker: number): void {
    for (const [name, memory] of this.#memory) ObserverCounters.of(memory, this.#proxy, name, worker).abandon();
  }
}
