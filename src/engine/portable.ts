/** The engine that needs nothing but the runtime. */
import type { ProxyConfig } from "../config/config.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { BridgeControl, TellBridge } from "../datagram/bridge/control.ts";
import type { Scenario } from "../load/scenario.ts";
import { formatAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ClientTls } from "../net/tls.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { type DescriptorBudget, descriptorBudget } from "../proxy/descriptors.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { Engine, EngineEvents } from "./engine.ts";
import { type Load, portableLoad, type TellSample } from "./load.ts";
import { PortableBridge } from "./portable-bridge.ts";
import { PortableProxy } from "./portable-proxy.ts";
import type { Scripts } from "./scripts.ts";

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

  async open(config: ProxyConfig, events?: ProxyEvents, scripts?: Scripts): Promise<ProxyControl> {
    this.#checkSharing(config);
    this.#budget.onPause = () => this.watch.full?.();
    return await PortableProxy.open(this.#runtime, config, events ?? {}, undefined, scripts);
  }

  bridge(config: BridgeConfig, tell: TellBridge): Promise<BridgeControl> {
    return PortableBridge.open(this.#runtime, config, tell);
  }

  load(scenario: Scenario, tell: TellSample, clientTls?: ClientTls): Load {
    return portableLoad(this.#runtime, scenario, tell, clientTls);
  }

  async close(): Promise<void> {}

  /** Without SO_REUSEPORT the next process would find the address taken, long after somebody relied on it. */
  #checkSharing({ listen, reusePort }: ProxyConfig): void {
    const { can, name, version } = this.#runtime;
    if (!reusePort || can.reusePort) return;
    const what = `Cannot share ${formatAddress(listen)} with other processes (reuse_port)`;
    const remedy = "leave it out, or run weir on Linux under Bun, Deno or Node 22.12 or later";
    throw new UsageError("ECONFIG", `${what}: ${name} ${version} cannot do that here; ${remedy}`);
  }
}
