/** A proxy in one thread: one listening address, its targets, and the sessions between them. */
import type { GroupEvents } from "../balance/group.ts";
import type { Pool } from "../balance/pool.ts";
import type { Target, TargetShare } from "../balance/target.ts";
import type { ProxyConfig } from "../config/config.ts";
import type { FaultConfig } from "../filter/faults/fault.ts";
import { CELL, Counters } from "../metrics/counters.ts";
import { FAILURES } from "../metrics/reason.ts";
import { Multiplexer } from "../mux/multiplexer.ts";
import type { MuxEvents } from "../mux/mux-events.ts";
import type { Address } from "../net/address.ts";
import type { SocketError } from "../net/errors.ts";
import type { Connecting, Listener, ListenOptions, Runtime, StreamSocket } from "../net/runtime.ts";
import type { TlsEvents } from "../tls/keeper.ts";
import type { ConnectionList } from "./control.ts";
import { type DescriptorBudget, descriptorBudget } from "./descriptors.ts";
import { Entrance, type EntranceMemory } from "./entrance.ts";
import { handshakeRecord } from "./handshake.ts";
import type { ObserverMemory, OnlookerEvents } from "./onlookers.ts";
import { Processing, type ProcessingShare } from "./processing.ts";
import type { Connection, ConnectionRecord } from "./record.ts";
import { Rules } from "./rules.ts";
import { Session } from "./session.ts";
import type { SessionOwner } from "./session-owner.ts";
import type { Role } from "./side.ts";
import type { SessionSteps } from "./steps.ts";

/** Connections waiting in the kernel for accept; it cuts this down to net.core.somaxconn. */
const BACKLOG = 4_096;

/** What a proxy tells; whatever nobody asks for costs nothing. */
export interface ProxyEvents extends OnlookerEvents {
  opened?: ((connection: Connection) => void) | undefined;
  /** The connection was relayed and is over. */
  closed?: ((record: ConnectionRecord, failure: Failure | undefined) => void) | undefined;
  /** The client could not be given a target; `record.reason` says why. */
  failed?: ((record: ConnectionRecord, failure: Failure | undefined) => void) | undefined;
  /** A bug in weir has ended the connection; `closed` follows. */
  broken?: ((record: ConnectionRecord, failure: Failure | undefined) => void) | undefined;
  /** What becomes of targets; told by the control plane. */
  targets?: Omit<GroupEvents, "changed"> | undefined;
  /** What becomes of connections that clients share. */
  mux?: MuxEvents | undefined;
  /** What becomes of certificates. */
  tls?: TlsEvents | undefined;
  /** Each read; the data path is slower while somebody wants this. */
  read?: ((connection: Connection, from: Role, bytes: number) => void) | undefined;
}

/** The error behind a record. */
export interface Failure {
  readonly message: string;
  readonly stack?: string | undefined;
}

/** What one thread of a proxy works with; the memory is that of all its threads. */
export interface Share extends ProcessingShare {
  /** A new id, unique among the connections of the process. */
  readonly nextId: () => number;
  /** Where it counts what concerns no target; its own. */
  readonly cells: Float64Array;
  /** Which thread it is, of how many. */
  readonly worker: number;
  readonly workers: number;
  readonly memory: EntranceMemory;
  readonly targets: readonly TargetShare[];
  /** Tells the other threads that there may be room for connections that wait. */
  readonly nudge: () => void;
  /** How it comes to its listener, or to the socket where its datagrams come in. */
  readonly listen: Runtime["listen"];
  readonly datagram: Runtime["datagram"];
}

/** A proxy for connections. */
type StreamConfig = ProxyConfig & { readonly listen: Address };

/** How `config` listens. */
export function listenOptions({ noDelay, keepAlive, buffer, reusePort }: ProxyConfig): ListenOptions {
  return { noDelay, keepAlive, buffer, reusePort, backlog: BACKLOG };
}

