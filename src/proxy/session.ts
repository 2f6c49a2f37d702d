/** One client connection and its target connection: connect, relay, deadlines, and one record at the end. */
import type { ProxyConfig } from "../config/config.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import { connectReason, RETRIED, type Reason } from "../metrics/reason.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { SocketError } from "../net/errors.ts";
import type { Connecting, ConnectOptions, Runtime, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";
import type { Connection, ConnectionRecord } from "./record.ts";
import { Relay, type RelayOwner, type Role } from "./relay.ts";

/** Milliseconds before a target is tried again, doubled each time, up to the second. */
const RETRY_PAUSE = 100;
const RETRY_PAUSE_MAX = 1_000;

/** Milliseconds that a client gets to close its side when it is not let in with a FIN. */
const LINGER = 1_000;

/** What a session needs from the proxy it belongs to. */
export interface SessionOwner {
  readonly runtime: Runtime;
  readonly config: ProxyConfig;
  readonly connectOptions: ConnectOptions;
  sessionEnded(session: Session): void;
  readonly read: ((session: Session, from: Role, bytes: number) => void) | undefined;
}

export class Session implements StreamEvents, RelayOwner {
  readonly id: number;
  readonly counters: Counters;
  read: RelayOwner["read"];
  readonly #owner: SessionOwner;
  readonly #client: StreamSocket;
  readonly #target: Address;
  readonly #openedAt: number;
  readonly #openedWall: number;
  #connectedAt: number | undefined;
  #attempt: Connecting | undefined;
  #relay: Relay | undefined;
  #timer: Timer | undefined;
  /** A retry to come, or the end of a refusal. */
  #later: Timer | undefined;
  #retries = 0;
  #reason: Reason | undefined;
  #rule: string | undefined;
  #error: SocketError | undefined;
  #endedAt: number | undefined;
  /** `Relay.pending` when the timer was set. */
  #pending = 0;

  constructor(id: number, owner: SessionOwner, client: StreamSocket, target: Address, counters: Counters) {
    this.id = id;
    this.counters = counters;
    this.#owner = owner;
    this.#client = client;
    this.#target = target;
    this.#openedAt = owner.runtime.now();
    this.#openedWall = owner.runtime.wallClock();
    const { read } = owner;
    if (read) this.read = (from, bytes) => read(this, from, bytes);
    client.on(this);
  }

  start(): void {
    this.#dial();
    if (this.#owner.config.timeouts.lifetime > 0) this.#arm();
  }

  /** Does not let the client in. */
  refuse(rule: string): void {
    const { config, runtime } = this.#owner;
    this.#reason = "denied";
    this.#rule = rule;
    if (config.refuse === "reset") {
      this.#client.abort();
      return;
    }
    this.#client.end();
    this.#client.resume();
    this.#later = runtime.after(LINGER, () => this.#client.abort());
  }

  /** Ends the session now, whatever it is doing. */
  cut(reason: Reason): void {
    if (this.#relay) {
      this.#relay.cut(reason);
      return;
    }
    this.#reason ??= reason;
    this.#client.abort();
  }

  get connection(): Connection {
    const { client, target } = this.#relay ?? {};
    const connected = this.#connectedAt;
    return {
      id: this.id,
      proxy: this.counters.proxy,
      client: formatAddress(this.#client.remote),
      target: formatAddress(this.#target),
      state: this.#stateNow(),
      openedAt: new Date(this.#openedWall).toISOString(),
      duration: seconds((this.#endedAt ?? this.#owner.runtime.now()) - this.#openedAt),
      connectTime: connected === undefined ? null : seconds(connected - this.#openedAt),
      retries: this.#retries,
      bytesUpstream: client?.bytes ?? 0,
      bytesDownstream: target?.bytes ?? 0,
    };
  }

  /** Only once the session has ended. */
  get record(): ConnectionRecord {
    const relay = this.#relay;
    return {
      ...this.connection,
      reason: this.reason,
      rule: this.#rule ?? null,
      error: this.#error?.code ?? null,
      undeliveredUpstream: relay?.target.socket.buffered ?? 0,
      undeliveredDownstream: relay?.client.socket.buffered ?? 0,
    };
  }

  /** Why the session ended, or is about to. */
  get reason(): Reason {
    return this.#reason ?? "internal_error";
  }

  /** The error behind `record.error`, with its cause, for the log. */
  get error(): SocketError | undefined {
    return this.#error;
  }

  // While the target is being connected the client stays paused: its bytes and its FIN wait in the kernel,
  // and only a reset is heard.
  data(): void {}
  drain(): void {}
  end(): void {}
  close(error?: SocketError): void {
    this.#attempt?.cancel();
    this.#later?.cancel();
    this.#reason ??= "client_gone";
    this.#error ??= error;
    this.#finish();
  }

  relayed(reason: Reason, error: SocketError | undefined): void {
    this.#reason = reason;
    this.#error = error;
    this.#finish();
  }

  halfClosed(): void {
    this.#timer?.cancel();
    this.#arm();
  }

  #dial(): void {
    this.#attempt = this.#owner.runtime.connect(this.#target, this.#owner.connectOptions);
    this.#attempt.socket.then(
      (target) => this.#connected(target),
      (error) => this.#failed(error),
    );
  }

  #connected(target: StreamSocket): void {
    const { runtime, config } = this.#owner;
    if (this.#reason) {
      target.abort();
      return;
    }
    this.#attempt = undefined;
    this.#connectedAt = runtime.now();
    this.counters.connected(seconds(this.#connectedAt - this.#openedAt));
    const flush = config.timeouts.fin || Number.POSITIVE_INFINITY;
    this.#relay = new Relay(runtime, this.#client, target, this.counters, flush, this);
    this.#timer?.cancel();
    // Nothing has been sent yet, so there is no need to ask the kernel.
    this.#arm(0);
  }

  #failed(error: unknown): void {
    if (this.#reason) return;
    const failure = error instanceof SocketError ? error : new SocketError("EUNKNOWN", String(error), { cause: error });
    const reason = connectReason(failure.code);
    if (this.#retries < this.#owner.config.retries && RETRIED.includes(reason)) {
      this.#retryLater();
      return;
    }
    this.#reason = reason;
    this.#error = failure;
    this.#client.abort();
  }

  /** The client has not been read yet, so a new attempt repeats nothing. */
  #retryLater(): void {
    const pause = Math.min(RETRY_PAUSE * 2 ** this.#retries, RETRY_PAUSE_MAX);
    this.#later = this.#owner.runtime.after(pause, () => {
      this.#retries++;
      this.counters.add(CELL.retries, 1);
      this.#dial();
    });
  }

  /** One timer for all deadlines: it looks when the earliest can be due, and sleeps again if bytes have moved. */
  #arm(pending = this.#relay?.pending ?? 0): void {
    this.#pending = pending;
    const due = this.#due();
    if (due.at === Number.POSITIVE_INFINITY) return;
    const { runtime } = this.#owner;
    this.#timer = runtime.after(Math.max(1, due.at - runtime.now()), () => this.#look());
  }

  #look(): void {
    // A slow reader that takes bytes out of our queue or the kernel's is not silent.
    if (this.#relay && this.#relay.pending < this.#pending) this.#relay.touch();
    const due = this.#due();
    if (this.#owner.runtime.now() < due.at) this.#arm();
    else this.cut(due.reason);
  }

  #due(): { at: number; reason: Reason } {
    const { idle, fin, lifetime } = this.#owner.config.timeouts;
    const relay = this.#relay;
    let due: { at: number; reason: Reason } = { at: Number.POSITIVE_INFINITY, reason: "idle_timeout" };
    if (relay) {
      const active = relay.activeAt;
      if (idle > 0) due = { at: active + idle, reason: "idle_timeout" };
      if (fin > 0 && relay.halfClosed && active + fin < due.at) due = { at: active + fin, reason: "fin_timeout" };
    }
    if (lifetime > 0 && this.#openedAt + lifetime < due.at) due = { at: this.#openedAt + lifetime, reason: "lifetime" };
    return due;
  }

  #finish(): void {
    this.#timer?.cancel();
    this.#endedAt = this.#owner.runtime.now();
    if (this.#relay) {
      this.counters.add(CELL.undeliveredUpstream, this.#relay.target.socket.buffered);
      this.counters.add(CELL.undeliveredDownstream, this.#relay.client.socket.buffered);
    }
    this.counters.ended(this.reason, seconds(this.#endedAt - this.#openedAt));
    this.#owner.sessionEnded(this);
  }

  #stateNow(): Connection["state"] {
    if (this.#endedAt !== undefined) return "closed";
    if (!this.#relay) return "connecting";
    return this.#relay.halfClosed ? "half_closed" : "open";
  }
}

/** Milliseconds to seconds, to the microsecond. */
function seconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000_000;
}
