/**
 * A UDP proxy in one thread: the socket that listens, and a session for each client address. It appears as a proxy for
 * connections does, and a session as a connection.
 */
import { Pool } from "../../balance/pool.ts";
import type { Target, TargetShare } from "../../balance/target.ts";
import type { ProxyConfig } from "../../config/config.ts";
import { same } from "../../config/same.ts";
import { hits } from "../../filter/faults/fault.ts";
import { CELL, Counters } from "../../metrics/counters.ts";
import { FAILURES } from "../../metrics/reason.ts";
import type { UdpAddress } from "../../net/address.ts";
import type { Chunk, DatagramOptions, DatagramSocket, Endpoint, Runtime, Timer } from "../../net/runtime.ts";
import type { ConnectionList } from "../../proxy/control.ts";
import { type DescriptorBudget, descriptorBudget } from "../../proxy/descriptors.ts";
import { Door } from "../../proxy/door.ts";
import type { EntranceMemory } from "../../proxy/entrance.ts";
import type { ObserverMemory } from "../../proxy/onlookers.ts";
import type { ProxyEvents, Share } from "../../proxy/proxy.ts";
import type { Connection } from "../../proxy/record.ts";
import { Rules } from "../../proxy/rules.ts";
import { chanceOf } from "../../proxy/steps.ts";
import { IdleList } from "./idle-list.ts";
import { UdpSession } from "./session.ts";
import type { SessionOwner } from "./session-owner.ts";
import { SessionTable } from "./session-table.ts";

/** Kernel buffers of the socket that listens, for all clients: bursts wait there while others have their turn. */
export const LISTENING: DatagramOptions = { receiveBuffer: 4 << 20, sendBuffer: 4 << 20 };
/** Milliseconds between two looks at what sockets have lost, as long as there is something going on. */
const LOOK = 1_000;

const NOBODY: readonly never[] = [];

type UdpConfig = ProxyConfig & { readonly listen: UdpAddress };

