/** One client connection and its target connection: let in, dial, relay, deadlines, and one record at the end. */
import type { Waiter } from "../admit/gate.ts";
import type { Entry, Sources } from "../admit/sources.ts";
import type { Target } from "../balance/target.ts";
import type { FaultConfig } from "../filter/faults/fault.ts";
import { CELL } from "../metrics/counters.ts";
import type { Reason } from "../metrics/reason.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { SocketError } from "../net/errors.ts";
import { writeProxyHeader } from "../net/proxy-protocol-write.ts";
import type { Connecting, StreamSocket, Timer } from "../net/runtime.ts";
import type { ClientHello } from "../tls/client-hello.ts";
import { Deadlines } from "./deadlines.ts";
import { Dial, type DialOwner } from "./dial.ts";
import { Opening, type OpeningOwner } from "./opening.ts";
import { type Connection, type ConnectionRecord, summaryOf } from "./record.ts";
import { Relay, type RelayOwner } from "./relay.ts";
import type { Rules } from "./rules.ts";
import type { SessionOwner } from "./session-owner.ts";
import type { Place, SessionSteps, StepsOwner } from "./steps.ts";

/** Milliseconds that a client gets to close its side when it is not let in with a FIN. */
const LINGER = 1_000;

export class Session implements OpeningOwner, DialOwner, RelayOwner, StepsOwner {
  readonly id: number;
  readonly rules: Rules;
  readonly place: Place;
  read: RelayOwner["read"];
  /** What it holds of the proxy's limits, for whoever gave it; see `Entrance`. */
  admitted = false;
  source: { readonly sources: Sources; readonly entry: Entry } | undefined;
  waiter: Waiter | undefined;
  /** That it has made over shared connections; see `MuxClient`. */
  requests = 0;
  readonly #owner: SessionOwner;
  readonly #client: StreamSocket;
  readonly #openedAt: number;
  readonly #openedWall: number;
  #arrived = false;
  /** What had to be read of it before it had a target, if that was to be. */
  #opening: Opening | undefined;
  #connectedAt: number | undefined;
  #dial: Dial | undefined;
  #relay: Relay | undefined;
  #steps: SessionSteps | undefined;
  readonly #deadlines: Deadlines;
  /** The end of a wait or of a refusal. */
  #later: Timer | undefined;
  #reason: Reason | undefined;
  #rule: string | undefined;
  #error: SocketError | undefined;
  #endedAt: number | undefined;

  constructor(id: number, owner: SessionOwner, rules: Rules, client: StreamSocket, place: Place) {
    this.id = id;
    this.place = place;
    this.rules = rules;
    this.#owner = owner;
    this.#client = client;
    this.#openedAt = owner.runtime.now();
    this.#openedWall = owner.runtime.wallClock();
    this.#deadlines = new Deadlines(owner.runtime, rules.config.timeouts, this.#openedAt, this);
    if (owner.read) this.read = readsOf(this, owner.read);
    client.on(this);
  }

