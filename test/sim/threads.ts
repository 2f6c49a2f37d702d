/**
 * Worker threads for the native engine: each runs the core in a process of its own that shares the descriptors
 * of the whole, hears messages late and in order, and can be made to die at any moment.
 */

import type { ToWorker } from "../../src/engine/protocol.ts";
import type { Listening, Thread, ThreadEvents, Threads, WorkerSetup } from "../../src/engine/threads.ts";
import { EngineWorker } from "../../src/engine/worker.ts";
import { SimDatagram } from "./datagram.ts";
import type { AcceptQueue } from "./listener.ts";
import type { Network } from "./network.ts";
import { Process } from "./process.ts";
import { runtimeOf } from "./runtime.ts";

/** Rounds of promises between an event and its last consequence. */
const SETTLE = 10;

interface Running {
  readonly process: Process;
  readonly events: ThreadEvents;
  readonly tell: (run: () => void) => void;
}

export class SimThreads implements Threads {
  readonly cores = 2;
  /** Those that ever ran. */
  readonly processes: Process[] = [];
  readonly #network: Network;
  readonly #main: Process;
  readonly #told: number | undefined;
  readonly #queues = new Map<number, AcceptQueue>();
  readonly #datagrams = new Map<number, SimDatagram>();
  readonly #running = new Set<Running>();
  readonly #dead = new Map<Uint8Array, Process>();
  #lastDescriptor = 10;

  constructor(network: Network, main: Process, told: number | undefined) {
    this.#network = network;
    this.#main = main;
    this.#told = told;
  }

  async listen(...[at, options, count]: Parameters<Threads["listen"]>): Promise<Listening> {
    const { address, queues } = this.#network.listen(at, options, count);
    const descriptors = queues.map((queue) => {
      this.#main.take();
      this.#queues.set(++this.#lastDescriptor, queue);
      return this.#lastDescriptor;
    });
    return {
      address,
      descriptors,
      stop: () => {
        if (address.kind === "tcp") return;
        for (const queue of queues) queue.open = false;
      },
      close: () => {
        this.#network.unlisten(address, queues);
        for (const queue of queues.splice(0)) {
          queue.close();
          this.#main.give();
        }
      },
    };
  }

  async datagram(...[at, options]: Parameters<Threads["datagram"]>): Promise<Listening> {
    const { host, port } = at;
    const socket = SimDatagram.open(this.#network, this.#main, { host, port }, options);
    const descriptor = ++this.#lastDescriptor;
    this.#datagrams.set(descriptor, socket);
    const close = () => socket.close();
    return { address: { ...at, port: socket.local.port }, descriptors: [descriptor], stop() {}, close };
  }

  start(setup: WorkerSetup, events: ThreadEvents): Thread {
    const { clock, random, habits, limit } = this.#main;
    const name = `worker ${setup.index}.${this.processes.length}`;
    const process = new Process(name, clock, random, habits, limit, this.#main);
    const tell = inOrder(this.#main);
    const order = inOrder(process);
    const running = { process, events, tell };
    this.processes.push(process);
    this.#running.add(running);
    this.#dead.set(setup.ledger, process);
    const note = (text: () => string) => this.#main.trace?.(() => `${name} ${text()}`);
    const worker = new EngineWorker(
      runtimeOf(this.#network, process, this.#told, this.#queues, this.#datagrams),
      setup,
      {
        send(message) {
          note(() => `says ${message.type}`);
          tell(() => events.message(message));
        },
        resolved() {},
        stop: () => this.#end(running, undefined),
      },
    );
    tell(() => events.started());
    const receive = (message: ToWorker) => {
      note(() => `hears ${message.type}`);
      worker.receive(message).catch((error) => this.#end(running, error));
    };
    return { post: (message) => order(() => receive(message)) };
  }

  reclaim(ledger: Uint8Array): void {
    this.#dead.get(ledger)?.reclaim();
  }

  async lookup(): Promise<readonly string[]> {
    throw new Error("workers resolve names in the simulated network");
  }

  /** One of the workers dies, if there is one. */
  kill(): void {
    const victims = [...this.#running];
    if (victims.length > 0) this.#end(this.#network.random.pick(victims), new Error("killed"));
  }

  #end(running: Running, error: Error | undefined): void {
    if (!this.#running.delete(running)) return;
    running.process.dead = true;
    // What promises had begun here goes on, as nothing can stop it: it has to be over when others look at what is left.
    void rounds(SETTLE).then(() => running.tell(() => running.events.ended(error?.stack)));
  }
}

async function rounds(count: number): Promise<void> {
  for (let round = 0; round < count; round++) await null;
}

/** Messages to `receiver` as long as it lives: late, and in the order they were sent. */
function inOrder(receiver: Process): (run: () => void) => void {
  let last = 0;
  return (run) => {
    const { clock, random, habits } = receiver;
    last = Math.max(last, clock.now + random.fraction() * habits.lag) + 1e-6;
    clock.after(last - clock.now, () => {
      if (!receiver.dead) run();
    });
  };
}
