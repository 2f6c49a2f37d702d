/** UDP on the simulated network, which may lose, double and reorder what is sent. */
import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, DatagramEvents, DatagramOptions, DatagramSocket, Endpoint } from "../../src/net/runtime.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";

/** Bytes of payload that fit into one (RFC 768 and 791: 65,535 less two headers). */
const LARGEST = 65_507;
/** Milliseconds: on the way, and between two that were sent at once, so that they stay in order. */
const LATENCY = 1;
const ORDER = 1e-6;
const NOBODY: DatagramEvents = { message() {}, close() {} };

export class SimDatagram implements DatagramSocket {
  readonly local: Endpoint;
  unsent = 0;
  overrun = 0;
  readonly #network: Network;
  readonly #process: Process;
  readonly #room: number;
  readonly #inbox: { readonly chunk: Uint8Array; readonly from: Endpoint }[] = [];
  #held = 0;
  #lastSent = 0;
  #events: DatagramEvents = NOBODY;
  #reading = false;
  #awake = false;
  #closed = false;
  #told = false;
  #error: SocketError | undefined;

  /** Throws `EADDRINUSE`. */
  static open(network: Network, process: Process, at: Endpoint, options: DatagramOptions): SimDatagram {
    const local = at.port === 0 ? { ...at, port: network.port() } : at;
    if (network.datagrams.has(keyOf(local))) throw new SocketError("EADDRINUSE");
    return new SimDatagram(network, process, local, options.receiveBuffer);
  }

  private constructor(network: Network, process: Process, local: Endpoint, room: number) {
    this.#network = network;
    this.#process = process;
    this.local = local;
    this.#room = room;
    network.datagrams.set(keyOf(local), this);
    process.take();
  }

  on(events: DatagramEvents): void {
    this.#events = events;
    this.#wake();
  }

  send(chunk: Chunk, to: Endpoint): void {
    if (this.#closed || chunk.length > LARGEST || to.host.includes(":") !== this.local.host.includes(":")) {
      this.unsent++;
      return;
    }
    const { random } = this.#network;
    const { loss, doubles } = this.#network.datagramWeather;
    if (random.chance(loss)) return;
    const copies = random.chance(doubles) ? 2 : 1;
    for (let n = 0; n < copies; n++) this.#dispatch(chunk.slice(), to);
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    this.#reading = true;
    this.#wake();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.datagrams.delete(keyOf(this.local));
    this.#process.give();
    this.#wake();
  }

  /** In order, unless the weather wants it otherwise. */
  #dispatch(chunk: Uint8Array, to: Endpoint): void {
    const network = this.#network;
    const { clock, random, datagramWeather } = network;
    const late = random.chance(datagramWeather.reorders) ? network.delay() : 0;
    this.#lastSent = Math.max(this.#lastSent, clock.now) + ORDER;
    const arrival = this.#lastSent + LATENCY + late - clock.now;
    clock.after(arrival, () => network.datagrams.get(keyOf(to))?.arrive(chunk, this.local));
  }

  arrive(chunk: Uint8Array, from: Endpoint): void {
    if (this.#held + chunk.length > this.#room) {
      this.overrun++;
      return;
    }
    this.#held += chunk.length;
    this.#inbox.push({ chunk, from });
    this.#wake();
  }

  #wake(): void {
    if (this.#awake || this.#told) return;
    this.#awake = true;
    this.#process.soon(() => {
      this.#awake = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#closed) {
      this.#told = true;
      this.#events.close(this.#error);
      return;
    }
    const next = this.#reading && this.#events !== NOBODY ? this.#inbox.shift() : undefined;
    if (!next) return;
    this.#held -= next.chunk.length;
    try {
      this.#events.message(next.chunk, next.from);
    } catch (cause) {
      this.#error = new SocketError("EHANDLER", undefined, { cause });
      this.close();
    }
    next.chunk.fill(0xdb);
    this.#wake();
  }
}

function keyOf({ host, port }: Endpoint): string {
  return `${host} ${port}`;
}
