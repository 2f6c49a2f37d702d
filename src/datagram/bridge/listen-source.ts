/** A source that is an address of ours: whoever connects sends, and the bytes of each are cut into datagrams. */
import { formatAddress } from "../../net/address.ts";
import type { Listener, StreamSocket } from "../../net/runtime.ts";
import type { EndShare, Source, SourceOwner } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import { Inflow, READ } from "./inflow.ts";
import type { ListenRoute } from "./route-address.ts";

const OPTIONS = { noDelay: true, keepAlive: 30_000, buffer: READ, backlog: 511 };

export class ListenSource implements Source {
  readonly patient = true;
  #route: ListenRoute;
  readonly #share: EndShare;
  readonly #owner: SourceOwner;
  readonly #inflows = new Set<Inflow>();
  #listener: Listener | undefined;
  #paused = false;
  #over = false;

  constructor(route: ListenRoute, share: EndShare, owner: SourceOwner) {
    this.#route = route;
    this.#share = share;
    this.#owner = owner;
  }

  get address(): string {
    return `listen://${formatAddress(this.#route.address)}`;
  }

  async open(): Promise<void> {
    const { runtime } = this.#share;
    this.#listener = await runtime.listen(this.#route.address, OPTIONS, (socket) => this.#accept(socket));
    this.#route = { ...this.#route, address: this.#listener.address };
  }

  pause(): void {
    this.#paused = true;
    for (const inflow of this.#inflows) inflow.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const inflow of this.#inflows) inflow.resume();
  }

  tend(): void {}

  async close(): Promise<void> {
    this.#over = true;
    const closed = [...this.#inflows].map((inflow) => inflow.abort());
    await this.#listener?.close();
    await Promise.all(closed);
  }

  #accept(socket: StreamSocket): void {
    if (this.#over) {
      socket.abort();
      return;
    }
    const { counters, config, tell } = this.#share;
    const peer = formatAddress(socket.remote);
    const end = this.address;
    counters.add(END_CELL.connections, 1);
    tell({ event: "connected", end, peer });
    const emit = (datagram: Uint8Array) => {
      counters.passed(datagram.length);
      this.#owner.datagram(datagram);
    };
    const inflow = new Inflow(socket, config, emit, () => {
      this.#inflows.delete(inflow);
      counters.add(END_CELL.connections, -1);
      tell({ event: "disconnected", end, peer });
    });
    this.#inflows.add(inflow);
    if (!this.#paused) inflow.resume();
  }
}