/** The core of a proxy in one thread. */
export class RunningProxy implements SessionOwner {
  readonly runtime: Runtime;
  readonly front: Counters;
  readonly read: SessionOwner["read"];
  readonly #entrance: Entrance;
  readonly #processing: Processing;
  readonly #mux: Multiplexer | undefined;
  readonly #events: ProxyEvents;
  readonly #nextId: () => number;
  readonly #sessions = new Map<number, Session>();
  readonly #budget: DescriptorBudget;
  /** Nobody wants to hear of connections that are shut out. */
  readonly #quiet: boolean;
  readonly #idle: (() => void)[] = [];
  /** Resolves when it no longer listens. */
  readonly stopped: Promise<void>;
  #resolveStopped: () => void = () => {};
  #rules: Rules;
  readonly #listen: Address;
  #listener: Listener | undefined;
  #draining = false;
  #cutting = false;

  /** Starts listening. Rejects with a `SocketError` that names the address. */
  static async open(runtime: Runtime, config: StreamConfig, events: ProxyEvents, share: Share): Promise<RunningProxy> {
    const proxy = new RunningProxy(runtime, config, events, share);
    const options: ListenOptions = {
      ...listenOptions(config),
      exhausted: () => proxy.#budget.exhausted(),
      handshakeFailed: (error, remote) => proxy.#handshakeFailed(error, remote),
    };
    proxy.#listener = await share.listen(config.listen, options, (socket) => proxy.#accept(socket));
    proxy.#budget.join(proxy.#listener);
    proxy.#mux?.retarget(proxy.pool.targets);
    return proxy;
  }

  private constructor(runtime: Runtime, config: StreamConfig, events: ProxyEvents, share: Share) {
    // A socket that stands for a shared connection is none that an adapter could move bytes to.
    const { link: _, ...unlinked } = runtime;
    this.runtime = config.mux ? unlinked : runtime;
    this.front = new Counters(config.name, "", share.cells);
    this.#rules = new Rules(config);
    this.#listen = config.listen;
    this.#events = events;
    this.#quiet = !events.opened && !events.failed;
    this.#nextId = share.nextId;
    this.#budget = descriptorBudget(runtime);
    this.#processing = new Processing(runtime, config, share, events);
    this.#entrance = new Entrance(runtime, config, this.front, share, share.nudge);
    if (config.mux) {
      const seed = runtime.wallClock() + share.worker;
      this.#mux = new Multiplexer(runtime, config.mux, this.#rules.connectOptions, seed, events.mux);
    }
    this.pool.replace(share.targets);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    const { read } = events;
    if (read) this.read = (session, from, bytes) => read(session.connection, from, bytes);
  }

  get pool(): Pool {
    return this.#entrance.pool;
  }

  /** The address really bound. */
  get address(): Address {
    return this.#listener?.address ?? this.#listen;
  }

  /** Not listening any more; live connections may still be finishing. */
  get draining(): boolean {
    return this.#draining;
  }

