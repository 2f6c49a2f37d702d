/**
 * One client address of a UDP proxy: what it sends goes to the target that was chosen for it, from a socket of its own,
 * and what the target answers goes back from the socket that listens.
 *
 *     client ──► listening socket ──► faults ──► own socket ──► target
 *     client ◄── listening socket ◄── faults ◄── own socket ◄── target
 */
import type { Entry, Sources } from "../../admit/sources.ts";
import type { Source } from "../../balance/pool.ts";
import type { Target } from "../../balance/target.ts";
import { CELL } from "../../metrics/counters.ts";
import { RETRIED, type Reason } from "../../metrics/reason.ts";
import { type Address, formatAddress, type TcpAddress } from "../../net/address.ts";
import { SocketError } from "../../net/errors.ts";
import { writeProxyHeader } from "../../net/proxy-protocol-write.ts";
import type { Chunk, DatagramEvents, DatagramSocket, Endpoint, Timer } from "../../net/runtime.ts";
import type { Guest } from "../../proxy/door.ts";
import type { Connection, ConnectionRecord } from "../../proxy/record.ts";
import type { Rules } from "../../proxy/rules.ts";
import { DATAGRAM_MAX } from "../bridge/bridge-config.ts";
import type { Aged, IdleList } from "./idle-list.ts";
import { SessionFaults } from "./session-faults.ts";
import type { SessionOwner } from "./session-owner.ts";
import { Tally } from "./tally.ts";
import { openTowards } from "./towards.ts";
import { WaitingRoom } from "./waiting-room.ts";

export class UdpSession implements DatagramEvents, Guest, Source, Aged {
  readonly id: number;
  readonly ordinal: number;
  readonly rules: Rules;
  /** The client, also as the endpoint that it is answered at: one object, by which adapters know it again. */
  readonly client: TcpAddress;
  readonly list: IdleList<UdpSession>;
  source: { readonly sources: Sources; readonly entry: Entry } | undefined;
  activeAt: number;
  older: UdpSession | undefined;
  younger: UdpSession | undefined;
  readonly #owner: SessionOwner;
  readonly #openedAt: number;
  readonly #openedWall: number;
  #connectedAt: number | undefined;
  #endedAt: number | undefined;
  #target: Target | undefined;
  readonly #tally: Tally;
  #remote: Endpoint | undefined;
  #socket: DatagramSocket | undefined;
  /** What the client has sent before there was a socket. */
  #waiting: WaitingRoom | undefined;
  /** The PROXY header, until it is sent. */
  #header: Uint8Array | undefined;
  #faults: SessionFaults | undefined;
  #lifetime: Timer | undefined;
  #reason: Reason | undefined;
  #rule: string | undefined;
  #error: SocketError | undefined;
  #retries = 0;
  #answered = false;

  constructor(
    id: number,
    ordinal: number,
    owner: SessionOwner,
    rules: Rules,
    { host, port }: Endpoint,
    list: IdleList<UdpSession>,
  ) {
    this.id = id;
    this.ordinal = ordinal;
    this.rules = rules;
    this.client = { kind: "tcp", host, port };
    this.list = list;
    this.#owner = owner;
    this.#tally = new Tally(owner.front);
    this.#openedAt = owner.runtime.now();
    this.#openedWall = owner.runtime.wallClock();
    this.activeAt = this.#openedAt;
  }

  /** What targets are chosen by. */
  get host(): string {
    return this.client.host;
  }

  get over(): boolean {
    return this.#reason !== undefined;
  }

  /** It is one of the proxy's: it has taken what sessions take. */
  get admitted(): boolean {
    return this.#target !== undefined;
  }

