/** Loads in one thread of the native engine. */
import { Generator } from "../load/generator.ts";
import type { Runtime } from "../net/runtime.ts";
import type { FromLoad, ToLoad } from "./protocol.ts";

export class WorkerLoads {
  readonly #runtime: Runtime;
  readonly #send: (message: FromLoad) => void;
  readonly #loads = new Map<number, Generator>();

  constructor(runtime: Runtime, send: (message: FromLoad) => void) {
    this.#runtime = runtime;
    this.#send = send;
  }

  async receive(message: ToLoad): Promise<void> {
    const { load } = message;
    if (message.type === "load_stop") return this.#loads.get(load)?.stop();
    const generator = new Generator(this.#runtime, message.share, (sample) =>
      this.#send({ type: "load_sample", load, sample }),
    );
    this.#loads.set(load, generator);
    await generator.done;
    this.#loads.delete(load);
    this.#send({ type: "load_done", load });
  }
}
