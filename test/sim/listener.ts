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
/** In which a listener that closes still accepts. */
const TURNS = 5;

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
  readonly #lingers: boolean;
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
    lingers: boolean,
  ) {
    this.#process = process;
    this.#queue = queue;
    this.address = address;
    this.#options = options;
    this.#accept = accept;
    this.#release = release;
    this.#lingers = lingers;
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

  /** Accepts who waits; one that `lingers` needs several turns for that, as a runtime's own sockets do. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.onOffer = () => {};
    this.#acceptAll();
    for (let turns = this.#lingers ? TURNS : 0; turns > 0; turns--) {
      await new Promise<void>((resolve) => this.#process.soon(resolve));
      this.#acceptAll();
    }
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
    for (let left = BATCH; left > 0; left--) if (this.#resting || this.#closed || !this.#acceptOne()) return;
    this.#wake();
  }

  #acceptAll(): void {
    while (this.#acceptOne());
  }

  /** False: nobody waits, or nobody may come now. */
  #acceptOne(): boolean {
    if (this.#paused || this.#queue.waiting === 0) return false;
    if (this.#process.full) {
      this.#rest();
      return false;
    }
    const offer = this.#queue.take();
    if (!offer) return false;
    const { from, forth, answer } = offer;
    this.#process.accepted++;
    this.#accept(new SimSocket(this.#process, this.address, from, this.#options.buffer, forth, answer));
    return true;
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
