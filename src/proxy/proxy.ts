/** A proxy: one listening address, its target, and the sessions between them. */
import { Access } from "../admit/access.ts";
import type { ProxyConfig } from "../config/config.ts";
import { CELL, Counters } from "../metrics/counters.ts";
import { FAILURES } from "../metrics/reason.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { ConnectOptions, Listener, ListenOptions, Runtime, StreamSocket } from "../net/runtime.ts";
import type { ConnectionList, ProxyControl } from "./control.ts";
import { type DescriptorBudget, descriptorBudget } from "./descriptors.ts";
import type { Connection, ConnectionRecord } from "./record.ts";
import type { Role } from "./relay.ts";
import { Session, type SessionOwner } from "./session.ts";

/** Connections waiting in the kernel for accept; it cuts this down to net.core.somaxconn. */
const BACKLOG = 4_096;

/** What a proxy tells; whatever nobody asks for costs nothing. */
export interface ProxyEvents {
  opened?: ((connection: Connection) => void) | undefined;
  /** The connection was relayed and is over. */
  closed?: ((record: ConnectionRecord, failure: Failure | undefined) => void) | undefined;
  /** The client could not be given a target; `record.reason` says why. */
  failed?: ((record: ConnectionRecord, failure: Failure | undefined) => void) | undefined;
  /** A bug in weir has ended the connection; `closed` follows. */
  broken?: ((record: ConnectionRecord, failure: Failure | undefined) => void) | undefined;
  /** Each read; the data path is slower while somebody wants this. */
  read?: ((connection: Connection, from: Role, bytes: number) => void) | undefined;
}

/** The error behind a record. */
export interface Failure {
  readonly message: string;
  readonly stack?: string | undefined;
}

/** What one thread needs to know when proxies run in several. */
export interface Share {
  /** A new id, unique among the connections of the process. */
  readonly nextId: () => number;
  /** Where it counts. */
  readonly cells?: Float64Array;
  /** How it comes to its listener, which somebody else has opened. */
  readonly listen?: Runtime["listen"];
}

let lastId = 0;
const ALONE: Share = { nextId: () => ++lastId };

/** How `config` listens. */
export function listenOptions({ noDelay, keepAlive, buffer }: ProxyConfig): ListenOptions {
  return { noDelay, keepAlive, buffer, backlog: BACKLOG };
}

export class RunningProxy implements SessionOwner, ProxyControl {
  readonly runtime: Runtime;
  readonly config: ProxyConfig;
  readonly counters: Counters;
  readonly connectOptions: ConnectOptions;
  readonly read: SessionOwner["read"];
  readonly #target: Address;
  readonly #events: ProxyEvents;
  readonly #nextId: () => number;
  readonly #sessions = new Set<Session>();
  readonly #budget: DescriptorBudget;
  /** Unless everybody is welcome. */
  readonly #access: Access | undefined;
  readonly #idle: (() => void)[] = [];
  #listener: Listener | undefined;
  #draining = false;

  /** Starts listening. Rejects with a `SocketError` that names the address. */
  static async open(
    runtime: Runtime,
    config: ProxyConfig,
    events: ProxyEvents = {},
    share: Share = ALONE,
  ): Promise<RunningProxy> {
    const proxy = new RunningProxy(runtime, config, events, share);
    const options = { ...listenOptions(config), exhausted: () => proxy.#budget.exhausted() };
    const listen = share.listen ?? runtime.listen;
    proxy.#listener = await listen(config.listen, options, (socket) => proxy.#accept(socket));
    proxy.#budget.join(proxy.#listener);
    return proxy;
  }

  private constructor(runtime: Runtime, config: ProxyConfig, events: ProxyEvents, { nextId, cells }: Share) {
    const [target] = config.targets;
    if (!target) throw new Error(`proxy ${config.name} has no target`);
    this.runtime = runtime;
    this.config = config;
    this.counters = new Counters(config.name, formatAddress(target), cells);
    const { noDelay, keepAlive, buffer, timeouts, source } = config;
    this.connectOptions = { noDelay, keepAlive, buffer, timeout: timeouts.connect, source: source ?? undefined };
    this.#target = target;
    this.#events = events;
    this.#nextId = nextId;
    this.#budget = descriptorBudget(runtime);
    const access = new Access(config);
    if (access.active) this.#access = access;
    const { read } = events;
    if (read) this.read = (session, from, bytes) => read(session.connection, from, bytes);
  }

  /** The address really bound. */
  get address(): Address {
    return this.#listener?.address ?? this.config.listen;
  }

  /** Not listening any more; live connections may still be finishing. */
  get draining(): boolean {
    return this.#draining;
  }

  async connections(limit: number): Promise<ConnectionList> {
    const connections: Connection[] = [];
    for (const session of this.#sessions) {
      if (connections.length === limit) break;
      connections.push(session.connection);
    }
    return { total: this.#sessions.size, connections };
  }

  /** Stops listening. Resolves when the last connection has ended. */
  async drain(): Promise<void> {
    await this.#stopListening();
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends every connection with RST, now. */
  cut(): void {
    for (const session of this.#sessions) session.cut("shutdown");
  }

  sessionEnded(session: Session): void {
    this.#sessions.delete(session);
    this.counters.add(CELL.active, -1);
    if (session.reason === "no_descriptors") this.#budget.exhausted();
    this.#budget.give();
    this.#report(session);
    if (this.#sessions.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #accept(socket: StreamSocket): void {
    const fits = this.#budget.take();
    this.counters.add(CELL.connections, 1);
    this.counters.add(CELL.active, 1);
    const session = new Session(this.#nextId(), this, socket, this.#target, this.counters);
    this.#sessions.add(session);
    this.#events.opened?.(session.connection);
    const verdict = this.#access?.judge(socket.remote);
    if (!fits) session.cut("no_descriptors");
    else if (verdict && !verdict.allowed) session.refuse(verdict.rule);
    else session.start();
  }

  #report(session: Session): void {
    const { reason } = session;
    const { closed, failed, broken } = this.#events;
    if (broken && reason === "internal_error") broken(session.record, rootOf(session.error));
    const tell = FAILURES.includes(reason) ? failed : closed;
    tell?.(session.record, session.error);
  }

  async #stopListening(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    if (!this.#listener) return;
    this.#budget.leave(this.#listener);
    await this.#listener.close();
  }
}

/** What was thrown in the first place. */
function rootOf(error: Error | undefined): Error | undefined {
  return error?.cause instanceof Error ? error.cause : error;
}