export class RunningRelay implements SessionOwner {
  readonly runtime: Runtime;
  readonly front: Counters;
  readonly read: SessionOwner["read"];
  /** Resolves when its address is free: sessions that live are answered from there. */
  readonly stopped: Promise<void>;
  readonly #events: ProxyEvents;
  readonly #nextId: () => number;
  readonly #ordinals: Int32Array;
  readonly #pool: Pool;
  readonly #door: Door;
  readonly #budget: DescriptorBudget;
  readonly #socket: DatagramSocket;
  readonly #table = new SessionTable<UdpSession>();
  /** By their ids, in the order of their beginning. */
  readonly #sessions = new Map<number, UdpSession>();
  /** One for each idle timeout that sessions have; new ones are in the last. */
  #lists: readonly IdleList<UdpSession>[] = [];
  /** Sockets of sessions that are open or will be. */
  #sockets = 0;
  #rules: Rules;
  #draining = false;
  #cutting = false;
  #closed = false;
  #looking: Timer | undefined;
  #unsentSeen = 0;
  #overrunSeen = 0;
  #resolveStopped: () => void = () => {};
  #resolveDrained: () => void = () => {};
  readonly #drained = new Promise<void>((resolve) => {
    this.#resolveDrained = resolve;
  });

  /** Starts listening. Rejects with a `SocketError` that names the address. */
  static async open(runtime: Runtime, config: UdpConfig, events: ProxyEvents, share: Share): Promise<RunningRelay> {
    const { host, port } = config.listen;
    return new RunningRelay(runtime, config, events, share, await share.datagram({ host, port }, LISTENING));
  }

  private constructor(runtime: Runtime, config: UdpConfig, events: ProxyEvents, share: Share, socket: DatagramSocket) {
    this.runtime = runtime;
    this.front = new Counters(config.name, "", share.cells);
    this.#events = events;
    this.#nextId = share.nextId;
    this.#ordinals = new Int32Array(share.memory.ordinals);
    this.#rules = new Rules(config);
    this.#pool = new Pool(config.name, config, share.worker, () => runtime.wallClock());
    this.#pool.replace(share.targets);
    this.#door = new Door(runtime, share);
    this.#door.configure(share.memory.sources);
    this.#budget = descriptorBudget(runtime);
    this.#socket = socket;
    // In the place of a thread that has died: what that one has lost is counted.
    this.#overrunSeen = socket.overrun;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const { read } = events;
    if (read) this.read = (session, from, bytes) => read(session.connection, from, bytes);
    socket.on({ message: (chunk, from) => this.#message(chunk, from), close: () => this.#socketClosed() });
    socket.resume();
  }

  get address(): UdpAddress {
    return { kind: "udp", ...this.local };
  }

  get local(): Endpoint {
    const { host, port } = this.#socket.local;
    return { host, port };
  }

  get draining(): boolean {
    return this.#draining;
  }

  get treatment(): SessionOwner["treatment"] {
    return this.#rules.config;
  }

  async connections(limit: number): Promise<ConnectionList> {
    const connections: Connection[] = [];
    for (const session of this.#sessions.values()) {
      if (connections.length === limit) break;
      connections.push(session.connection);
    }
    return { total: this.#sessions.size, connections };
  }

  /** Ends one session; false: it is not here. */
  close(id: number): boolean {
    const session = this.#sessions.get(id);
    session?.end("closed_by_admin");
    return session !== undefined;
  }

  /** Other rules for the sessions to come; those that live keep theirs, but for the faults. */
  configure(
    config: ProxyConfig,
    memory: EntranceMemory,
    _observers: ObserverMemory,
    targets: readonly TargetShare[],
  ): void {
    const before = this.#rules.config;
    this.#rules = new Rules(config);
    this.#pool.configure(config);
    this.#door.configure(memory.sources);
    this.retarget(targets);
    if (same(before.faults, config.faults) && before.seed === config.seed) return;
    for (const session of [...this.#sessions.values()]) session.refault();
  }

  retarget(targets: readonly TargetShare[]): void {
    this.#pool.replace(targets);
  }

  /** Nobody waits. */
  nudged(): void {}

  /**
   * No new sessions; resolves when the last one has ended, by being idle perhaps. Until then it goes on listening for
   * those that live.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#finish();
    await this.#drained;
  }

  cut(): void {
    this.#cutting = true;
    for (const session of [...this.#sessions.values()]) session.end("shutdown");
  }

  #message(chunk: Chunk, from: Endpoint): void {
    if (!this.#looking) this.#look();
    const session = this.#table.get(from);
    try {
      if (session?.forth(chunk)) return;
    } catch (cause) {
      session?.failed(cause);
      return;
    }
    this.#begin(chunk, from);
  }

  reply(chunk: Chunk, client: Endpoint): boolean {
    if (this.#closed) return false;
    this.#socket.send(chunk, client);
    return true;
  }

  another(session: UdpSession, tried: readonly Target[]): Target | undefined {
    const choice = this.#pool.choose(session, tried);
    return typeof choice === "string" ? undefined : choice;
  }

  ended(session: UdpSession): void {
    this.#sessions.delete(session.id);
    if (session.admitted) {
      this.#table.delete(session.client);
      session.list.remove(session);
    }
    this.#door.leave(session);
    this.front.add(CELL.active, -1);
    const { reason, record, error } = session;
    const { closed, failed, broken } = this.#events;
    if (broken && reason === "internal_error") broken(record, error?.cause instanceof Error ? error.cause : error);
    const tell = FAILURES.includes(reason) ? failed : closed;
    tell?.(record, error);
    if (this.#sessions.size === 0) this.#finish();
  }

  released(): void {
    this.#sockets--;
    this.#budget.give();
    this.#finish();
  }

  #begin(chunk: Chunk, from: Endpoint): void {
    if (this.#draining || this.#cutting) {
      this.#shutOut(chunk);
      return;
    }
    const ordinal = Atomics.add(this.#ordinals, 0, 1) + 1;
    const session = new UdpSession(this.#nextId(), ordinal, this, this.#rules, from, this.#list());
    this.front.add(CELL.connections, 1);
    this.front.add(CELL.active, 1);
    this.#sessions.set(session.id, session);
    this.#events.opened?.(session.connection);
    try {
      this.#admit(session, chunk);
    } catch (cause) {
      session.failed(cause);
    }
  }

  #admit(session: UdpSession, chunk: Chunk): void {
    const down = this.#down(session.ordinal);
    if (down !== undefined) {
      session.refuse("fault", chunk, down);
      return;
    }
    const denial = this.#door.against(session);
    if (denial) {
      this.front.denied(denial.by ?? "allow");
      session.refuse("denied", chunk, denial.rule);
      return;
    }
    const target = this.#pool.choose(session, NOBODY);
    // Nobody says of datagrams for whom targets are: the configuration has none that are for some alone.
    if (target === "none" || target === "unrouted") session.refuse("no_target", chunk);
    else if (target === "busy") session.refuse("queue_full", chunk, "targets are full");
    else if (!this.#makeRoom()) {
      target.give();
      session.refuse("no_descriptors", chunk);
    } else {
      this.#sockets++;
      this.#table.set(session.client, session);
      session.list.add(session);
      session.start(target);
      session.forth(chunk);
    }
  }

  /** Room for one more, at the cost of the idlest if need be. */
  #makeRoom(): boolean {
    const { maxConnections } = this.#rules.config;
    // The one that wants in is counted already.
    while (maxConnections > 0 && this.#sessions.size > maxConnections) {
      if (!this.#evict(`max_connections ${maxConnections}`)) break;
    }
    if (this.#budget.tryTake()) return true;
    // The descriptor of who has to go is free a moment later.
    this.#evict("there are no descriptors left");
    return this.#budget.tryTake();
  }

  #evict(rule: string): boolean {
    let idlest: UdpSession | undefined;
    for (const list of this.#lists) {
      const first = list.idlest;
      if (first && (!idlest || first.activeAt < idlest.activeAt)) idlest = first;
    }
    idlest?.end("evicted", rule);
    return idlest !== undefined;
  }

  /** The list for the sessions to come. */
  #list(): IdleList<UdpSession> {
    const { idle } = this.#rules.config.timeouts;
    const last = this.#lists.at(-1);
    if (last?.timeout === idle) return last;
    const list = new IdleList<UdpSession>(this.runtime, idle, (session) => session.end("idle_timeout"));
    this.#lists = [...this.#lists.filter(({ idlest }) => idlest !== undefined), list];
    return list;
  }

  /** The fault because of which a client gets no target: its service is down. */
  #down(ordinal: number): string | undefined {
    const { faults, seed } = this.#rules.config;
    const down = faults.find((fault) => {
      const { type, after, name } = fault;
      return type === "down" && after.bytes + after.time === 0 && hits(fault, chanceOf(seed, ordinal, name));
    });
    return down && `${down.name}: down`;
  }

  /** A datagram for which there is no session any more. */
  #shutOut({ length }: Chunk): void {
    this.front.add(CELL.datagramsUpstream, 1);
    this.front.add(CELL.bytesUpstream, length);
    this.front.add(CELL.unsentUpstream, 1);
    this.front.add(CELL.undeliveredUpstream, length);
  }

  /** Looks at the sockets from time to time, as long as there is something to see. */
  #look(): void {
    this.#looking = this.runtime.after(LOOK, () => {
      this.#looking = undefined;
      this.#tally();
      // Where nothing was sent lately there is nothing new, and each look may cost a system call.
      const lately = this.runtime.now() - 2 * LOOK;
      for (const session of [...this.#sessions.values()]) if (session.activeAt >= lately) session.poll();
      if (this.#sessions.size > 0) this.#look();
    });
  }

  /** Counts what the listening socket has lost since the last look. */
  #tally(): void {
    const { unsent, overrun } = this.#socket;
    this.front.add(CELL.unsentDownstream, unsent - this.#unsentSeen);
    this.front.add(CELL.overrunUpstream, overrun - this.#overrunSeen);
    this.#unsentSeen = unsent;
    this.#overrunSeen = overrun;
  }

  #finish(): void {
    if (!this.#draining || this.#sessions.size + this.#sockets > 0) return;
    if (this.#closed) this.#resolveDrained();
    else this.#socket.close();
  }

  #socketClosed(): void {
    this.#tally();
    this.#looking?.cancel();
    this.#closed = true;
    this.#draining = true;
    for (const session of [...this.#sessions.values()]) session.end("internal_error");
    this.#resolveStopped();
    this.#finish();
  }
}