  /** Asks who the client is, if somebody else may speak for it, and arrives. */
  start(): void {
    const { runtime } = this.#owner;
    const { timeouts, proxyProtocol } = this.rules.config;
    if (timeouts.lifetime > 0) this.#deadlines.arm(undefined);
    if (proxyProtocol.acceptFrom.length > 0 && this.rules.wantsHeader(this.#client.remote)) {
      this.#opening = new Opening(runtime, this.#client, this);
      this.#opening.readHeader(proxyProtocol.timeout, () => this.#arrive());
      return;
    }
    this.#arrive();
  }

  /** Reads what a TLS client says; `plain`: others are as welcome. */
  greet(plain: boolean): void {
    this.#later?.cancel();
    this.#opening ??= new Opening(this.#owner.runtime, this.#client, this);
    this.#opening.readHello(this.rules.config.timeouts.hello, plain, () => this.#owner.greeted(this));
  }

  /** What it has said; null: it speaks no TLS; undefined: it was not asked. */
  get said(): ClientHello | null | undefined {
    return this.#opening?.said;
  }

  /** Who connects: the peer, or whom it speaks for. */
  get client(): Address {
    return this.#opening?.proxied?.source ?? this.#client.remote;
  }

  /** The same without the port: what targets are chosen by. */
  get host(): string {
    const { client } = this;
    return client.kind === "tcp" ? client.host : client.path;
  }

  /**
   * Does not let the client in: for a rule in the way that the configuration says, else with RST. `last`: what it is
   * told before, in front of a FIN whatever the configuration says: a RST could overtake it.
   */
  refuse(reason: Reason, rule?: string, last?: Uint8Array): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#rule = rule;
    this.#later?.cancel();
    this.#arrive();
    if (!last && (rule === undefined || this.rules.config.refuse === "reset")) {
      this.#client.abort();
      return;
    }
    if (last) this.#client.write(last);
    this.#client.end();
    this.#client.resume();
    this.#later = this.#owner.runtime.after(LINGER, () => this.#client.abort());
  }

  /** There is no room yet. */
  wait(): void {
    const { timeout } = this.rules.config.queue;
    if (timeout > 0) this.#later = this.#owner.runtime.after(timeout, () => this.#owner.outwaited(this));
  }

  /** It was refused or cut; its socket may still be closing. */
  get over(): boolean {
    return this.#reason !== undefined;
  }

  /** `target`: with a place taken on it. */
  dial(target: Target): void {
    this.#later?.cancel();
    this.#steps = this.#owner.steps(this);
    this.#dial = new Dial(this.#owner.runtime, this.#owner.pool, this.rules, target, this);
  }

