/** The engine that needs nothing but the runtime. */
import type { ProxyConfig } from "../config/config.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { type DescriptorBudget, descriptorBudget } from "../proxy/descriptors.ts";
import { type ProxyEvents, RunningProxy } from "../proxy/proxy.ts";
import type { Engine, EngineEvents } from "./engine.ts";

export class PortableEngine implements Engine {
  readonly mode = "portable";
  readonly workers = 0;
  readonly shares: readonly number[] = [];
  readonly restarts = 0;
  readonly eventsLost = 0;
  watch: EngineEvents = {};
  readonly #runtime: Runtime;
  readonly #budget: DescriptorBudget;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#budget = descriptorBudget(runtime);
  }

  get capacity(): number {
    return this.#budget.capacity;
  }

  open(config: ProxyConfig, events?: ProxyEvents): Promise<ProxyControl> {
    this.#budget.onPause = () => this.watch.full?.();
    return RunningProxy.open(this.#runtime, config, events);
  }

  async close(): Promise<void> {}
}
