/** An engine runs proxies: in this thread on the runtime's sockets (portable), or in threads of its own (native). */
import type { EngineConfig, ProxyConfig } from "../config/config.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { BridgeControl, TellBridge } from "../datagram/bridge/control.ts";
import type { Scenario } from "../load/scenario.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ClientTls } from "../net/tls.ts";
import type { ProxyControl } from "../proxy/control.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { Load, TellSample } from "./load.ts";
import type { Scripts } from "./scripts.ts";
import type { OpenThreads } from "./threads.ts";

export interface Engine {
  readonly mode: "native" | "portable";
  /** Threads that relay; 0 in portable mode, where the caller's own thread does. */
  readonly workers: number;
  /** Connections that fit into the process; more of them wait in the kernel's queue. */
  readonly capacity: number;
  /** Connections that each worker has accepted. */
  readonly shares: readonly number[];
  /** Threads that died and were replaced. */
  readonly restarts: number;
  /** Events of connections that nobody fetched in time. */
  readonly eventsLost: number;
  /** Set by whoever wants to know. */
  watch: EngineEvents;
  /**
   * Starts listening. Rejects with a `SocketError` that names the address, `ECONFIG` for one that cannot be shared, or
   * for a script that cannot be loaded. `scripts`: those that need not be.
   */
  open(config: ProxyConfig, events?: ProxyEvents, scripts?: Scripts): Promise<ProxyControl>;
  /** Starts a bridge. Rejects with a `SocketError` or a `FileError` that names the end which cannot be opened. */
  bridge(config: BridgeConfig, tell: TellBridge): Promise<BridgeControl>;
  /**
   * Makes a load: asks a target, and tells once a second what came of it. `clientTls`: for a target with TLS. A target's
   * host is an IP address.
   */
  load(scenario: Scenario, tell: TellSample, clientTls?: ClientTls): Load;
  /** Ends the threads; every proxy and bridge has to be drained or cut before. */
  close(): Promise<void>;
}

export interface EngineEvents {
  /** Accepting has stopped: no descriptors are left. */
  full?(): void;
  /** So many events of connections are lost. */
  lost?(events: number): void;
  /** A thread has died; its connections are gone, and another takes its place. */
  died?(worker: number, connections: number, stack: string): void;
}

export interface Choice {
  readonly engine: Engine;
  /** Why it is not the native one, if that was asked for or would have been the default. */
  readonly fallback?: string;
  /** Its threads run. Rejects with a `ThreadsError` if they cannot. */
  readonly started?: Promise<void>;
}

/**
 * Starts the engine that `config` asks for. Mode `auto` takes the native one where it works.
 *
 * @throws Whatever keeps the native engine from working, in mode `native`.
 */
export async function startEngine(runtime: Runtime, open: OpenThreads, config: EngineConfig): Promise<Choice> {
  const choice = await beginEngine(runtime, open, config);
  try {
    await choice.started;
    return choice;
  } catch (error) {
    return await withoutThreads(runtime, config, error);
  }
}

/**
 * The same without waiting for threads: the native engine listens before they have started, and its `open` and `bridge`
 * reject with a `ThreadsError` if they do not; {@link withoutThreads} is for that.
 */
export async function beginEngine(runtime: Runtime, open: OpenThreads, config: EngineConfig): Promise<Choice> {
  if (config.mode === "portable") return { engine: await portable(runtime) };
  try {
    const threads = await open(config.workers);
    // Loaded while the threads load theirs.
    const { NativeEngine } = await import("./native.ts");
    const engine = new NativeEngine(runtime, threads, config.workers);
    return { engine, started: engine.started };
  } catch (error) {
    return await withoutThreads(runtime, config, error);
  }
}

/** What runs when `error` keeps the native engine from it. Throws in mode `native`. */
export async function withoutThreads(runtime: Runtime, { mode }: EngineConfig, error: unknown): Promise<Choice> {
  const why = error instanceof Error ? error.message : String(error);
  if (mode === "native") throw new Error(`the native engine cannot run here: ${why}; use --engine portable`);
  return { engine: await portable(runtime), fallback: why };
}

async function portable(runtime: Runtime): Promise<Engine> {
  const { PortableEngine } = await import("./portable.ts");
  return new PortableEngine(runtime);
}
