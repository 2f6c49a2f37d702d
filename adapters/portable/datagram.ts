/**
 * The half of a datagram socket that is the same on every callback runtime: what is delivered, when, and in
 * which order. An adapter reports what its runtime saw (`received`, `writable`, `failed`, `closed`) and supplies
 * the raw operations; this class turns that into the seam's promises: nothing while paused, nothing from inside
 * a method, one close, and that last, every datagram sent in its turn or counted.
 */

import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, DatagramEvents, DatagramSocket, Endpoint, Membership } from "../../src/net/runtime.ts";
import { tellClosed } from "./closing.ts";
import { sameEndpoint } from "./endpoint.ts";
import { codeOf, socketError } from "./errors.ts";
import { type Joined, Memberships } from "./memberships.ts";
import { Parcels } from "./parcels.ts";

const NOBODY: DatagramEvents = { message() {}, close() {} };

/**
 * Errors about one datagram that was sent before (ICMP's answers, as Linux translates them), not about the
 * socket: it may be told of them by its next send or receive, and goes on.
 */
const REPORTS = new Set([
  "EACCES",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EMSGSIZE",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "EOPNOTSUPP",
  "EPROTO",
]);

/** Whether `thrown` may be about an earlier datagram, so that this one deserves another attempt. */
export function isReport(thrown: unknown): boolean {
  return REPORTS.has(String((thrown as { code?: unknown } | null)?.code));
}

export abstract class Datagram implements DatagramSocket {
  abstract readonly local: Endpoint;
  /**
   * Whom alone to hear. The kernel sees to it from connect(2) on; what came between bind(2) and that waits in its
   * queue, and Deno connects in name only.
   */
  protected readonly remote: Endpoint | undefined;
  unsent = 0;
  /** Datagrams that arrived while paused and found no room: a runtime that cannot stop reading loses them. */
  overrun = 0;
  refused = 0;

  #events: DatagramEvents = NOBODY;
  #reading = false;
  #stopped = false;
  /** What the runtime read and may not be delivered yet. */
  readonly #held = new Parcels();
  /** What the runtime cannot send yet. */
  readonly #waiting = new Parcels();
  #closing = false;
  #error: SocketError | undefined;
  #memberships: Memberships | undefined;

  constructor(remote: Endpoint | undefined) {
    this.remote = remote;
  }

  /**
   * Gives it to the runtime, or counts it in `unsent`. False: not now, and `writable` will follow. A chunk
   * that is `kept` belongs to this socket, another is on loan.
   */
  protected abstract transmit(chunk: Chunk, to: Endpoint, kept: boolean): boolean;
  /** Stop and start reading in the runtime, where that can be done. */
  protected abstract readStop(): void;
  protected abstract readStart(): void;
  /** Frees the descriptor; `closed` has to follow, but not from inside. */
  protected abstract shut(): void;
  /** Makes the socket a member, and ends that; both throw something with a code. */
  protected abstract enter(membership: Joined): void;
  protected abstract exit(membership: Joined): void;

  get full(): boolean {
    return this.#waiting.length > 0;
  }

  on(events: DatagramEvents): void {
    this.#events = events;
  }

  send(chunk: Chunk, to: Endpoint): void {
    if (!this.#closing && this.#waiting.length === 0 && this.transmit(chunk, to, false)) return;
    if (this.#closing || !this.#waiting.fits(chunk)) this.unsent++;
    else this.#waiting.push(chunk.slice(), to);
  }

  /** The runtime goes on reading until a datagram arrives: most pauses are over by then and cost nothing. */
  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#closing) return;
    this.#reading = true;
    if (this.#held.length > 0) queueMicrotask(() => this.#catchUp());
    else this.#restart();
  }

  join(membership: Membership): void {
    if (this.#closing) throw new SocketError("EBADF", `Cannot join ${membership.group}: the socket is closed (EBADF)`);
    this.#memberships ??= new Memberships(this.local.host, {
      enter: (each) => this.enter(each),
      exit: (each) => this.exit(each),
    });
    this.#memberships.join(membership);
  }

  leave(membership: Membership): void {
    this.#memberships?.leave(membership);
  }

  joined(membership: Membership): boolean | undefined {
    return this.#memberships ? this.#memberships.joined(membership) : false;
  }

  /** What waits to be sent goes first. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#memberships = undefined;
    this.#held.clear();
    if (this.#waiting.length === 0) this.shut();
  }

  /** The runtime read a datagram. It never writes into that chunk again, so it may be kept. */
  protected received(chunk: Chunk, from: Endpoint): void {
    if (this.#closing || (this.remote && !sameEndpoint(from, this.remote))) return;
    if (this.#reading && this.#held.length === 0) {
      this.#deliver(chunk, from);
      return;
    }
    if (!this.#held.push(chunk, from)) this.overrun++;
    if (this.#stopped) return;
    this.#stopped = true;
    this.readStop();
  }

  /** The runtime takes datagrams again after `transmit` said no. */
  protected writable(): void {
    if (this.#waiting.length === 0) return;
    for (let next = this.#waiting.first(); next; next = this.#waiting.first()) {
      if (!this.transmit(next.chunk, next.peer, true)) return;
      this.#waiting.shift();
    }
    if (this.#closing) this.shut();
    else {
      try {
        this.#events.drain?.();
      } catch (cause) {
        this.#blame(cause);
      }
    }
  }

  /** The runtime reported an error outside of any call. */
  protected failed(thrown: unknown): void {
    this.reported(thrown);
    const lingers = this.#closing && this.#waiting.length > 0;
    if (isReport(thrown) || (this.#closing && !lingers)) return;
    this.unsent += this.#waiting.length;
    this.#waiting.clear();
    if (lingers) this.shut();
    else this.#end(socketError(thrown));
  }

  /** An error that may be ICMP's answer to a datagram that has left. */
  protected reported(thrown: unknown): void {
    if (codeOf(thrown) === "ECONNREFUSED") this.refused++;
  }

  /** The descriptor is free. */
  protected closed(): void {
    const events = this.#events;
    this.#events = NOBODY;
    tellClosed(events, this.#error);
  }

  #deliver(chunk: Chunk, from: Endpoint): void {
    try {
      this.#events.message(chunk, from);
    } catch (cause) {
      this.#blame(cause);
    }
  }

  /** The owner's handler threw. */
  #blame(cause: unknown): void {
    this.#end(new SocketError("EHANDLER", undefined, { cause }));
  }

  #end(error: SocketError): void {
    if (!this.#closing) this.#error = error;
    this.close();
  }

  /** Delivers what waited, in order, as long as the owner goes on reading; `close` empties what waits. */
  #catchUp(): void {
    while (this.#reading) {
      const parcel = this.#held.shift();
      if (!parcel) break;
      this.#deliver(parcel.chunk, parcel.peer);
    }
    if (this.#reading && !this.#closing) this.#restart();
  }

  #restart(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.readStart();
  }
}
