/** One worker as the control plane holds it: a thread, and the next one when that has died. */
import type { Runtime, Timer } from "../net/runtime.ts";
import type { FromWorker, ToWorker } from "./protocol.ts";
import type { Thread, Threads, WorkerSetup } from "./threads.ts";

/** Milliseconds before a worker is replaced that died soon after its start; doubled each time, up to the second. */
const PATIENCE = 100;
const PATIENCE_MAX = 5_000;
/** Milliseconds of life after which a death is news again. */
const SETTLED = 10_000;

export interface WorkerEvents {
  message(message: FromWorker, worker: Worker): void;
  died(stack: string): void;
  /** A new thread runs in the old one's place. */
  replaced(worker: Worker): void;
}

export class Worker {
  readonly index: number;
  /** The first thread has started; rejects if it could not. */
  readonly started: Promise<void>;
  readonly #runtime: Runtime;
  readonly #threads: Threads;
  readonly #setup: WorkerSetup;
  readonly #events: WorkerEvents;
  #thread: Thread | undefined;
  #startedAt = 0;
  #patience = 0;
  #timer: Timer | undefined;
  #stopping = false;
  #resolveStarted: () => void = () => {};
  #rejectStarted: (error: Error) => void = () => {};
  #resolveStopped: () => void = () => {};
  readonly #stopped = new Promise<void>((resolve) => {
    this.#resolveStopped = resolve;
  });
  #everStarted = false;

  constructor(runtime: Runtime, threads: Threads, setup: Omit<WorkerSetup, "ledger">, events: WorkerEvents) {
    this.index = setup.index;
    this.#runtime = runtime;
    this.#threads = threads;
    this.#events = events;
    const ledger = new Uint8Array(new SharedArrayBuffer(Math.min(setup.descriptors, 1 << 20)));
    this.#setup = { ...setup, ledger };
    this.started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve;
      this.#rejectStarted = reject;
    });
    this.#start();
  }

  post(message: ToWorker): void {
    this.#thread?.post(message);
  }

  /** Resolves when the thread has ended. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#timer?.cancel();
      if (this.#thread) this.#thread.post({ type: "stop" });
      else this.#resolveStopped();
    }
    await this.#stopped;
  }

  /** There is a thread to speak to. */
  get alive(): boolean {
    return this.#thread !== undefined;
  }

  #start(): void {
    this.#startedAt = this.#runtime.now();
    this.#thread = this.#threads.start(this.#setup, {
      started: () => {
        if (this.#everStarted) this.#events.replaced(this);
        this.#everStarted = true;
        this.#resolveStarted();
      },
      message: (message) => this.#events.message(message, this),
      ended: (stack) => this.#ended(stack),
    });
  }

  #ended(stack: string | undefined): void {
    this.#thread = undefined;
    this.#threads.reclaim(this.#setup.ledger);
    if (!this.#everStarted) {
      this.#stopping = true;
      this.#rejectStarted(new Error(firstLine(stack ?? "the thread ended")));
    }
    if (this.#stopping) {
      this.#resolveStopped();
      return;
    }
    this.#events.died(stack ?? "the thread was ended from outside");
    const life = this.#runtime.now() - this.#startedAt;
    this.#patience = life > SETTLED ? 0 : Math.min(Math.max(2 * this.#patience, PATIENCE), PATIENCE_MAX);
    this.#timer = this.#runtime.after(this.#patience, () => this.#start());
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? text;
}