  async connections(limit: number): Promise<ConnectionList> {
    const connections: Connection[] = [];
    for (const session of this.#sessions.values()) {
      if (connections.length === limit) break;
      connections.push(session.connection);
    }
    return { total: this.#sessions.size, connections };
  }

  /** Ends one connection with RST; false: it is not here. */
  close(id: number): boolean {
    const session = this.#sessions.get(id);
    session?.cut("closed_by_admin");
    return session !== undefined;
  }

  /**
   * Other rules for the connections to come, and the memory that goes with them; those that live keep theirs. Other
   * faults hold for all of them.
   */
  configure(
    config: ProxyConfig,
    memory: EntranceMemory,
    observers: ObserverMemory,
    targets: readonly TargetShare[],
    scripts?: ProcessingShare["scripts"],
  ): void {
    this.#rules = new Rules(config);
    if (config.mux) this.#mux?.configure(config.mux, this.#rules.connectOptions);
    this.#entrance.configure(config, memory);
    // Together: for whom targets are, and the targets.
    this.retarget(targets);
    if (!this.#processing.configure(config, observers, scripts)) return;
    for (const session of this.#sessions.values()) session.refault(config.faults);
  }

  get faults(): readonly FaultConfig[] {
    return this.#processing.faults;
  }

  steps(session: Session): SessionSteps | undefined {
    // Who gets a place because others are cut is cut next.
    return this.#cutting ? undefined : this.#processing.steps(session);
  }

  /** Other targets for the connections to come. */
  retarget(targets: readonly TargetShare[]): void {
    this.pool.replace(targets);
    this.#mux?.retarget(this.pool.targets);
    this.#entrance.nudged();
  }

  /** There may be room for a connection that waits here. */
  nudged(): void {
    this.#entrance.nudged();
  }

  /** Accepts who waits in the kernel's queue and stops listening. Resolves when the last connection has ended. */
  async drain(): Promise<void> {
    await this.#stopListening();
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#mux?.close();
    await this.#processing.stop();
  }

  /** Ends every connection with RST, now, and those that still come. */
  cut(): void {
    this.#cutting = true;
    this.#processing.cut();
    for (const session of this.#sessions.values()) session.cut("shutdown");
    this.#mux?.abort();
  }

  lateSteps(session: Session): SessionSteps {
    return this.#processing.lateSteps(session);
  }

  arrived(session: Session): void {
    this.#events.opened?.(session.connection);
    if (session.over) return;
    const down = this.#processing.down(session.place.ordinal);
    if (down) session.cut("fault", down);
    else this.#entrance.enter(session);
  }

  greeted(session: Session): void {
    if (!session.over) this.#entrance.seat(session);
  }

  outwaited(session: Session): void {
    this.#entrance.outwaited(session);
  }

  connect(target: Target, session: Session): Connecting {
    if (this.#mux) return this.#mux.connect(target, session, this.pool.targets.length === 1);
    return this.runtime.connect(target.address, session.rules.connectOptions);
  }

  freed(): void {
    this.#entrance.freed();
  }

  sessionEnded(session: Session): void {
    this.#sessions.delete(session.id);
    this.front.add(CELL.active, -1);
    this.#entrance.leave(session);
    if (session.reason === "no_descriptors") this.#budget.exhausted();
    this.#budget.give(session.place.weight);
    this.#report(session);
    if (this.#sessions.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #accept(socket: StreamSocket): void {
    if (this.#quiet && this.#entrance.turnsAway(socket, this.#rules)) return;
    const place = this.#processing.place();
    const fits = this.#budget.take(place.weight);
    this.front.add(CELL.connections, 1);
    this.front.add(CELL.active, 1);
    if (socket.tls) this.front.add(socket.tls.version === "TLSv1.2" ? CELL.handshakes12 : CELL.handshakes13, 1);
    const session = new Session(this.#nextId(), this, this.#rules, socket, place);
    this.#sessions.set(session.id, session);
    try {
      if (this.#cutting) session.cut("shutdown");
      else if (fits) session.start();
      else session.cut("no_descriptors");
    } catch (cause) {
      session.failed(cause);
    }
  }

  /** A client that was lost before it was one: there is no session, but everybody is told the same. */
  #handshakeFailed(error: SocketError, remote: Address): void {
    const record = handshakeRecord(this.#nextId(), this.#rules.config.name, error, remote, this.runtime.wallClock());
    this.front.add(CELL.connections, 1);
    this.front.ended(record.reason, 0);
    this.#events.opened?.({ ...record, state: "waiting" });
    this.#events.failed?.(record, error);
  }

  #report(session: Session): void {
    const { reason } = session;
    const { closed, failed, broken } = this.#events;
    if (broken && reason === "internal_error") broken(session.record, rootOf(session.error));
    const tell = FAILURES.includes(reason) ? failed : closed;
    tell?.(session.record, session.error);
  }

  async #stopListening(): Promise<void> {
    if (this.#draining) return await this.stopped;
    this.#draining = true;
    if (!this.#listener) return;
    await this.#listener.close();
    // Not before: who waited counts as well, and a full process leaves the rest.
    this.#budget.leave(this.#listener);
    this.#resolveStopped();
  }
}

/** What was thrown in the first place. */
function rootOf(error: Error | undefined): Error | undefined {
  return error?.cause instanceof Error ? error.cause : error;
}
