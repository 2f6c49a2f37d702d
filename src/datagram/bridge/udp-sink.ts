/** A destination that gets each datagram as it is: an address, or all members of a multicast group. */
import { anyAddress, isIPv6 } from "../../net/address.ts";
import { isMulticast } from "../../net/multicast.ts";
import type { Chunk, DatagramSocket, Endpoint } from "../../net/runtime.ts";
import type { EndShare, Sink, SinkOwner } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import { endpointsOf } from "./names.ts";
import { formatRoute, type UdpRoute } from "./route-address.ts";

/** A way to it: for a group that goes out by all interfaces, one for each of them. */
interface Way {
  readonly socket: DatagramSocket;
  readonly to: Endpoint;
  /** The kernel takes no more now. */
  full: boolean;
  unsent: number;
  refused: number;
}

export class UdpSink implements Sink {
  readonly address: string;
  readonly #route: UdpRoute;
  readonly #share: EndShare;
  readonly #owner: SinkOwner;
  #ways: readonly Way[] = [];
  #finished: Promise<void> | undefined;

  constructor(route: UdpRoute, share: EndShare, owner: SinkOwner) {
    this.#owner = owner;
    this.#route = route;
    this.#share = share;
    this.address = formatRoute(route);
  }

  get ports(): readonly number[] {
    return this.#ways.map(({ socket }) => socket.local.port);
  }

  async open(): Promise<void> {
    const [to] = await endpointsOf(this.#share.runtime, this.#route);
    if (!to) return;
    const ways: Way[] = [];
    this.#ways = ways;
    for (const name of this.#interfaces()) ways.push(await this.#way(to, name));
  }

  send(chunk: Chunk): void {
    this.#share.counters.passed(chunk.length);
    for (const way of this.#ways) {
      way.socket.send(chunk, way.to);
      if (way.socket.full && !way.full) this.#full(way, true);
    }
  }

  tend(): void {
    const { counters, tell } = this.#share;
    for (const way of this.#ways) {
      const { unsent, refused } = way.socket;
      if (unsent > way.unsent) tell({ event: "lost", end: this.address, reason: "unsent", count: unsent - way.unsent });
      counters.add(END_CELL.unsent, unsent - way.unsent);
      counters.add(END_CELL.refused, refused - way.refused);
      way.unsent = unsent;
      way.refused = refused;
    }
  }

  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  /** It never lasts: what sources still bring until they are closed goes out. */
  cut(): void {}

  async #finish(): Promise<void> {
    const closed = this.#ways.map(({ socket }) => {
      return new Promise<void>((resolve) => {
        socket.on({ message() {}, close: () => resolve() });
        socket.close();
      });
    });
    await Promise.all(closed);
    this.tend();
    this.#ways = [];
  }

  #full(way: Way, full: boolean): void {
    if (way.full === full) return;
    way.full = full;
    if (full) this.#owner.slow();
    else this.#owner.swift();
  }

  /** The interfaces to send from; undefined: the kernel's choice. */
  #interfaces(): readonly (string | undefined)[] {
    const { config, runtime } = this.#share;
    if (!isMulticast(this.#route.host)) return [undefined];
    const name = this.#route.interface ?? config.multicast.interface ?? undefined;
    return name === "*" ? runtime.interfaces().map((each) => each.name) : [name];
  }

  async #way(to: Endpoint, name: string | undefined): Promise<Way> {
    const { config, runtime } = this.#share;
    const group = isMulticast(to.host);
    const { ttl, loopback } = config.multicast;
    const socket = await runtime.datagram(
      { host: anyAddress(to.host), port: 0 },
      {
        receiveBuffer: 0,
        ...(group ? { multicast: { ttl, loopback, interface: name } } : { remote: to }),
      },
    );
    // The kernel wants to know the link of a group that is local to it (RFC 4007, section 6).
    const zone = group && isIPv6(to.host) && name !== undefined && !isIPv6(name) ? `%${name}` : "";
    const way = { socket, to: { ...to, host: `${to.host}${zone}` }, full: false, unsent: 0, refused: 0 };
    socket.on({ message() {}, drain: () => this.#full(way, false), close: () => this.#full(way, false) });
    socket.resume();
    return way;
  }
}
