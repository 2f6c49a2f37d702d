/**
 * An observer that gets datagrams. All sessions of a thread send from one socket, so that they cost no descriptor each,
 * and netcat, which listens to the first sender alone, hears all of them. Only framed can they be told apart.
 */
import { anyAddress, type UdpAddress } from "../net/address.ts";
import { asSocketError, SocketError } from "../net/errors.ts";
import type { Chunk, DatagramSocket, Runtime } from "../net/runtime.ts";
import { OBSERVER_CELL, type ObserverCounters } from "./observer-counters.ts";
import type { Destination, Sink, SinkError, SinkOwner, Taken } from "./sink.ts";

/**
 * Bytes of one datagram: they fit into one Ethernet frame, tunnels and IPv6 included, and into every reader's buffer
 * (socat reads 8,192 bytes at a time, netcat 16,384, and both forget the rest).
 */
const PIECE = 1_400;

/** Milliseconds for an answer about a name, and after which a session that begins has it asked for again. */
const RESOLVE_TIMEOUT = 5_000;
const RESOLVE_AGAIN = 30_000;

/** What comes back is never read. */
const OPTIONS = { receiveBuffer: 4_096 };

type Machine = Pick<Runtime, "now" | "resolve" | "datagram">;

/** Where datagrams go; the same one is given to `send` each time, which adapters can make use of. */
interface Route {
  readonly socket: DatagramSocket;
  to: { readonly host: string; readonly port: number };
}

export class DatagramDestination implements Destination {
  readonly piece = PIECE;
  readonly isStream = false;
  readonly #runtime: Machine;
  readonly #address: UdpAddress;
  readonly #counters: ObserverCounters;
  readonly #waiting = new Set<SinkOwner>();
  readonly #sinks = new Map<DatagramSink, SinkOwner>();
  #route: Route | undefined;
  #opening = false;
  #resolvedAt = 0;
  /** Datagrams of the socket that never left, as far as they are counted. */
  #unsent = 0;
  #closed = false;

  constructor(runtime: Machine, address: UdpAddress, counters: ObserverCounters) {
    this.#runtime = runtime;
    this.#address = address;
    this.#counters = counters;
  }

  open(owner: SinkOwner): () => void {
    if (this.#route) {
      this.#refresh(this.#route);
      this.#give(owner);
      return () => {};
    }
    this.#waiting.add(owner);
    if (!this.#opening) void this.#open();
    return () => this.#waiting.delete(owner);
  }

  close(): void {
    this.#closed = true;
    this.#route?.socket.close();
  }

  send(chunk: Chunk): Taken {
    if (!this.#route) return "lost";
    const { socket, to } = this.#route;
    this.#count(socket);
    socket.send(chunk, to);
    if (socket.unsent === this.#unsent) return "more";
    // This one was one too many.
    this.#unsent++;
    return "lost";
  }

  leave(sink: DatagramSink): void {
    this.#sinks.delete(sink);
  }

  #give(owner: SinkOwner): void {
    const sink = new DatagramSink(this);
    this.#sinks.set(sink, owner);
    owner.opened(sink);
  }

  async #open(): Promise<void> {
    this.#opening = true;
    try {
      const host = await this.#resolve();
      const socket = await this.#runtime.datagram({ host: anyAddress(host), port: 0 }, OPTIONS);
      this.#opening = false;
      this.#opened({ socket, to: { host, port: this.#address.port } });
    } catch (thrown) {
      this.#opening = false;
      const error = asSocketError(thrown);
      for (const owner of this.#taken()) owner.failed(error);
    }
  }

  #opened(route: Route): void {
    const { socket } = route;
    socket.on({ message() {}, close: (error) => this.#lost(socket, error) });
    if (this.#closed) {
      socket.close();
      return;
    }
    this.#route = route;
    this.#unsent = 0;
    for (const owner of this.#taken()) this.#give(owner);
  }

  /** Nothing but a bug ends the socket before {@link close} does. */
  #lost(socket: DatagramSocket, error: SinkError | undefined): void {
    this.#count(socket);
    this.#route = undefined;
    const owners = [...this.#sinks.values()];
    this.#sinks.clear();
    for (const owner of owners) owner.closed(error);
  }

  /** That the kernel was full, or had no way there, may be known only a little later. */
  #count(socket: DatagramSocket): void {
    const { unsent } = socket;
    if (unsent === this.#unsent) return;
    this.#counters.add(OBSERVER_CELL.gaps, unsent - this.#unsent);
    this.#unsent = unsent;
  }

  #taken(): readonly SinkOwner[] {
    const owners = [...this.#waiting];
    this.#waiting.clear();
    return owners;
  }

  async #resolve(): Promise<string> {
    this.#resolvedAt = this.#runtime.now();
    const hosts = await this.#runtime.resolve(this.#address.host, { servers: [], timeout: RESOLVE_TIMEOUT });
    const host = hosts.find((each) => !each.includes(":")) ?? hosts[0];
    if (host === undefined) throw new SocketError("ENOTFOUND");
    return host;
  }

  /** A name may stand for another address by now. Without an answer, or of another family, the old one holds. */
  #refresh(route: Route): void {
    if (this.#runtime.now() - this.#resolvedAt < RESOLVE_AGAIN) return;
    this.#resolve().then(
      (host) => {
        if (host.includes(":") === route.to.host.includes(":")) route.to = { ...route.to, host };
      },
      () => {},
    );
  }
}

class DatagramSink implements Sink {
  readonly stream = undefined;
  readonly underway = 0;
  readonly #destination: DatagramDestination;

  constructor(destination: DatagramDestination) {
    this.#destination = destination;
  }

  write(chunk: Chunk): Taken {
    return this.#destination.send(chunk);
  }

  finish(): boolean {
    this.cut();
    return true;
  }

  cut(): void {
    this.#destination.leave(this);
  }
}
