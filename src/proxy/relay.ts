/**
 * Moves bytes between two sockets until both directions have ended.
 *
 *     client ──data──► write ── target        upstream
 *     client ◄─ write ◄──data── target        downstream
 *
 * A full socket pauses the one that feeds it, and its drain resumes that one. A FIN is passed on behind
 * the bytes before it and leaves the other direction open. A reset is passed on as a reset, but only when
 * the bytes that were read before it have reached the other side.
 *
 * An adapter that can move bytes by itself does so (`Runtime.link`), unless somebody wants to see them; the
 * sides then only count.
 */
import { CELL, type Counters } from "../metrics/counters.ts";
import type { Reason } from "../metrics/reason.ts";
import type { SocketError } from "../net/errors.ts";
import type { Chunk, Meter, Runtime, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";

export type Role = "client" | "target";

/** Milliseconds between two looks at whether the last bytes before a reset have arrived. */
const FLUSH_INTERVAL = 20;

export interface RelayOwner {
  /** Exactly once, when both sockets are closed. */
  relayed(reason: Reason, error: SocketError | undefined): void;
  /** One side has sent its FIN, the other has not: from now on the fin timeout applies. */
  halfClosed(): void;
  /** Bytes were read from `from`; set only while somebody wants to see each read. */
  read: ((from: Role, bytes: number) => void) | undefined;
}

export class Relay {
  readonly client: Side;
  readonly target: Side;
  readonly runtime: Runtime;
  readonly owner: RelayOwner;
  readonly #flushTimeout: number;
  /** While flushing: when to give up, moved on as long as bytes arrive. */
  #flushUntil = 0;
  #flushLeft = Number.POSITIVE_INFINITY;
  /** Who sent its FIN first. */
  #first: Role | undefined;
  /** Why the relay was broken off, if it was. */
  #reason: Reason | undefined;
  #error: SocketError | undefined;
  #flush: Timer | undefined;

  /**
   * `flushTimeout`: milliseconds without progress that the bytes before a reset get to reach the other side; `early`:
   * what was read from the client already.
   */
  constructor(
    runtime: Runtime,
    client: StreamSocket,
    target: StreamSocket,
    counters: Counters,
    flushTimeout: number,
    owner: RelayOwner,
    early?: Chunk,
  ) {
    this.runtime = runtime;
    this.owner = owner;
    this.#flushTimeout = flushTimeout;
    this.client = new Side("client", this, client, counters, CELL.bytesUpstream, CELL.pausesUpstream);
    this.target = new Side("target", this, target, counters, CELL.bytesDownstream, CELL.pausesDownstream);
    this.client.peer = this.target;
    this.target.peer = this.client;
    client.on(this.client);
    target.on(this.target);
    const linked = runtime.link !== undefined && !owner.read;
    // A link waits by itself until the target has taken what it has; drain comes only without one.
    const full = early !== undefined && !this.client.feed(early) && !linked;
    if (linked) {
      runtime.link?.(client, target, this.client);
      runtime.link?.(target, client, this.target);
    }
    target.resume();
    if (!full) client.resume();
  }

  /** When the last byte moved, in `Runtime.now` milliseconds. */
  get activeAt(): number {
    return Math.max(this.client.activeAt, this.target.activeAt);
  }

  /** A sign of life that no read has shown. */
  touch(): void {
    this.client.activeAt = this.runtime.now();
  }

  /** One side has sent its FIN. */
  get halfClosed(): boolean {
    return this.client.ended || this.target.ended;
  }

  /** Bytes that were read and have not reached their receiver, as far as the runtime can tell. */
  get pending(): number {
    return waiting(this.client.socket) + waiting(this.target.socket);
  }

  /** Ends both sides with RST, so that neither takes what it has for complete. */
  cut(reason: Reason): void {
    this.#reason ??= reason;
    this.#abort();
  }

  #abort(): void {
    this.#flush?.cancel();
    this.client.socket.abort();
    this.target.socket.abort();
  }

  ended(side: Side): void {
    this.#first ??= side.role;
    this.touch();
    side.peer.socket.end();
    this.owner.halfClosed();
  }

  closed(side: Side, error: SocketError | undefined): void {
    if (side.peer.closed) {
      this.#flush?.cancel();
      if (error) this.#broke(side, error);
      this.owner.relayed(this.#reason ?? (this.#first ? `${this.#first}_closed` : "internal_error"), this.#error);
      return;
    }
    if (!error) return;
    this.#broke(side, error);
    side.peer.socket.pause();
    if (side.peer.failure) this.#abort();
    else this.#resetWhenFlushed(side.peer);
  }

  /** What `side` has sent before it broke may still reach the other, unless that one is gone or broken as well. */
  broken(side: Side, error: SocketError): void {
    const { peer } = side;
    const first = peer.failure;
    side.failure = error;
    if (!peer.closed && !first) return;
    if (first) this.#broke(peer, first);
    this.#broke(side, error);
    this.#abort();
  }

  /** What breaks first is the reason. */
  #broke(side: Side, error: SocketError): void {
    if (this.#error) return;
    this.#error = error;
    if (error.code === "EHANDLER") this.#reason = "internal_error";
    else if (error.code === "ETIMEDOUT") this.#reason = `${side.role}_lost`;
    else this.#reason = `${side.role}_reset`;
  }

  /** RST destroys what the kernel still has to send (tcp(7), SO_LINGER), so it waits for the last acknowledgement. */
  #resetWhenFlushed(side: Side): void {
    const { socket } = side;
    const unacknowledged = socket.unacknowledged();
    const unsure = socket.buffered === 0 && unacknowledged === undefined && side.quiet();
    const left = socket.buffered + (unacknowledged ?? 0);
    if (left < this.#flushLeft) this.#flushUntil = this.runtime.now() + this.#flushTimeout;
    this.#flushLeft = left;
    if ((left === 0 && unacknowledged !== undefined) || unsure || this.runtime.now() >= this.#flushUntil) {
      socket.abort();
      return;
    }
    this.#flush = this.runtime.after(FLUSH_INTERVAL, () => this.#resetWhenFlushed(side));
  }
}

function waiting(socket: StreamSocket): number {
  return socket.buffered + (socket.unacknowledged() ?? 0);
}

/** One of the two sockets: what comes from it goes to its peer. */
export class Side implements StreamEvents, Meter {
  readonly role: Role;
  readonly socket: StreamSocket;
  peer: Side = this;
  /** Bytes read from this side. */
  bytes = 0;
  ended = false;
  closed = false;
  /** The connection is broken, although bytes from it may be left to read. */
  failure: SocketError | undefined;
  activeAt: number;
  readonly #relay: Relay;
  readonly #runtime: Runtime;
  readonly #cells: Float64Array;
  readonly #bytesCell: number;
  readonly #pausesCell: number;
  #looked = false;

  constructor(role: Role, relay: Relay, socket: StreamSocket, counters: Counters, bytes: number, pauses: number) {
    this.role = role;
    this.socket = socket;
    this.#relay = relay;
    this.#runtime = relay.runtime;
    this.activeAt = relay.runtime.now();
    this.#cells = counters.cells;
    this.#bytesCell = bytes;
    this.#pausesCell = pauses;
  }

  data(chunk: Chunk): void {
    if (this.feed(chunk)) return;
    this.socket.pause();
    this.held();
  }

  /** Passes bytes on that were read; false: the peer wants no more until its drain. */
  feed(chunk: Chunk): boolean {
    const { length } = chunk;
    this.moved(length);
    const room = this.peer.socket.write(chunk);
    this.#relay.owner.read?.(this.role, length);
    return room;
  }

  moved(bytes: number): void {
    this.bytes += bytes;
    (this.#cells[this.#bytesCell] as number) += bytes;
    this.activeAt = this.#runtime.now();
  }

  held(): void {
    (this.#cells[this.#pausesCell] as number) += 1;
  }

  drain(): void {
    this.activeAt = this.#runtime.now();
    this.peer.socket.resume();
  }

  end(): void {
    this.ended = true;
    this.#relay.ended(this);
  }

  broken(error: SocketError): void {
    this.#relay.broken(this, error);
  }

  close(error?: SocketError): void {
    this.closed = true;
    this.#relay.closed(this, error);
  }

  /** True from the second call on: where the kernel's queue cannot be seen, one interval of patience stands in. */
  quiet(): boolean {
    const before = this.#looked;
    this.#looked = true;
    return before;
  }
}
