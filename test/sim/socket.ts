/**
 * A stream socket on a simulated kernel, as strict and as unpleasant as the contract allows: it reads any number
 * of bytes, takes any number, and tells of things late. It notes what its owner must not do.
 */
import { type Address, formatAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, Meter, Mirror, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { Outbox } from "./outbox.ts";
import type { Process } from "./process.ts";
import type { Receiver, Transmitter, Wire } from "./wire.ts";

/** The machine on which observers are. */
export const OBSERVERS = "10.0.0.5";

const NOBODY: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };
/** What the inbox is filled with when a chunk's loan is over. */
const POISON = 0xdb;

/** A read of so many bytes is worth a mirror. */
const BULK = 1_000;

export class SimSocket implements StreamSocket, Receiver, Transmitter {
  readonly local: Address;
  readonly remote: Address;
  readonly process: Process;
  readonly incoming: Wire;
  readonly outgoing: Wire;
  readonly #outbox: Outbox;
  #events: StreamEvents = NOBODY;
  #link: { readonly to: SimSocket; readonly meter: Meter; readonly mirror: Mirror | undefined } | undefined;
  #waiting: SimSocket | undefined;
  #reading = false;
  #everRead = false;
  #broken: string | undefined;
  /** What `close` will say after a handler threw. */
  #error: SocketError | undefined;
  #brokenTold = false;
  #awake = false;
  #closed = false;
  #told = false;
  /** When the peer's FIN was told. */
  finSeenAt: number | undefined;

  constructor(process: Process, local: Address, remote: Address, limit: number, incoming: Wire, outgoing: Wire) {
    this.process = process;
    this.local = local;
    this.remote = remote;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.#outbox = new Outbox(process, outgoing, limit);
    // Frames of observers hold lines as well as what was read, and rings give many of them at once.
    this.#outbox.bounded = remote.kind !== "tcp" || remote.host !== OBSERVERS;
    incoming.receiver = this;
    outgoing.sender = this;
    process.opened(this);
  }

  /** The descriptor is closed; `close` may still have to be told. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Nothing can be sent any more. */
  get deaf(): boolean {
    return this.#closed || this.#outbox.broken;
  }

  get buffered(): number {
    return this.#outbox.bytes;
  }

  on(events: StreamEvents): void {
    this.#events = events;
    this.#wake();
  }

  link(to: SimSocket, meter: Meter, mirror?: Mirror): void {
    this.#link = { to, meter, mirror };
  }

  unlink(): void {
    this.#link = undefined;
    this.#wake();
    this.#wake();
  }

