/** A proxy: one listening address, its target, and the sessions between them. */
import type { ProxyConfig } from "../config/config.ts";
import { CELL, Counters } from "../metrics/counters.ts";
import { FAILURES } from "../metrics/reason.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { Listener, Runtime, StreamSocket } from "../net/runtime.ts";
import { type DescriptorBudget, descriptorBudget } from "./descriptors.ts";
import type { Connection, ConnectionRecord } from "./record.ts";
import type { Role } from "./relay.ts";
import { Session, type SessionOwner } from "./session.ts";

/** Connections waiting in the kernel for accept; it cuts this down to net.core.somaxconn. */
const BACKLOG = 4_096;

export interface ProxyEvents {
  opened?(connection: Connection): void;
  /** The connection was relayed and is over. */
  closed?(record: ConnectionRecord, error: Error | undefined): void;
  /** The client could not be given a target; `record.reason` says why. */
  failed?(record: ConnectionRecord, error: Error | undefined): void;
  /** Each read; the data path is slower while somebody wants this. */
  read?(connection: Connection, from: Role, bytes: number): void;
}

let lastId = 0;

export class RunningProxy implements SessionOwner {
  readonly runtime: Runtime;
  readonly config: ProxyConfig;
  readonly counters: Counters;
  readonly read: SessionOwner["read"];
  readonly #target: Address;
  readonly #watchers: readonly ProxyEvents[];
  readonly #sessions = new Set<Session>();
  readonly #budget: DescriptorBudget;
  readonly #idle: (() => void)[] = [];
  #listener: Listener | undefined;
  #draining = false;

  /** Starts listening. Rejects with a `SocketError` that names the address. */
  static async open(runtime: Runtime, config: ProxyConfig, ...watchers: ProxyEvents[]): Promise<RunningProxy> {
    const proxy = new RunningProxy(runtime, config, watchers);
    const { noDelay, keepAlive, buffer } = config;
    const options = { noDelay, keepAlive, buffer, backlog: BACKLOG };
    proxy.#listener = await runtime.listen(config.listen, options, (socket) => proxy.#accept(socket));
    proxy.#budget.join(proxy.#listener);
    return proxy;
  }

  private constructor(runtime: Runtime, config: ProxyConfig, watchers: readonly ProxyEvents[]) {
    const [target] = config.targets;
    if (!target) throw new Error(`proxy ${config.name} has no target`);
    this.runtime = runtime;
    this.config = config;
    this.counters = new Counters(config.name, formatAddress(target));
    this.#target = target;
    this.#watchers = watchers;
    this.#budget = descriptorBudget(runtime);
    const readers = watchers.filter((watcher) => watcher.read);
    if (readers.length > 0) {
      this.read = (session, from, bytes) => {
        for (const reader of readers) reader.read?.(session.connection, from, bytes);
      };
    }
  }

  /** The address really bound. */
  get address(): Address {
    return this.#listener?.address ?? this.config.listen;
  }

  /** Not listening any more; live connections may still be finishing. */
  get draining(): boolean {
    return this.#draining;
  }

  get connections(): Connection[] {
    return Array.from(this.#sessions, (session) => session.connection);
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
    if (this.#watchers.length > 0) this.#report(session);
    if (this.#sessions.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #accept(socket: StreamSocket): void {
    const fits = this.#budget.take();
    this.counters.add(CELL.connections, 1);
    this.counters.add(CELL.active, 1);
    const session = new Session(++lastId, this, socket, this.#target, this.counters);
    this.#sessions.add(session);
    for (const watcher of this.#watchers) watcher.opened?.(session.connection);
    if (fits) session.start();
    else session.cut("no_descriptors");
  }

  #report(session: Session): void {
    const { record } = session;
    const failed = FAILURES.includes(record.reason);
    for (const watcher of this.#watchers) {
      if (failed) watcher.failed?.(record, session.error);
      else watcher.closed?.(record, session.error);
    }
  }

  async #stopListening(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    if (!this.#listener) return;
    this.#budget.leave(this.#listener);
    await this.#listener.close();
  }
}
