/**
 * The half of a stream socket that is the same on every callback runtime: what is delivered, when, and
 * in which order. An adapter reports what its runtime saw (`received`, `ended`, `closed`, `flushed`) and
 * supplies the raw operations; this class turns that into the seam's promises: nothing while paused,
 * data before end before close, each of the last two once, nothing from inside a method.
 */

import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { tellClosed } from "./closing.ts";

const NOBODY: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };

/** The chunk that a data handler is being shown right now; see `Stream.onLoan`. */
let shown: Chunk | undefined;

/**
 * Bytes. A client's first request usually arrives while its target is still being connected; one small
 * chunk is held without telling the runtime to stop, which would cost two system calls per connection.
 */
const SMALL = 65_536;

type Fin = "none" | "waiting" | "delivered";

export abstract class Stream implements StreamSocket {
  abstract readonly local: Address;
  abstract readonly remote: Address;
  abstract readonly buffered: number;

  #events: StreamEvents = NOBODY;
  #reading = false;
  /** The owner has read before: from then on bytes that were read come before a reset. */
  #everRead = false;
  /** The runtime was told to stop reading: by `pause`, or late, when bytes arrive before anybody has asked for them. */
  #stopped = false;
  /** Bytes that were read and may not be delivered yet. */
  #held: Chunk[] | undefined;
  #fin: Fin = "none";
  /** Set once the runtime has closed the socket. */
  #closing = false;
  #brokenTold = false;
  #aborted = false;
  #closed = false;
  #error: SocketError | undefined;

  abstract write(chunk: Chunk): boolean;
  abstract end(): void;
  abstract unacknowledged(): number | undefined;

  /** Stop or start reading in the runtime. */
  protected abstract readStop(): void;
  protected abstract readStart(): void;
  /** Send RST and free the descriptor. */
  protected abstract reset(): void;

  on(events: StreamEvents): void {
    this.#events = events;
  }

  pause(): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.#halt();
  }

  resume(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#everRead = true;
    if (this.#held || this.#fin === "waiting" || this.#closing) queueMicrotask(() => this.#catchUp());
    else this.#restart();
  }

  abort(): void {
    if (this.#closing) {
      // The peer was faster, but its close may still wait behind bytes that nobody wants any more.
      this.#aborted = true;
      queueMicrotask(() => this.#finish());
      return;
    }
    this.#aborted = true;
    this.#closing = true;
    this.reset();
    queueMicrotask(() => this.#finish());
  }

  /** No bytes can be sent any more. */
  protected get dead(): boolean {
    return this.#closing;
  }

  /** Bytes given to `write` when the socket was dead already and its owner did not know yet. */
  protected refused = 0;

  /** The answer of `write` when it takes nothing. */
  protected refuse(chunk: Chunk): boolean {
    if (this.dead && !this.#aborted) this.refused += chunk.length;
    return false;
  }

  /** The peer's FIN was seen, delivered or not. */
  protected get finSeen(): boolean {
    return this.#fin !== "none";
  }

  /**
   * Whether `chunk` is the very chunk on loan from a socket of this adapter. These runtimes never write
   * into a chunk again, so the other socket may keep it without copying: the relay's usual case.
   */
  protected onLoan(chunk: Chunk): boolean {
    return chunk === shown;
  }

  /** The runtime read `chunk`. */
  protected received(chunk: Chunk): void {
    if (this.#aborted || this.#closed) return;
    if (this.#reading && !this.#held) {
      this.#deliver(chunk);
      return;
    }
    if (this.#held) this.#held.push(chunk);
    else this.#held = [chunk];
    if (chunk.length >= SMALL || this.#held.length > 1) this.#halt();
  }

  /** The runtime read the peer's FIN. */
  protected ended(): void {
    if (this.#fin !== "none" || this.#aborted || this.#closed) return;
    this.#fin = "waiting";
    if (this.#reading && !this.#held) this.#deliverEnd();
  }

  /** The runtime closed the socket. */
  protected closed(error?: SocketError): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#error = error;
    // Who has not begun to read wants to know of a reset at once, not after bytes that nobody will ask for.
    queueMicrotask(() => {
      if (error && !this.#everRead) this.#finish();
      else {
        if (error) this.broke(error);
        this.#catchUp();
      }
    });
  }

  /** Nothing can be sent any more, although bytes may be left to read; `closed` follows. */
  protected broke(error: SocketError): void {
    if (this.#brokenTold || this.#aborted) return;
    this.#brokenTold = true;
    try {
      this.#events.broken?.(error);
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** Everything buffered is written after a write that returned false. */
  protected flushed(): void {
    if (this.#closing) return;
    try {
      this.#events.drain();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #deliver(chunk: Chunk): void {
    const outer = shown;
    shown = chunk;
    try {
      this.#events.data(chunk);
    } catch (cause) {
      this.#fail(cause);
    }
    shown = outer;
  }

  #deliverEnd(): void {
    this.#fin = "delivered";
    try {
      this.#events.end();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  /** Delivers what waited, in order, as long as the owner goes on reading. */
  #catchUp(): void {
    while (this.#reading && this.#held && !this.#aborted) {
      const chunk = this.#held.shift();
      if (this.#held.length === 0) this.#held = undefined;
      if (chunk) this.#deliver(chunk);
    }
    if (this.#held && !this.#aborted) return;
    if (this.#fin === "waiting" && !this.#aborted) {
      if (!this.#reading) return;
      this.#deliverEnd();
    }
    if (this.#closing) this.#finish();
    else if (this.#reading) this.#restart();
  }

  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = undefined;
    const events = this.#events;
    this.#events = NOBODY;
    tellClosed(events, this.#error);
  }

  #fail(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    this.abort();
  }

  #halt(): void {
    if (this.#stopped || this.#closing) return;
    this.#stopped = true;
    this.readStop();
  }

  #restart(): void {
    if (!this.#stopped || this.#closing) return;
    this.#stopped = false;
    this.readStart();
  }
}