  /** `target`: with a place taken on it. */
  start(target: Target): void {
    const { runtime, treatment } = this.#owner;
    const { timeouts, proxyProtocol } = this.rules.config;
    this.#towards(target);
    this.#waiting = new WaitingRoom();
    // Before all else: whatever becomes of the session, its owner hears when there is no socket any more.
    void this.#open([]);
    if (timeouts.lifetime > 0) this.#lifetime = runtime.after(timeouts.lifetime, () => this.end("lifetime"));
    if (proxyProtocol.send === "v2") {
      const destination: Address = { kind: "tcp", ...this.#owner.local };
      this.#header = writeProxyHeader("v2", { source: this.client, destination }, "datagrams");
    }
    if (treatment.faults.length > 0) this.refault();
  }

  /** A datagram of the client. False: the session has ended with it, and the next one may have it. */
  forth(chunk: Chunk): boolean {
    const socket = this.#socket;
    if (socket && socket.refused !== this.#tally.refusedSeen) {
      this.poll();
      if (this.#reason) return false;
    }
    this.activeAt = this.#owner.runtime.now();
    this.list.touched(this);
    this.#tally.fromClient(chunk);
    this.#owner.read?.(this, "client", chunk.length);
    if (this.#faults) this.#faults.upstream.pass(chunk);
    else this.#send(chunk);
    return true;
  }

  /** A datagram of the target. */
  message(chunk: Chunk): void {
    if (this.#reason) return;
    this.activeAt = this.#owner.runtime.now();
    this.list.touched(this);
    this.#tally.fromTarget(chunk);
    if (!this.#answered) {
      this.#answered = true;
      this.#target?.connected();
    }
    this.#owner.read?.(this, "target", chunk.length);
    if (this.#faults) this.#faults.downstream.pass(chunk);
    else this.#reply(chunk);
  }

  /** Its socket is gone, behind its end or of itself. */
  close(error?: SocketError): void {
    this.#tally.look(this.#socket);
    if (!this.#reason) {
      this.#error = error;
      this.#socket = undefined;
      this.end(error?.code === "EHANDLER" ? "internal_error" : "target_lost");
    }
    this.#owner.released();
  }

  /** Looks at what the socket has noticed: nobody is told of it. */
  poll(): void {
    const socket = this.#socket;
    if (!socket || this.#reason) return;
    this.#tally.look(this.#socket);
    if (!this.#tally.refusedBy(socket)) return;
    this.#error = new SocketError("ECONNREFUSED");
    this.#target?.failed(this.#owner.runtime.wallClock());
    this.end("target_refused");
  }

  /** Other faults, for a session that lives as well. */
  refault(): void {
    const { runtime, treatment } = this.#owner;
    this.#faults ??= new SessionFaults(runtime, {
      upstream: (chunk) => this.#send(chunk),
      downstream: (chunk) => this.#reply(chunk),
      lost: (direction) =>
        this.#tally.counters.add(direction === "upstream" ? CELL.faultedUpstream : CELL.faultedDownstream, 1),
      cut: (rule) => this.end("fault", rule),
    });
    this.#faults.change(treatment, this.ordinal);
  }

  /** A bug in weir has shown itself while something was done for this session: it ends, and no other. */
  failed(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    this.end("internal_error");
  }

  /** Ends it, unless it has ended. What it has given to its socket still leaves. */
  end(reason: Reason, rule?: string): void {
    if (this.#reason) return;
    const { runtime } = this.#owner;
    this.#reason = reason;
    this.#rule = rule;
    this.#lifetime?.cancel();
    this.#faults?.stop();
    this.#lose(this.#waiting);
    this.#waiting = undefined;
    this.#socket?.close();
    this.#tally.look(this.#socket);
    this.#endedAt = runtime.now();
    this.#tally.counters.ended(reason, seconds(this.#endedAt - this.#openedAt));
    this.#target?.give();
    this.#owner.ended(this);
  }

  /** It is not let in, together with its first datagram. */
  refuse(reason: Reason, chunk: Chunk, rule?: string): void {
    this.#tally.fromClient(chunk);
    this.#tally.undeliver(chunk);
    this.end(reason, rule);
  }

  get reason(): Reason {
    return this.#reason ?? "internal_error";
  }

  get error(): SocketError | undefined {
    return this.#error;
  }

  get connection(): Connection {
    const connected = this.#connectedAt;
    return {
      id: this.id,
      proxy: this.rules.config.name,
      client: formatAddress(this.client),
      target: this.#target?.name ?? null,
      state: this.#stateNow(),
      openedAt: new Date(this.#openedWall).toISOString(),
      duration: seconds((this.#endedAt ?? this.#owner.runtime.now()) - this.#openedAt),
      connectTime: connected === undefined ? null : seconds(connected - this.#openedAt),
      retries: this.#retries,
      bytesUpstream: this.#tally.bytesUpstream,
      bytesDownstream: this.#tally.bytesDownstream,
      requests: null,
      serverName: null,
      tls: null,
      datagrams: this.#tally.figures(this.#socket, this.#faults?.lost ?? 0),
    };
  }

  /** Only once it has ended. */
  get record(): ConnectionRecord {
    return {
      ...this.connection,
      reason: this.reason,
      rule: this.#rule ?? null,
      error: this.#error?.code ?? null,
      undeliveredUpstream: this.#tally.undelivered,
      undeliveredDownstream: 0,
    };
  }

  #towards(target: Target): void {
    this.#target = target;
    this.#tally.counters = target.counters;
  }

  /** Opens the socket towards the target, or towards another one if that cannot be. */
  async #open(tried: readonly Target[]): Promise<void> {
    const target = this.#target as Target;
    const { runtime } = this.#owner;
    const { source, timeouts } = this.rules.config;
    const opened = await openTowards(runtime, target.address, source, timeouts.connect);
    try {
      if ("socket" in opened) this.#opened(opened.socket, opened.remote);
      else this.#unopened(opened.reason, opened.error, [...tried, target]);
    } catch (cause) {
      this.failed(cause);
    }
  }

  #opened(socket: DatagramSocket, remote: Endpoint): void {
    this.#socket = socket;
    socket.on(this);
    if (this.#reason) {
      socket.close();
      return;
    }
    this.#remote = remote;
    this.#connectedAt = this.#owner.runtime.now();
    this.#tally.counters.connected(seconds(this.#connectedAt - this.#openedAt));
    const waiting = this.#waiting?.chunks ?? [];
    this.#waiting = undefined;
    for (const chunk of waiting) this.#send(chunk);
    socket.resume();
  }

  #unopened(reason: Reason, error: SocketError, tried: readonly Target[]): void {
    if (!this.#reason) {
      const target = this.#target as Target;
      if (RETRIED.includes(reason)) {
        target.failed(this.#owner.runtime.wallClock());
        const other = this.#owner.another(this, tried);
        if (other) {
          target.give();
          this.#retries++;
          this.#towards(other);
          other.counters.add(CELL.retries, 1);
          void this.#open(tried);
          return;
        }
      }
      this.#error = error;
      this.end(reason);
    }
    this.#owner.released();
  }

  #send(chunk: Chunk): void {
    const socket = this.#socket;
    if (!socket || !this.#remote) {
      if (!this.#waiting?.take(chunk)) this.#tally.undeliver(chunk);
      return;
    }
    if (this.#header) this.#sendFirst(this.#header, chunk, socket, this.#remote);
    else socket.send(chunk, this.#remote);
  }

  /** The header is in the first datagram, ahead of what the client has sent (proxy-protocol.txt, section 2). */
  #sendFirst(header: Uint8Array, chunk: Chunk, socket: DatagramSocket, remote: Endpoint): void {
    // One that would not fit is lost, and the next one is the first.
    if (header.length + chunk.length > DATAGRAM_MAX) {
      this.#tally.undeliver(chunk);
      return;
    }
    const first = new Uint8Array(header.length + chunk.length);
    first.set(header);
    first.set(chunk, header.length);
    this.#header = undefined;
    socket.send(first, remote);
  }

  #reply(chunk: Chunk): void {
    if (!this.#owner.reply(chunk, this.client)) this.#tally.unanswered(chunk);
  }

  #lose(waiting: WaitingRoom | undefined): void {
    for (const chunk of waiting?.chunks ?? []) this.#tally.undeliver(chunk);
  }

  #stateNow(): Connection["state"] {
    if (this.#endedAt !== undefined) return "closed";
    if (!this.#target) return "waiting";
    return this.#socket ? "open" : "connecting";
  }
}

/** Milliseconds to seconds, to the microsecond. */
function seconds(ms: number): number {
  return Math.round(ms * 1_000) / 1_000_000;
}
