/** A source that weir connects to, again and again, and whose bytes are cut into datagrams. */
import type { Address } from "../../net/address.ts";
import { Backoff } from "../../net/backoff.ts";
import { asSocketError, type SocketError } from "../../net/errors.ts";
import type { Connecting, StreamSocket, Timer } from "../../net/runtime.ts";
import type { EndShare, Source, SourceOwner } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import { Inflow, READ } from "./inflow.ts";
import { formatRoute, type StreamRoute } from "./route-address.ts";

const OPTIONS = { noDelay: true, keepAlive: 30_000, buffer: READ, timeout: 5_000 };

export class StreamSource implements Source {
  readonly patient = true;
  readonly address: string;
  readonly #route: StreamRoute;
  readonly #share: EndShare;
  readonly #owner: SourceOwner;
  readonly #backoff: Backoff;
  #attempt: Connecting | undefined;
  #inflow: Inflow | undefined;
  #timer: Timer | undefined;
  #paused = false;
  /** Its loss has been told. */
  #told = false;
  #over = false;

  constructor(route: StreamRoute, share: EndShare, owner: SourceOwner) {
    this.#route = route;
    this.#share = share;
    this.#owner = owner;
    this.#backoff = new Backoff(share.random);
    this.address = formatRoute(route);
  }

  /** One that is not there now may be later: nobody waits for it. */
  async open(): Promise<void> {
    this.#connect();
  }

  pause(): void {
    this.#paused = true;
    this.#inflow?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#inflow?.resume();
  }

  tend(): void {}

  async close(): Promise<void> {
    this.#over = true;
    this.#timer?.cancel();
    this.#attempt?.cancel();
    await this.#inflow?.abort();
  }

  #connect(): void {
    this.#timer = undefined;
    const attempt = this.#share.runtime.connect(addressOf(this.#route), OPTIONS);
    this.#attempt = attempt;
    attempt.socket.then(
      (socket) => this.#opened(socket),
      (thrown) => this.#again(asSocketError(thrown).message),
    );
  }

  #opened(socket: StreamSocket): void {
    this.#attempt = undefined;
    if (this.#over) {
      socket.abort();
      return;
    }
    const { counters, config, tell } = this.#share;
    counters.add(END_CELL.connections, 1);
    if (this.#told) tell({ event: "source_back", end: this.address });
    this.#told = false;
    const emit = (datagram: Uint8Array) => {
      this.#backoff.succeeded();
      counters.passed(datagram.length);
      this.#owner.datagram(datagram);
    };
    this.#inflow = new Inflow(socket, config, emit, (error) => this.#ended(error));
    if (!this.#paused) this.#inflow.resume();
  }

  #ended(error: SocketError | undefined): void {
    this.#inflow = undefined;
    this.#share.counters.add(END_CELL.connections, -1);
    this.#again(error?.message ?? "it has closed the connection");
  }

  #again(why: string): void {
    if (this.#over) return;
    const { counters, tell, runtime } = this.#share;
    counters.add(END_CELL.failures, 1);
    if (!this.#told) tell({ event: "source_lost", end: this.address, why });
    this.#told = true;
    this.#timer = runtime.after(this.#backoff.failed(), () => this.#connect());
  }
}

/** What is connected. */
export function addressOf({ address, tls }: StreamRoute): Address {
  return tls && address.kind === "tcp" ? { ...address, tls: true } : address;
}
