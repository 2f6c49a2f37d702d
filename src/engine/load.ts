/** A load that runs, wherever it does: here, or in threads. */
import { Generator, shares } from "../load/generator.ts";
import type { Sample } from "../load/sample.ts";
import type { Scenario } from "../load/scenario.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ClientTls } from "../net/tls.ts";
import type { FromLoad } from "./protocol.ts";
import type { Worker } from "./worker-handle.ts";

export interface Load {
  /** Threads that ask; 0: the caller's own. */
  readonly threads: number;
  /** Resolves when all is over; rejects if a thread has died. */
  readonly done: Promise<void>;
  /** Ends it before its time. */
  stop(): void;
}

export type TellSample = (sample: Sample) => void;

/** In this thread. */
export function portableLoad(runtime: Runtime, scenario: Scenario, tell: TellSample, clientTls?: ClientTls): Load {
  const share = { scenario, first: 0, count: scenario.connections };
  const generator = new Generator(runtime, share, tell, clientTls);
  return { threads: 0, done: generator.done, stop: () => generator.stop() };
}

/** In threads of the native engine. */
export class NativeLoad implements Load {
  readonly threads: number;
  readonly done: Promise<void>;
  readonly #number: number;
  readonly #tell: TellSample;
  /** Those that are not done. */
  readonly #workers = new Map<number, Worker>();
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(number: number, scenario: Scenario, tell: TellSample, workers: readonly Worker[]) {
    this.#number = number;
    this.#tell = tell;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const parts = shares(scenario, workers.length);
    this.threads = parts.length;
    for (const [index, share] of parts.entries()) {
      const worker = workers[index] as Worker;
      this.#workers.set(worker.index, worker);
      worker.post({ type: "load", load: number, share });
    }
  }

  stop(): void {
    for (const worker of this.#workers.values()) worker.post({ type: "load_stop", load: this.#number });
  }

  heard(message: FromLoad, worker: number): void {
    if (message.type === "load_sample") {
      this.#tell(message.sample);
      return;
    }
    this.#workers.delete(worker);
    if (this.#workers.size === 0) this.#resolve();
  }

  /** A thread has died: what it has seen since its last sample is lost, and so is the measurement. */
  abandoned(worker: number, stack: string): void {
    if (!this.#workers.delete(worker)) return;
    this.stop();
    this.#reject(new Error(`a thread that made the load has died: ${stack}`));
  }
}
