/** Clients that come, talk in waves, go and come again, so that there is something to look at; about 1 MB/s in all. */
import { randomFrom } from "../../balance/hash.ts";
import { DEFAULTS } from "../../config/config.ts";
import type { Address } from "../../net/address.ts";
import type { Runtime, StreamSocket, Timer } from "../../net/runtime.ts";

const CLIENTS = 8;
/** Milliseconds between what a client sends. */
const BEAT = 200;
/** Bytes at once, at the top of a wave. */
const MOST = 65_536;
/** Beats that a client stays at least, and at most. */
const STAY = { least: 15, most: 150 } as const;
/** Milliseconds until one that could not connect, or was cut, comes again. */
const AGAIN = 1_000;

const BYTES = new Uint8Array(MOST);

/** Begins; the answer ends it. */
export function startTraffic(runtime: Runtime, to: Address): () => void {
  const random = randomFrom(runtime.wallClock());
  const clients = Array.from({ length: CLIENTS }, (_, index) => new Client(runtime, to, random, index));
  for (const client of clients) client.come();
  return () => {
    for (const client of clients) client.stop();
  };
}

class Client {
  readonly #runtime: Runtime;
  readonly #to: Address;
  readonly #random: () => number;
  /** Where in the wave it is: each somewhere else. */
  #phase: number;
  #socket: StreamSocket | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(runtime: Runtime, to: Address, random: () => number, index: number) {
    this.#runtime = runtime;
    this.#to = to;
    this.#random = random;
    this.#phase = index;
  }

  async come(): Promise<void> {
    const { noDelay, keepAlive, buffer } = DEFAULTS.proxy;
    const options = { noDelay, keepAlive, buffer, timeout: 5_000 };
    const socket = await this.#runtime.connect(this.#to, options).socket.catch(() => undefined);
    if (!socket) return this.#comeAgain();
    if (this.#stopped) return socket.abort();
    this.#socket = socket;
    let full = false;
    socket.on({
      data() {},
      drain() {
        full = false;
      },
      end() {},
      close: () => this.#comeAgain(),
    });
    socket.resume();
    let beats = STAY.least + Math.floor(this.#random() * (STAY.most - STAY.least));
    const beat = () => {
      if (beats-- === 0) return socket.end();
      if (!full) full = !socket.write(BYTES.subarray(0, this.#amount()));
      this.#timer = this.#runtime.after(BEAT, beat);
    };
    beat();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#socket?.end();
  }

  #comeAgain(): void {
    this.#timer?.cancel();
    this.#socket = undefined;
    if (!this.#stopped) this.#timer = this.#runtime.after(AGAIN, () => void this.come());
  }

  #amount(): number {
    this.#phase += 0.07;
    const wave = (1 + Math.sin(this.#phase)) / 2;
    return Math.max(1, Math.floor(MOST * wave * this.#random()));
  }
}
