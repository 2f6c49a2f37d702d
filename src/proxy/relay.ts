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
 * Each direction may have steps on its way (`Path`), which change, hold or look at what passes.
 *
 * An adapter that can move bytes by itself does so (`Runtime.link`), unless somebody wants to see them; the
 * sides then only count.
 */
import type { Direction, Step } from "../filter/step.ts";
import type { Counters } from "../metrics/counters.ts";
import type { Reason } from "../metrics/reason.ts";
import type { SocketError } from "../net/errors.ts";
import type { Chunk, Runtime, StreamSocket, Timer } from "../net/runtime.ts";
import { type Role, Side } from "./side.ts";

/** Milliseconds between two looks at whether the last bytes before a reset have arrived. */
const FLUSH_INTERVAL = 20;

/** Milliseconds without progress that both sides get to take what is left and to finish, when weir itself closes. */
const LINGER = 1_000;

/** What happens on the way from a session's one socket to its other. */
export type Steps = Readonly<Record<Direction, readonly Step[]>>;

/** Why a session has ended, by the side that has ended it. */
const ENDS = {
  client: { closed: "client_closed", reset: "client_reset", lost: "client_lost" },
  target: { closed: "target_closed", reset: "target_reset", lost: "target_lost" },
} as const;

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
   * `flushTimeout`: milliseconds without progress that the bytes before a reset get to reach the other side; `steps`: as
   * they are at first, if there are any; `early`: what was read from the client already.
   */
  constructor(
    runtime: Runtime,
    client: StreamSocket,
    target: StreamSocket,
    counters: Counters,
    flushTimeout: number,
    owner: RelayOwner,
    steps?: Steps,
    early?: Chunk,
  ) {
    this.runtime = runtime;
    this.owner = owner;
    this.#flushTimeout = flushTimeout;
    this.client = new Side("client", this, client, counters);
    this.target = new Side("target", this, target, counters);
    this.client.peer = this.target;
    this.target.peer = this.client;
    client.on(this.client);
    target.on(this.target);
    this.client.begin(steps?.upstream);
    this.target.begin(steps?.downstream);
    // A link waits by itself until the target has taken what it has; drain comes only without one.
    const waits = !this.client.linked || this.client.path !== undefined;
    const full = early !== undefined && !this.client.feed(early);
    target.resume();
    this.client.owed = full && !waits;
    if (full && waits) this.client.wait();
    else client.resume();
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
    return this.client.waiting + this.target.waiting;
  }

  /** What comes from the client goes upstream, the rest downstream. */
  from(direction: Direction): Side {
    return direction === "upstream" ? this.client : this.target;
  }

  /**
   * Ends both sides with FIN behind what was passed on; what still comes is thrown away, and counted as such. False: it
   * has ended otherwise already, and nobody may take what is left for complete.
   */
  finish(reason: Reason): boolean {
    if (this.#reason) return false;
    this.#reason = reason;
    this.client.discard();
    this.target.discard();
    this.#linger(Number.POSITIVE_INFINITY);
    return true;
  }

  /** Gives both sides time as long as they take what is left. */
  #linger(before: number): void {
    const left = this.pending;
    if (left < before) this.#flush = this.runtime.after(LINGER, () => this.#linger(left));
    else this.#abort();
  }

  /** Ends both sides with RST, so that neither takes what it has for complete. False: for another reason. */
  cut(reason: Reason): boolean {
    this.#reason ??= reason;
    this.#abort();
    return this.#reason === reason;
  }

  #abort(): void {
    this.#flush?.cancel();
    this.client.abandon();
    this.target.abandon();
    this.client.socket.abort();
    this.target.socket.abort();
  }

  /** There is room for what comes from a side, unless nobody is left who would take it. */
  reopen(side: Side): void {
    if (!side.peer.closed && !this.#error) side.resume();
  }

  ended(side: Side): void {
    this.#first ??= side.role;
    this.touch();
    side.finish();
    this.owner.halfClosed();
  }

  closed(side: Side, error: SocketError | undefined): void {
    const { peer } = side;
    if (peer.closed) {
      this.#flush?.cancel();
      side.abandon();
      peer.abandon();
      if (error) this.#broke(side, error);
      this.owner.relayed(this.#reason ?? (this.#first ? ENDS[this.#first].closed : "internal_error"), this.#error);
      return;
    }
    if (!error) {
      // A step has ended the way to it: what the other side still sends is for nobody.
      if (!peer.ended) peer.discard();
      return;
    }
    this.#flush?.cancel();
    this.#broke(side, error);
    // Nobody is left to take what comes from the other side.
    peer.abandon();
    peer.socket.pause();
    side.path?.broke();
    if (peer.failure) this.#abort();
    else this.#resetWhenFlushed(peer);
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
    if (this.#error || this.#reason) return;
    this.#error = error;
    if (error.code === "EHANDLER") this.#reason = "internal_error";
    else if (error.code === "ETIMEDOUT") this.#reason = ENDS[side.role].lost;
    else this.#reason = ENDS[side.role].reset;
  }

  /** RST destroys what the kernel still has to send (tcp(7), SO_LINGER), so it waits for the last acknowledgement. */
  #resetWhenFlushed(side: Side): void {
    const { socket } = side;
    const unacknowledged = socket.unacknowledged();
    const held = side.peer.path?.held ?? 0;
    const left = socket.buffered + (unacknowledged ?? 0) + held;
    const unsure = left === 0 && unacknowledged === undefined && side.quiet();
    if (left < this.#flushLeft) this.#flushUntil = this.runtime.now() + this.#flushTimeout;
    this.#flushLeft = left;
    if ((left === 0 && unacknowledged !== undefined) || unsure || this.runtime.now() >= this.#flushUntil) {
      socket.abort();
      return;
    }
    this.#flush = this.runtime.after(FLUSH_INTERVAL, () => this.#resetWhenFlushed(side));
  }
}
