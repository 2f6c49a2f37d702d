/** Listening sockets: the kernel's queue of connections nobody has accepted yet, and a process that accepts them. */
import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Listener, ListenOptions, StreamSocket } from "../../src/net/runtime.ts";
import type { Process } from "./process.ts";
import { SimSocket } from "./socket.ts";
import type { Wire } from "./wire.ts";

/** A connection that has arrived. */
export interface Offer {
  readonly from: Address;
  readonly to: Address;
  /** When it arrived. */
  readonly at: number;
  /** From the client to us, and from us to the client. */
  readonly forth: Wire;
  readonly answer: Wire;
}

/** Connections accepted at one go. */
const BATCH = 4;
/** Milliseconds of rest when there is no descriptor. */
const REST = 100;

export class AcceptQueue {
  open = true;
  onOffer: () => void = () => {};
  readonly #waiting: Offer[] = [];
  readonly #backlog: number;

  constructor(backlog: number) {
    this.#backlog = backlog;
  }

  get full(): boolean {
    return this.#waiting.length >= this.#backlog;
  }

  offer(offer: Offer): void {
    this.#waiting.push(offer);
    this.onOffer();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** When the first of those that wait arrived. */
  get since(): number | undefined {
    return this.#waiting[0]?.at;
  }

  take(): Offer | undefined {
    return this.#waiting.shift();
  }

  /** Who waits is reset. */
  close(): void {
    this.open = false;
    for (const { answer } of this.#waiting.splice(0)) answer.reset();
  }
}

export class SimListener implements Listener {
  readonly address: Address;
  readonly #process: Process;
  readonly #queue: AcceptQueue;
  readonly #options: ListenOptions;
  readonly #accept: (socket: StreamSocket) => void;
  readonly #release: () => void;
  #awake = false;
  #paused = false;
  #resting = false;
  #closed = false;

  constructor(
    process: Process,
    queue: AcceptQueue,
    address: Address,
    options: ListenOptions,
    accept: (socket: StreamSocket) => void,
    release: () => void,
  ) {
    this.#process = process;
    this.#queue = queue;
    this.address = address;
    this.#options = options;
    this.#accept = accept;
    this.#release = release;
    queue.onOffer = () => this.#wake();
    this.#wake();
  }

  pause(): void {
    if (this.#process.habits.pauseAccept) this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#wake();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.onOffer = () => {};
    this.#release();
  }

  #wake(): void {
    if (this.#awake || this.#closed) return;
    this.#awake = true;
    this.#process.soon(() => {
      this.#awake = false;
      this.#turn();
    });
  }

  #turn(): void {
    for (let left = BATCH; left > 0; left--) {
      if (this.#paused || this.#resting || this.#closed || this.#queue.waiting === 0) return;
      if (this.#process.full) {
        this.#rest();
        return;
      }
      const offer = this.#queue.take();
      if (!offer) return;
      const { from, forth, answer } = offer;
      this.#process.accepted++;
      this.#accept(new SimSocket(this.#process, this.address, from, this.#options.buffer, forth, answer));
    }
    this.#wake();
  }

  #rest(): void {
    this.#resting = true;
    this.#options.exhausted?.(new SocketError("EMFILE"));
    this.#process.clock.after(REST, () => {
      this.#resting = false;
      if (!this.#process.dead) this.#wake();
    });
  }
}
