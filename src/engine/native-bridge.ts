/** A bridge in one thread of the native engine; when that dies, in the one that takes its place. */
import { bridgeMemory } from "../datagram/bridge/bridge.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import { type BridgeControl, type EndView, endViews, type TellBridge } from "../datagram/bridge/control.ts";
import { EndCounters } from "../datagram/bridge/end-counters.ts";
import { parseRoute } from "../datagram/bridge/route-address.ts";
import { FileError, SocketError } from "../net/errors.ts";
import type { FromBridge } from "./protocol.ts";
import type { Worker } from "./worker-handle.ts";

export class NativeBridge implements BridgeControl {
  readonly config: BridgeConfig;
  draining = false;
  /** Natively nothing is read that has an end. */
  readonly finished = new Promise<void>(() => {});
  readonly worker: Worker;
  onDrained: () => void = () => {};
  readonly #number: number;
  readonly #memory: SharedArrayBuffer;
  readonly #tell: TellBridge;
  #addresses: readonly string[] = [];
  #opened: { resolve(): void; reject(error: Error): void } | undefined;
  #drained: Promise<void> | undefined;
  #resolveDrained: () => void = () => {};

  constructor(number: number, config: BridgeConfig, tell: TellBridge, worker: Worker) {
    this.#number = number;
    this.config = config;
    this.#tell = tell;
    this.worker = worker;
    this.#memory = bridgeMemory(config);
  }

  /** Rejects as `Bridge.open` does. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.enlist(this.config);
    });
  }

  get ends(): readonly EndView[] {
    return endViews(this.config, this.#addresses, this.#memory);
  }

  /** Gives it to the thread. */
  enlist(config: BridgeConfig): void {
    this.worker.post({ type: "bridge", bridge: this.#number, config, memory: this.#memory });
  }

  heard(message: FromBridge): void {
    switch (message.type) {
      case "bridge_opened":
        this.#addresses = message.addresses;
        this.#opened?.resolve();
        this.#opened = undefined;
        return;
      case "bridge_failed":
        this.#failed(message.code, message.message, message.file);
        return;
      case "bridge_event":
        this.#tell(message.event);
        return;
      case "bridge_drained":
        this.#over();
    }
  }

  /** The thread has died. */
  abandoned(): void {
    for (const [index] of this.#addresses.entries()) new EndCounters(this.#memory, index).abandon();
    this.#opened?.reject(new SocketError("ECANCELED", "its thread has died"));
    this.#opened = undefined;
    if (this.draining) this.#over();
  }

  /** Another one runs in its place: ports that were free then have their numbers now. */
  replaced(): void {
    if (this.draining || this.#addresses.length === 0) return;
    const { from, to } = this.config;
    this.enlist({
      ...this.config,
      from: this.#addresses.slice(0, from.length).map((address) => parseRoute(address, "from")),
      to: this.#addresses.slice(from.length).map((address, index) => {
        return to[index]?.kind === "descriptor" ? to[index] : parseRoute(address, "to");
      }),
    });
  }

  drain(): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.draining = true;
      this.#resolveDrained = resolve;
      if (this.worker.alive) this.worker.post({ type: "bridge_drain", bridge: this.#number });
      else this.#over();
    });
    return this.#drained;
  }

  cut(): void {
    this.worker.post({ type: "bridge_cut", bridge: this.#number });
  }

  #failed(code: string, message: string, file: boolean): void {
    if (this.#opened) this.#opened.reject(file ? new FileError(code, message) : new SocketError(code, message));
    // In a thread that took the place of another.
    else this.#tell({ event: "source_lost", end: this.#addresses[0] ?? "", why: message });
    this.#opened = undefined;
  }

  #over(): void {
    this.draining = true;
    this.#resolveDrained();
    this.onDrained();
  }
}
