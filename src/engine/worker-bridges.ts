/** Bridges in one thread of the native engine. */
import { randomFrom } from "../balance/hash.ts";
import { Bridge } from "../datagram/bridge/bridge.ts";
import { FileError, SocketError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import type { FromBridge, ToBridge } from "./protocol.ts";

export class WorkerBridges {
  readonly #runtime: Runtime;
  readonly #send: (message: FromBridge) => void;
  readonly #bridges = new Map<number, Bridge>();
  /** Those that are not open yet. */
  readonly #opening = new Map<number, Promise<void>>();

  constructor(runtime: Runtime, send: (message: FromBridge) => void) {
    this.#runtime = runtime;
    this.#send = send;
  }

  async receive(message: ToBridge): Promise<void> {
    const { bridge } = message;
    switch (message.type) {
      case "bridge": {
        const opening = this.#open(message);
        this.#opening.set(bridge, opening);
        await opening;
        this.#opening.delete(bridge);
        return;
      }
      case "bridge_drain":
        // It may be opening still: nobody else would close what comes of that.
        await this.#opening.get(bridge);
        await this.#bridges.get(bridge)?.drain();
        this.#bridges.delete(bridge);
        this.#send({ type: "bridge_drained", bridge });
        return;
      case "bridge_cut":
        await this.#opening.get(bridge);
        this.#bridges.get(bridge)?.cut();
    }
  }

  async #open({ bridge, config, memory }: Extract<ToBridge, { type: "bridge" }>): Promise<void> {
    const runtime = this.#runtime;
    const random = randomFrom(runtime.wallClock() + bridge);
    try {
      const opened = await Bridge.open(runtime, config, {
        memory,
        random,
        tell: (event) => this.#send({ type: "bridge_event", bridge, event }),
      });
      this.#bridges.set(bridge, opened);
      this.#send({ type: "bridge_opened", bridge, addresses: opened.addresses });
    } catch (error) {
      if (!(error instanceof SocketError || error instanceof FileError)) throw error;
      const { code, message } = error;
      this.#send({ type: "bridge_failed", bridge, code, message, file: error instanceof FileError });
    }
  }
}