  /** Ends the session now, whatever it is doing; `rule`: what has decided so, for its record. */
  cut(reason: Reason, rule?: string): void {
    if (this.#relay) {
      if (this.#relay.cut(reason)) this.#rule ??= rule;
      return;
    }
    this.#rule ??= rule;
    this.#reason ??= reason;
    this.#arrive();
    this.#client.abort();
  }

  /** Ends the session as if both sides had finished, behind what was passed on. False: it has ended otherwise already. */
  finish(reason: Reason, rule: string): boolean {
    if (!this.#relay?.finish(reason)) return false;
    this.#rule ??= rule;
    return true;
  }

  /** Other faults, from now on. */
  refault(faults: readonly FaultConfig[]): void {
    if (!this.#relay) return;
    this.#steps ??= this.#owner.lateSteps(this);
    this.#steps.change(faults, this.#relay);
  }

  get local(): Address {
    return this.#client.local;
  }

  /** A bug in weir has shown itself while something was done for this session: it ends, and no other. */
  failed(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    // Whoever was to take the client over has perhaps begun to.
    if (!this.#relay) this.#client.on(this);
    this.cut("internal_error");
  }

  get connection(): Connection {
    const { client, target } = this.#relay ?? {};
    const connected = this.#connectedAt;
    return {
      id: this.id,
      proxy: this.rules.config.name,
      client: formatAddress(this.client),
      target: this.#dial?.target.name ?? null,
      serverName: this.#opening?.said?.serverName ?? null,
      state: this.#stateNow(),
      openedAt: new Date(this.#openedWall).toISOString(),
      duration: seconds((this.#endedAt ?? this.#owner.runtime.now()) - this.#openedAt),
      connectTime: connected === undefined ? null : seconds(connected - this.#openedAt),
      retries: this.#dial?.retries ?? 0,
      bytesUpstream: client?.bytes ?? this.#early,
      bytesDownstream: target?.bytes ?? 0,
      requests: this.rules.config.mux && this.requests,
      tls: summaryOf(this.#client.tls),
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
      undeliveredUpstream: relay?.client.undelivered ?? this.#early,
      undeliveredDownstream: relay?.target.undelivered ?? 0,
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

  unopened(reason: Reason, why: string): void {
    this.refuse(reason, why);
  }

  // While it waits and while the target is being connected the client stays paused: its bytes and its FIN wait in
  // the kernel, and only a reset is heard.
  data(): void {}
  drain(): void {}
  end(): void {}
  /** Nobody is left to answer, so the target need not be asked. */
  broken(error: SocketError): void {
    this.#error ??= error;
    this.cut("client_gone");
  }
  close(error?: SocketError): void {
    this.#dial?.cancel();
    this.#later?.cancel();
    this.#reason ??= error?.code === "EHANDLER" ? "internal_error" : "client_gone";
    this.#arrive();
    this.#error ??= error;
    this.#finish();
  }

  relayed(reason: Reason, error: SocketError | undefined): void {
    this.#reason = reason;
    this.#error = error;
    this.#finish();
  }

  halfClosed(): void {
    this.#deadlines.arm(this.#relay);
  }

  freed(): void {
    this.#owner.freed();
  }

  connect(target: Target): Connecting {
    return this.#owner.connect(target, this);
  }

  dialled(socket: StreamSocket): void {
    const { runtime } = this.#owner;
    const { timeouts, proxyProtocol } = this.rules.config;
    const { counters, target } = this.#dial as Dial;
    // A session that was cut has told its client so already.
    if (this.#reason) {
      socket.abort();
      return;
    }
    this.#connectedAt = runtime.now();
    counters.connected(seconds(this.#connectedAt - this.#openedAt));
    const flush = timeouts.fin || Number.POSITIVE_INFINITY;
    if (proxyProtocol.send !== "off") socket.write(this.#header(proxyProtocol.send));
    this.#steps ??= this.#owner.steps(this);
    const steps = this.#steps?.begin(target.name, this.#owner.faults);
    this.#relay = new Relay(runtime, this.#client, socket, counters, flush, this, steps, this.#opening?.early);
    this.#opening?.handed();
    // Nothing has been sent yet, so there is no need to ask the kernel.
    this.#deadlines.arm(this.#relay, 0);
  }

  undialled(reason: Reason, error: SocketError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#error = error;
    this.#client.abort();
  }

  /** It is known who the client is, or nobody will ever know. */
  #arrive(): void {
    if (this.#arrived) return;
    this.#arrived = true;
    this.#owner.arrived(this);
  }

  /** What the target is told about the client. */
  #header(version: "v1" | "v2"): Uint8Array {
    const own = { source: this.#client.remote, destination: this.#client.local };
    return writeProxyHeader(version, this.#opening?.proxied ?? own);
  }

  /** Bytes that were read before there was a target. */
  get #early(): number {
    return this.#opening?.early?.length ?? 0;
  }

  #finish(): void {
    this.#deadlines.cancel();
    this.#endedAt = this.#owner.runtime.now();
    const counters = this.#dial?.counters ?? this.#owner.front;
    if (this.#relay) {
      counters.add(CELL.undeliveredUpstream, this.#relay.client.undelivered);
      counters.add(CELL.undeliveredDownstream, this.#relay.target.undelivered);
    } else {
      counters.add(CELL.bytesUpstream, this.#early);
      counters.add(CELL.undeliveredUpstream, this.#early);
    }
    this.#steps?.ended(this.reason, this.#error?.code ?? null);
    counters.ended(this.reason, seconds(this.#endedAt - this.#openedAt));
    this.#dial?.give();
    this.#owner.sessionEnded(this);
  }

  #stateNow(): Connection["state"] {
    if (this.#endedAt !== undefined) return "closed";
    if (!this.#dial) return "waiting";
    if (!this.#relay) return "connecting";
    return this.#relay.halfClosed ? "half_closed" : "open";
  }
}

/** Not in the constructor, where a closure would cost those as well who are not watched. */
function readsOf(session: Session, read: NonNullable<SessionOwner["read"]>): RelayOwner["read"] {
  return (from, bytes) => read(session, from, bytes);
}

/** Milliseconds to seconds, to the microsecond. */
function seconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000_000;
}
