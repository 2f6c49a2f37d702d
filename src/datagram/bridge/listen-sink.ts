/**
 * A destination that is an address of ours: whoever connects gets the bytes of all datagrams that pass from then on.
 * Each has a bounded buffer of its own, and what is skipped for one that does not keep up is whole datagrams.
 *
 *     datagram datagram datagram ──► gathered, for a millisecond ──► one write for each connection
 */
import { formatAddress } from "../../net/address.ts";
import type { SocketError } from "../../net/errors.ts";
import type { Chunk, Listener, Runtime, StreamEvents, StreamSocket, Timer } from "../../net/runtime.ts";
import type { EndShare, Sink, SinkOwner } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import type { ListenRoute } from "./route-address.ts";

/** Milliseconds, and bytes, that are gathered at most; any datagram fits. */
const GATHER = 1;
const GATHERED = 65_536;
/** Milliseconds for somebody who has got everything to notice the end: `nc` at a terminal never closes by itself. */
const LINGER = 2_000;

export class ListenSink implements Sink {
  readonly ports: readonly number[] = [];
  #route: ListenRoute;
  readonly #share: EndShare;
  readonly #owner: SinkOwner;
  readonly #clients = new Set<Client>();
  #listener: Listener | undefined;
  readonly #gathered = new Uint8Array(GATHERED);
  #length = 0;
  #datagrams = 0;
  #timer: Timer | undefined;
  #lost = 0;
  #over = false;
  #emptied: (() => void) | undefined;

  constructor(route: ListenRoute, share: EndShare, owner: SinkOwner) {
    this.#route = route;
    this.#share = share;
    this.#owner = owner;
  }

  get address(): string {
    return `listen://${formatAddress(this.#route.address)}`;
  }

  async open(): Promise<void> {
    const { runtime, config } = this.#share;
    const options = { noDelay: true, keepAlive: 30_000, buffer: config.buffer, backlog: 511 };
    this.#listener = await runtime.listen(this.#route.address, options, (socket) => this.#accept(socket));
    this.#route = { ...this.#route, address: this.#listener.address };
  }

  send(chunk: Chunk): void {
    this.#share.counters.passed(chunk.length);
    if (this.#clients.size === 0 || chunk.length === 0) return;
    if (this.#length + chunk.length > GATHERED) this.#flush();
    this.#gathered.set(chunk, this.#length);
    this.#length += chunk.length;
    this.#datagrams++;
    this.#timer ??= this.#share.runtime.after(GATHER, () => this.#flush());
  }

  tend(): void {
    if (this.#lost > 0) this.#share.tell({ event: "lost", end: this.address, reason: "full", count: this.#lost });
    this.#lost = 0;
  }

  async finish(): Promise<void> {
    this.#over = true;
    await this.#listener?.close();
    this.#flush();
    for (const client of this.#clients) client.leave(this.#share.runtime);
    if (this.#clients.size > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
    this.tend();
  }

  cut(): void {
    // Nobody is there to cut who comes now.
    this.#over = true;
    this.#timer?.cancel();
    for (const { socket } of this.#clients) socket.abort();
  }

  hold(): void {
    this.#owner.hold();
  }

  release(): void {
    this.#owner.release();
  }

  gone(client: Client): void {
    this.#clients.delete(client);
    this.#share.counters.add(END_CELL.connections, -1);
    this.#share.tell({ event: "disconnected", end: this.address, peer: client.peer });
    if (this.#clients.size === 0) this.#emptied?.();
  }

  #accept(socket: StreamSocket): void {
    const { config, counters, tell } = this.#share;
    if (this.#over || (config.maxClients > 0 && this.#clients.size >= config.maxClients)) {
      counters.add(END_CELL.failures, 1);
      socket.abort();
      return;
    }
    // What was gathered came before it.
    this.#flush();
    const client = new Client(socket, this);
    this.#clients.add(client);
    counters.add(END_CELL.connections, 1);
    tell({ event: "connected", end: this.address, peer: client.peer });
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#length === 0) return;
    const bytes = this.#gathered.subarray(0, this.#length);
    for (const client of this.#clients) this.#give(client, bytes);
    this.#length = 0;
    this.#datagrams = 0;
  }

  #give(client: Client, bytes: Chunk): void {
    const { buffer, whenFull } = this.#share.config;
    const { counters, tell } = this.#share;
    const fits = client.socket.buffered === 0 || client.socket.buffered + bytes.length <= buffer;
    if (fits || whenFull === "block") {
      client.write(bytes, whenFull === "block");
      return;
    }
    counters.add(END_CELL.full, this.#datagrams);
    this.#lost += this.#datagrams;
    if (whenFull !== "disconnect") return;
    counters.add(END_CELL.disconnects, 1);
    tell({ event: "too_slow", end: this.address, peer: client.peer });
    client.socket.abort();
  }
}

/** One that gets what passes; whatever it sends is read and dropped. */
class Client implements StreamEvents {
  readonly socket: StreamSocket;
  readonly peer: string;
  readonly #sink: ListenSink;
  /** Sources wait for it. */
  #holds = false;
  #linger: Timer | undefined;

  constructor(socket: StreamSocket, sink: ListenSink) {
    this.socket = socket;
    this.peer = formatAddress(socket.remote);
    this.#sink = sink;
    socket.on(this);
    socket.resume();
  }

  /** `holds`: sources are to wait as long as there is no room for more. */
  write(bytes: Chunk, holds: boolean): void {
    if (this.socket.write(bytes) || !holds || this.#holds) return;
    this.#holds = true;
    this.#sink.hold();
  }

  /** What was written goes out, and then the end. Whoever has all of it and stays is left behind. */
  leave(runtime: Pick<Runtime, "after">): void {
    this.socket.end();
    this.#watch(runtime);
  }

  data(): void {}

  drain(): void {
    this.#release();
  }

  /** It will send nothing more, and may go on reading: `nc` does so in a script. */
  end(): void {}

  broken(): void {
    this.socket.abort();
  }

  close(_?: SocketError): void {
    this.#linger?.cancel();
    this.#release();
    this.#sink.gone(this);
  }

  #watch(runtime: Pick<Runtime, "after">): void {
    this.#linger = runtime.after(LINGER, () => {
      // Where that is not known a reset could destroy what is on its way.
      if (this.socket.buffered === 0 && this.socket.unacknowledged() === 0) this.socket.abort();
      else this.#watch(runtime);
    });
  }

  #release(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#sink.release();
  }
}
