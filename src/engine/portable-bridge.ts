/** A bridge in the caller's own thread. */
import { randomFrom } from "../balance/hash.ts";
import { Bridge, bridgeMemory } from "../datagram/bridge/bridge.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import { type BridgeControl, type EndView, endViews, type TellBridge } from "../datagram/bridge/control.ts";
import { addressOf } from "../datagram/bridge/stream-source.ts";
import type { Runtime } from "../net/runtime.ts";
import { TlsKeeper } from "../tls/keeper.ts";
import { hasTlsTarget } from "../tls/tls-config.ts";

export class PortableBridge implements BridgeControl {
  readonly config: BridgeConfig;
  draining = false;
  readonly #bridge: Bridge;
  readonly #memory: SharedArrayBuffer;
  readonly #keeper: TlsKeeper | undefined;

  static async open(runtime: Runtime, config: BridgeConfig, tell: TellBridge): Promise<PortableBridge> {
    const memory = bridgeMemory(config);
    const share = { memory, tell, random: randomFrom(runtime.wallClock()) };
    const keeper = keeperOf(runtime, config, tell);
    try {
      const bridge = await Bridge.open(keeper?.over(runtime) ?? runtime, config, share);
      return new PortableBridge(config, bridge, memory, keeper);
    } catch (error) {
      keeper?.stop();
      throw error;
    }
  }

  private constructor(config: BridgeConfig, bridge: Bridge, memory: SharedArrayBuffer, keeper: TlsKeeper | undefined) {
    this.#keeper = keeper;
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
    this.#keeper?.stop();
    return this.#bridge.drain();
  }

  cut(): void {
    this.#bridge.cut();
  }
}

/** Certificates for sources that are met over TLS, if there are such. */
function keeperOf(runtime: Runtime, { name, from, sourceTls }: BridgeConfig, tell: TellBridge): TlsKeeper | undefined {
  const targets = from.flatMap((source) => (source.kind === "stream" ? [{ address: addressOf(source) }] : []));
  if (!hasTlsTarget({ targets })) return undefined;
  const nowhere = { kind: "tcp", host: "", port: 0 } as const;
  return new TlsKeeper(
    runtime,
    { name, listen: nowhere, targets, tls: null, targetTls: sourceTls },
    { failed: (why) => tell({ event: "source_lost", end: name, why }) },
  );
}

/** What is read here, and what is encrypted, needs what a thread of the native engine does not have. */
export function bridgeNeedsMainThread({ from }: Pick<BridgeConfig, "from">): boolean {
  return from.some((source) => {
    return source.kind === "file" || source.kind === "descriptor" || (source.kind === "stream" && source.tls);
  });
}
