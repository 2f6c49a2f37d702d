/** A bridge in the caller's own thread. */
import { randomFrom } from "../balance/hash.ts";
import { Bridge, bridgeMemory } from "../datagram/bridge.ts";
import { type BridgeControl, type EndView, endViews, type TellBridge } from "../datagram/control.ts";
import type { BridgeConfig } from "../datagram/udp-config.ts";
import type { Runtime } from "../net/runtime.ts";

export class PortableBridge implements BridgeControl {
  readonly config: BridgeConfig;
  draining = false;
  readonly #bridge: Bridge;
  readonly #memory: SharedArrayBuffer;

  static async open(runtime: Runtime, config: BridgeConfig, tell: TellBridge): Promise<PortableBridge> {
    const memory = bridgeMemory(config);
    const bridge = await Bridge.open(runtime, config, { memory, tell, random: randomFrom(runtime.wallClock()) });
    return new PortableBridge(config, bridge, memory);
  }

  private constructor(config: BridgeConfig, bridge: Bridge, memory: SharedArrayBuffer) {
    this.config = config;
    this.#bridge = bridge;
    this.#memory = memory;
  }

  get ends(): readonly EndView[] {
    return endViews(this.config, this.#bridge.addresses, this.#memory);
  }

  get finished(): Promise<void> {
    return this.#bridge.finished;
  }

  drain(): Promise<void> {
    this.draining = true;
    return this.#bridge.drain();
  }

  cut(): void {
    this.#bridge.cut();
  }
}

/** What is read here, and what is encrypted, needs what a thread of the native engine does not have. */
export function bridgeNeedsMainThread({ from }: Pick<BridgeConfig, "from">): boolean {
  return from.some((source) => {
    return source.kind === "file" || source.kind === "descriptor" || (source.kind === "stream" && source.tls);
  });
}