  write(chunk: Chunk): boolean {
    if (chunk.length === 0) this.process.misuse("an empty write");
    if (this.#told) this.process.misuse("write after close was told");
    if (this.#outbox.ending) this.process.misuse("write after end");
    if (this.#closed) return false;
    const goesOn = this.#outbox.write(chunk);
    this.#note(() => `write ${chunk.length}, ${this.#outbox.waiting} wait`);
    return goesOn;
  }

  end(): void {
    if (this.#outbox.ending || this.#closed) return;
    this.#note(() => "end");
    this.#outbox.end();
    this.#wake();
  }

  abort(): void {
    if (this.#closed) return;
    this.#note(() => "abort");
    this.outgoing.reset();
    this.#release();
  }

  /** As close(2) with nothing set: a FIN, or a reset if bytes were left unread; what still comes is answered with one. */
  closeBoth(): void {
    if (this.#closed) return;
    if (this.incoming.inbox.length > 0) this.outgoing.reset();
    else this.outgoing.fin();
    this.#release();
  }

  pause(): void {
    this.#note(() => "pause");
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#closed) return;
    this.#note(() => "resume");
    this.#reading = true;
    this.#everRead = true;
    this.#wake();
  }

  unacknowledged(): number | undefined {
    return this.#closed || !this.process.habits.tellsUnacknowledged ? undefined : this.outgoing.unacknowledged;
  }

  // What the kernel says.

  arrived(): void {
    if (this.incoming.resetArrived) this.outgoing.abandon();
    this.#wake();
  }

  acknowledged(): void {
    if (this.#outbox.waiting > 0 || this.#outbox.owesDrain) this.#wake();
  }

  get gone(): boolean {
    return this.#closed;
  }

  answerReset(): void {
    this.outgoing.reset();
  }

  /** Keepalive has given up, or the network says that there is no way. */
  lose(code: string): void {
    if (this.deaf) return;
    this.#break(code);
    this.outgoing.abandon();
    this.#wake();
  }

  /** The process gets to this socket when it gets to it. */
  #wake(): void {
    if (this.#awake || this.#told) return;
    this.#awake = true;
    this.process.soon(() => {
      this.#awake = false;
      this.#turn();
    });
  }

  #turn(): void {
    // Whatever has happened waits until somebody listens.
    if (this.#events === NOBODY && !this.#closed) return;
    try {
      if (!this.#closed) this.#send();
      if (!this.#closed) this.#receive();
    } catch (cause) {
      this.#error = new SocketError("EHANDLER", undefined, { cause });
      this.abort();
    }
    if (this.#closed) this.#tell(this.#error);
  }

  #send(): void {
    const outbox = this.#outbox;
    if (this.incoming.resetArrived) this.#break("ECONNRESET");
    if (this.#broken) {
      if (!this.#brokenTold) this.#events.broken?.(new SocketError(this.#broken));
      this.#brokenTold = true;
      this.#wakeWaiting();
      return;
    }
    outbox.flush();
    if (outbox.waiting > 0) return;
    if (outbox.owesDrain) {
      outbox.owesDrain = false;
      this.#note(() => "  drain");
      this.#events.drain();
    }
    this.#wakeWaiting();
  }

  #break(code: string): void {
    this.#broken ??= code;
    this.#outbox.broken = true;
  }

  #wakeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.#wake();
  }

  #receive(): void {
    const { incoming } = this;
    if (this.#finished()) {
      this.#finish();
      return;
    }
    if (!this.#reading) {
      const now = !this.#everRead || this.process.habits.tellsResetWhilePaused;
      if (this.#broken && now) this.#finish();
      return;
    }
    if (incoming.inbox.length > 0 && !this.#mayFeed()) return;
    if (incoming.inbox.length > 0 && !(this.#broken && this.process.habits.resetDiscards)) {
      this.#read();
      this.#wake();
      return;
    }
    if (this.#broken) this.#finish();
    else if (incoming.finArrived && this.finSeenAt === undefined) {
      this.finSeenAt = this.process.clock.now;
      this.#note(() => "  end");
      this.#events.end();
      if (this.#finished() && !this.#closed) this.#finish();
    }
  }

  /** Both directions are complete. */
  #finished(): boolean {
    return this.#outbox.finSent && this.finSeenAt !== undefined;
  }

  #read(): void {
    const { process, incoming } = this;
    const chunk = incoming.read(process.random.part(process.habits.read)).slice();
    const link = this.#link;
    this.#note(() => `  data ${chunk.length}${link ? ", linked" : ""}`);
    // As the kernel's tee does it: what is worth it, and only if all can take it.
    const mirrored = link?.mirror && chunk.length >= BULK ? link.mirror.ready() : undefined;
    if (!link || (link.mirror && !mirrored)) this.#events.data(chunk);
    else {
      link.meter.moved(chunk.length);
      link.to.#outbox.forward(chunk);
      link.mirror?.moved(chunk.length);
      for (const [index, socket] of (mirrored ?? []).entries()) {
        (socket as SimSocket).#outbox.forward(chunk);
        link.mirror?.mirrored(index, chunk.length, 0);
      }
    }
    chunk.fill(POISON);
  }

  /** Linked: is there room at the other end? If not, it wakes us. */
  #mayFeed(): boolean {
    const link = this.#link;
    if (!link) return true;
    const { to, meter } = link;
    if (to.deaf) return false;
    if (to.#outbox.waiting === 0) return true;
    if (to.#waiting !== this) meter.held();
    to.#waiting = this;
    return false;
  }

  #finish(): void {
    this.#release();
    this.#tell(this.#broken ? new SocketError(this.#broken) : undefined);
  }

  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.process.released(this);
    this.#wakeWaiting();
    this.#wake();
  }

  #tell(error: SocketError | undefined): void {
    if (this.#told) return;
    this.#told = true;
    this.#note(() => `  close ${error?.code ?? ""}`);
    const events = this.#events;
    this.#events = NOBODY;
    try {
      events.close(error);
    } catch (cause) {
      this.process.misuse(`a close handler threw: ${cause instanceof Error ? cause.stack : cause}`);
    }
  }

  /** Methods at the margin, events behind it. */
  #note(text: () => string): void {
    this.process.trace?.(() => `${this.#name} ${text()}`);
  }

  get #name(): string {
    const [local, remote] = [formatAddress(this.local), formatAddress(this.remote)];
    return `${this.process.name} ${local} <> ${remote}`;
  }
}
