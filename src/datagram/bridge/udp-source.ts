/** Datagrams that come to a port of this machine, or to a multicast group. */
import { isIPv6 } from "../../net/address.ts";
import { asSocketError, SocketError } from "../../net/errors.ts";
import { isMulticast } from "../../net/multicast.ts";
import type { Chunk, DatagramSocket, Endpoint, Membership } from "../../net/runtime.ts";
import type { EndShare, Source, SourceOwner } from "./end.ts";
import { END_CELL } from "./end-counters.ts";
import { endpointsOf } from "./names.ts";
import { formatRoute, type UdpRoute } from "./route-address.ts";
import { isAny } from "./route-relations.ts";

/** A socket, and what it has lost so far. */
interface Mouth {
  readonly socket: DatagramSocket;
  overrun: number;
}

export class UdpSource implements Source {
  readonly patient = false;
  #route: UdpRoute;
  readonly #share: EndShare;
  readonly #owner: SourceOwner;
  readonly #mouths: Mouth[] = [];
  /** Of a group: the interfaces it is joined on, and whether it still is. */
  readonly #memberships = new Map<string, { readonly membership: Membership; joined: boolean }>();
  #looped = 0;
  #closing = false;

  constructor(route: UdpRoute, share: EndShare, owner: SourceOwner) {
    this.#route = route;
    this.#share = share;
    this.#owner = owner;
  }

  get address(): string {
    return formatRoute(this.#route);
  }

  async open(): Promise<void> {
    try {
      if (isMulticast(this.#route.host)) await this.#openGroup();
      else for (const at of await endpointsOf(this.#share.runtime, this.#route)) await this.#openPort(at);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  pause(): void {
    for (const { socket } of this.#mouths) socket.pause();
  }

  resume(): void {
    for (const { socket } of this.#mouths) socket.resume();
  }

  tend(): void {
    const { counters, tell } = this.#share;
    const end = this.address;
    for (const mouth of this.#mouths) {
      const { overrun } = mouth.socket;
      if (overrun > mouth.overrun) tell({ event: "lost", end, reason: "overrun", count: overrun - mouth.overrun });
      counters.add(END_CELL.overrun, overrun - mouth.overrun);
      mouth.overrun = overrun;
    }
    if (this.#looped > 0) tell({ event: "looped", end, count: this.#looped });
    this.#looped = 0;
    if (!this.#closing) this.#watchMemberships();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.tend();
    const closed = this.#mouths.splice(0).map(({ socket }) => {
      return new Promise<void>((resolve) => {
        socket.on({ message() {}, close: () => resolve() });
        socket.close();
      });
    });
    await Promise.all(closed);
  }

  async #openPort(at: Endpoint): Promise<void> {
    const { counters, config } = this.#share;
    const owner = this.#owner;
    // A name with several addresses has one port on all of them.
    const port = this.#route.port || (this.#mouths[0]?.socket.local.port ?? 0);
    // Where the runtime cannot switch IP_MULTICAST_ALL off (ip(7)), a socket on all addresses hears every group that
    // anybody on this machine has joined.
    const hearsGroups = isAny(at.host) && config.to.some((sink) => sink.kind === "udp" && isMulticast(sink.host));
    const socket = await this.#open({ ...at, port }, (chunk, from) => {
      if (hearsGroups && this.#isOwn(from)) return;
      counters.passed(chunk.length);
      owner.datagram(chunk);
    });
    if (this.#mouths.length === 1) this.#route = { ...this.#route, port: socket.local.port };
  }

  async #openGroup(): Promise<void> {
    const { counters, runtime } = this.#share;
    const owner = this.#owner;
    const { host: group, port, source, interface: name } = this.#route;
    const socket = await this.#open(
      { host: boundTo(group), port },
      (chunk, from) => {
        if (this.#isOwn(from)) return;
        counters.passed(chunk.length);
        owner.datagram(chunk);
      },
      true,
    );
    this.#route = { ...this.#route, port: socket.local.port };
    const names = name === "*" ? runtime.interfaces().map((each) => each.name) : [name];
    const failures: SocketError[] = [];
    for (const each of names) {
      const membership = { group, source, interface: each };
      try {
        socket.join(membership);
        this.#memberships.set(each ?? "", { membership, joined: true });
      } catch (error) {
        failures.push(asSocketError(error));
      }
    }
    // Of all interfaces some cannot do it, such as those that are down.
    const failure = this.#memberships.size === 0 ? (failures[0] ?? nowhere(this.address)) : undefined;
    if (failure)
      throw new SocketError(failure.code, `Cannot join ${this.address}: ${failure.message}`, { cause: failure });
  }

  /** It has come back, which is counted. */
  #isOwn({ host, port }: Endpoint): boolean {
    if (!this.#owner.sentFrom(host, port)) return false;
    this.#looped++;
    this.#share.counters.add(END_CELL.looped, 1);
    return true;
  }

  async #open(at: Endpoint, message: (chunk: Chunk, from: Endpoint) => void, shared = false): Promise<DatagramSocket> {
    const { runtime, config } = this.#share;
    const socket = await runtime.datagram(at, { receiveBuffer: config.receiveBuffer, shared });
    socket.on({ message, close: (error) => this.#broke(error) });
    this.#mouths.push({ socket, overrun: 0 });
    return socket;
  }

  #broke(error: SocketError | undefined): void {
    if (this.#closing || !error) return;
    this.#share.counters.add(END_CELL.failures, 1);
    this.#share.tell({ event: "source_lost", end: this.address, why: error.message });
  }

  /** Interfaces go, with what was joined on them, and come back without. */
  #watchMemberships(): void {
    const socket = this.#mouths[0]?.socket;
    if (!socket || this.#memberships.size === 0) return;
    if (this.#route.interface === "*") {
      for (const { name } of this.#share.runtime.interfaces()) {
        const { host: group, source } = this.#route;
        const membership = { group, source, interface: name };
        if (!this.#memberships.has(name)) this.#memberships.set(name, { membership, joined: false });
      }
    }
    for (const each of this.#memberships.values()) {
      if (socket.joined(each.membership) !== false) continue;
      this.#rejoin(socket, each);
    }
  }

  #rejoin(socket: DatagramSocket, each: { readonly membership: Membership; joined: boolean }): void {
    const { tell, counters } = this.#share;
    const end = formatRoute({
      ...this.#route,
      ...(each.membership.interface ? { interface: each.membership.interface } : {}),
    });
    try {
      socket.leave(each.membership);
      socket.join(each.membership);
      each.joined = true;
      tell({ event: "joined", end });
    } catch (error) {
      if (each.joined) tell({ event: "left", end, why: asSocketError(error).message });
      each.joined = false;
      counters.add(END_CELL.failures, 1);
    }
  }
}

/** Bound to the group, a socket gets nothing else; the kernel wants to know the link of one that is local to it. */
function boundTo(group: string): string {
  return isIPv6(group) ? "::" : group;
}

function nowhere(address: string): SocketError {
  return new SocketError("ENODEV", `there is no interface to join ${address} on (ENODEV)`);
}
