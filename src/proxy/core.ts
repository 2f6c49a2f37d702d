/** A running proxy within one thread, whatever it relays. */
import type { TargetShare } from "../balance/target.ts";
import type { ProxyConfig } from "../config/config.ts";
import { RunningRelay } from "../datagram/relay/running-relay.ts";
import type { Counters } from "../metrics/counters.ts";
import type { ListenAddress } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ConnectionList } from "./control.ts";
import type { EntranceMemory } from "./entrance.ts";
import type { ObserverMemory } from "./onlookers.ts";
import type { ProcessingShare } from "./processing.ts";
import { type ProxyEvents, RunningProxy, type Share } from "./proxy.ts";

/** What a thread holds of a proxy; see `ProxyControl`, which is the same for all threads together. */
export interface ProxyCore {
  /** Of the proxy itself, for what concerns no target. */
  readonly front: Counters;
  /** The address really bound. */
  readonly address: ListenAddress;
  readonly draining: boolean;
  /** Resolves when it no longer listens. */
  readonly stopped: Promise<void>;
  connections(limit: number): Promise<ConnectionList>;
  close(id: number): boolean;
  configure(
    config: ProxyConfig,
    memory: EntranceMemory,
    observers: ObserverMemory,
    targets: readonly TargetShare[],
    scripts?: ProcessingShare["scripts"],
  ): void;
  retarget(targets: readonly TargetShare[]): void;
  /** There may be room for a connection that waits here. */
  nudged(): void;
  drain(): Promise<void>;
  cut(): void;
}

/** Starts listening. Rejects with a `SocketError` that names the address. */
export async function openCore(
  runtime: Runtime,
  config: ProxyConfig,
  events: ProxyEvents,
  share: Share,
): Promise<ProxyCore> {
  const { listen } = config;
  if (listen.kind === "udp") return await RunningRelay.open(runtime, { ...config, listen }, events, share);
  return await RunningProxy.open(runtime, { ...config, listen }, events, share);
}
