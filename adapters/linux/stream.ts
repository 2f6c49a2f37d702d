/**
 * A TCP or unix stream on a descriptor of its own. Every read goes into the core's one inbox and is shown to
 * the owner, or sent straight on where two streams are linked; in bulk the bytes stay in the kernel.
 */
import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, Meter, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import {
  EAGAIN,
  EPIPE,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLRDHUP,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SHUT_WR,
  SIOCOUTQ,
  SO_ERROR,
  SOL_SOCKET,
  SPLICE_F_MOVE,
  SPLICE_F_NONBLOCK,
} from "./abi.ts";
import { type Core, INBOX_SIZE } from "./core.ts";
import type { Deferred, Pollable } from "./loop.ts";
import { lingerZero } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { PIPE_SIZE } from "./pipes.ts";
import { localAddress } from "./sockets.ts";
import { errnoName } from "./system.ts";

const NOBODY: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };

/** Reads in one turn; then others get theirs. */
const TURNS = 16;
/** A read below this emptied the socket: asking again would only bring EAGAIN. */
const DRAINED = 65_536;
/** Reads of at least {@link DRAINED} bytes in a row that make a stream bulk, which is spliced. */
const BULK = 2;
/** A splice below this is not worth its second call. */
const BULK_LEAST = 16_384;

export class LinuxStream implements StreamSocket, Pollable, Deferred {
  readonly #core: Core;
  readonly #fd: number;
  readonly #limit: number;
  readonly #remote: Address | (() => Address);
  #local: Address | undefined;
  #events: StreamEvents = NOBODY;
  #outbox: Outbox | undefined;
  /** Where our bytes go without being shown, and who counts them. */
  #to: LinuxStream | undefined;
  #meter: Meter | undefined;
  /** The stream that is linked to us and waits for our outbox. */
  #waiting: LinuxStream | undefined;
  /** What broke the connection, as the code of an error; the bytes before it come first. */
  #failure: string | undefined;
  /** What `close` will say. */
  #error: SocketError | undefined;
  /** Bytes given to `write` after the connection broke. */
  #refused = 0;
  #bulk = 0;
  #reading = false;
  #everRead = false;
  /** There may be something to read: the kernel tells only once. */
  #readable = false;
  /** The peer will send nothing more: a short read does not mean that the socket is empty. */
  #hungUp = false;
  /** The kernel has an error for us. */
  #erred = false;
  #finSeen = false;
  #ending = false;
  #finSent = false;
  #owesDrain = false;
  #deferred = false;
  #closed = false;
  #told = false;

  /** `fd` belongs to the stream from here on; it is in the loop, or about to be. */
  constructor(core: Core, fd: number, limit: number, remote: Address | (() => Address), local?: Address) {
    this.#core = core;
    this.#fd = fd;
    this.#limit = limit;
    this.#remote = remote;
    this.#local = local;
  }

  get remote(): Address {
    return typeof this.#remote === "function" ? this.#remote() : this.#remote;
  }

  get local(): Address {
    this.#local ??= localAddress(this.#core.system, this.#fd, this.#closed);
    return this.#local;
  }

  get buffered(): number {
    return (this.#outbox?.bytes ?? 0) + this.#refused;
  }

  on(events: StreamEvents): void {
    this.#events = events;
    if (this.#failure) this.#defer();
  }

  /** See `Runtime.link`. */
  link(to: LinuxStream, meter: Meter): void {
    this.#to = to;
    this.#meter = meter;
  }

  write(chunk: Chunk): boolean {
    if (this.#ending || this.#closed || this.#failure) return this.#refuse(chunk.length);
    const sent = this.#pending ? 0 : this.#send(chunk);
    if (this.#failure) return this.#refuse(chunk.length - sent);
    if (sent === chunk.length) return true;
    return this.#keep(chunk.subarray(sent));
  }

  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    if (!this.#pending) this.#sendFin();
  }

  abort(): void {
    if (this.#closed) return;
    lingerZero(this.#core.system, this.#fd);
    this.#release();
    this.#defer();
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    this.#everRead = true;
    if (this.#readable) this.#defer();
  }

  unacknowledged(): number | undefined {
    if (this.#closed) return undefined;
    const { libc, scratch, scratchInts } = this.#core.system;
    return libc.ioctl(this.#fd, SIOCOUTQ, scratch.pointer) < 0 ? undefined : scratchInts[0];
  }

  ready(events: number): void {
    if (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
      this.#hungUp = true;
      // A read brings the bytes before the error, and then the error; who does not read has to ask for it.
      if (events & EPOLLERR) {
        this.#erred = true;
        if (!this.#reading) this.#askError();
      }
    }
    if (events & EPOLLOUT && this.#pending) this.#flush();
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP | EPOLLRDHUP)) {
      this.#readable = true;
      this.#read();
    }
  }

  turn(): void {
    this.#deferred = false;
    if (this.#closed) this.#tell();
    else if (this.#finSent && this.#finSeen) this.#finish();
    else this.#read();
  }

  /** A handler threw, or weir has a bug: this connection ends and no other. */
  failed(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    this.abort();
  }

  get #pending(): boolean {
    return this.#outbox !== undefined && this.#outbox.bytes > 0;
  }

  #read(): void {
    if (this.#closed) return;
    if (!this.#reading) {
      // Who has not begun to read wants to know of a reset at once, not after bytes that nobody will ask for.
      if (this.#failure && !this.#everRead && this.#events !== NOBODY) this.#finish();
      return;
    }
    let turns = TURNS;
    while (this.#readable && this.#reading && !this.#closed) {
      if (this.#to && !this.#mayFeed(this.#to)) return;
      if (turns-- === 0) {
        this.#defer();
        return;
      }
      if (this.#to && this.#bulk >= BULK && this.#splice(this.#to)) continue;
      this.#receive();
    }
  }

  /** One recv(2), and what follows from it. */
  #receive(): void {
    const { system, inbox } = this.#core;
    const size = Math.min(this.#limit, INBOX_SIZE);
    const count = system.libc.recv(this.#fd, inbox.pointer, size, MSG_DONTWAIT);
    if (count <= 0) {
      this.#nothing(count, system.errno);
      return;
    }
    if (count >= DRAINED) this.#bulk++;
    else {
      this.#bulk = 0;
      if (!this.#hungUp && count < size) this.#readable = false;
    }
    if (this.#to) {
      (this.#meter as Meter).moved(count);
      this.#to.#forward(count);
    } else this.#events.data(view(this.#core, count));
    if (system.arena.checked) system.arena.poison(inbox, count);
  }

  /** Moves bytes in the kernel. False: there is no way to, read them instead. */
  #splice(to: LinuxStream): boolean {
    to.#outbox ??= new Outbox(to.#core, to.#fd);
    const pipe = to.#outbox.pipe();
    const { system, pipes } = this.#core;
    if (!pipe) {
      this.#bulk = 0;
      return false;
    }
    const flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    const count = system.libc.splice(this.#fd, null, pipe.input, null, PIPE_SIZE, flags);
    const { errno } = system;
    to.#outbox.piped(Math.max(count, 0));
    if (count > 0) {
      if (count < BULK_LEAST) this.#bulk = 0;
      (this.#meter as Meter).moved(count);
      to.#flush();
      return true;
    }
    if (count < 0 && UNSUPPORTED.includes(errnoName(errno))) {
      pipes.refuse();
      this.#bulk = 0;
      return false;
    }
    this.#nothing(count, errno);
    return true;
  }

  /** A read brought no bytes. */
  #nothing(count: number, errno: number): void {
    if (count < 0 && errno !== EAGAIN) this.#broke(errno);
    else if (this.#erred) this.#askError();
    if (this.#failure) {
      this.#finish();
      return;
    }
    this.#readable = false;
    if (count < 0 || this.#finSeen) return;
    this.#finSeen = true;
    this.#events.end();
    if (this.#finSent && !this.#closed) this.#finish();
  }

  /** Asks for the error behind an EPOLLERR, unless it is known. */
  #askError(): void {
    if (!this.#failure) this.#broke(this.#core.system.getInt(this.#fd, SOL_SOCKET, SO_ERROR) ?? 0);
  }

  /** Whether `to` can take more; if not, it gives us a turn when it can. */
  #mayFeed(to: LinuxStream): boolean {
    if (to.#pending) {
      if (to.#waiting !== this) this.#meter?.held();
      to.#waiting = this;
      return false;
    }
    return !to.#closed && !to.#failure;
  }

  /** Sends the first `count` bytes of the inbox, and keeps what the kernel does not take. */
  #forward(count: number): void {
    const { inbox, system } = this.#core;
    if (this.#ending || this.#closed || this.#failure) {
      this.#refuse(count);
      return;
    }
    const sent = this.#sent(system.libc.send(this.#fd, inbox.pointer, count, MSG_NOSIGNAL | MSG_DONTWAIT));
    if (this.#failure) this.#refuse(count - sent);
    else if (sent < count) this.#outboxFor().add(inbox.bytes.subarray(sent, count));
  }

  /** Sends what the kernel takes of `chunk` and returns how much that was. */
  #send(chunk: Chunk): number {
    const { system, inbox, stage } = this.#core;
    const { libc, arena } = system;
    const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (chunk.buffer === inbox.bytes.buffer) {
      const from = arena.at(inbox, chunk.byteOffset - inbox.bytes.byteOffset);
      return this.#sent(libc.send(this.#fd, from, chunk.length, flags));
    }
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + stage.bytes.length);
      stage.bytes.set(part);
      const sent = this.#sent(libc.send(this.#fd, stage.pointer, part.length, flags));
      at += sent;
      if (sent < part.length) return at;
    }
    return chunk.length;
  }

  /** The result of a send(2) as a number of bytes. */
  #sent(result: number): number {
    if (result >= 0) return result;
    const { errno } = this.#core.system;
    if (errno !== EAGAIN) this.#broke(errno);
    return 0;
  }

  #keep(rest: Chunk): boolean {
    const outbox = this.#outboxFor();
    outbox.add(rest);
    if (outbox.bytes < this.#limit) return true;
    this.#owesDrain = true;
    return false;
  }

  #outboxFor(): Outbox {
    this.#outbox ??= new Outbox(this.#core, this.#fd);
    return this.#outbox;
  }

  #refuse(length: number): boolean {
    if (this.#failure && !this.#ending) this.#refused += length;
    return false;
  }

  /** The kernel has room again. */
  #flush(): void {
    const outbox = this.#outbox;
    if (!outbox || this.#closed) return;
    const errno = outbox.flush();
    if (errno !== 0) this.#broke(errno);
    if (outbox.bytes > 0) return;
    if (this.#ending) this.#sendFin();
    if (this.#owesDrain) {
      this.#owesDrain = false;
      this.#events.drain();
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.#defer();
  }

  #sendFin(): void {
    if (this.#finSent) return;
    this.#finSent = true;
    // close(2) sends the FIN as well, if nothing is left to be read.
    if (this.#finSeen) this.#defer();
    else this.#core.system.libc.shutdown(this.#fd, SHUT_WR);
  }

  /** The connection is broken; what was received before is still to be had. */
  #broke(errno: number): void {
    if (errno === 0 || this.#failure) return;
    // Linux says EPIPE for a reset that comes after the peer's FIN (tcp_reset), and when we write after it.
    this.#failure = errno === EPIPE ? "ECONNRESET" : errnoName(errno);
    this.#readable = true;
    this.#defer();
  }

  #finish(): void {
    if (this.#failure) this.#error ??= errorOf(this.#failure);
    this.#release();
    this.#tell();
  }

  /** The descriptor goes; `close` is still to be told. */
  #release(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.loop.close(this.#fd);
    this.#outbox?.drop();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.#defer();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    const events = this.#events;
    this.#events = NOBODY;
    this.#core.loop.settles = true;
    try {
      events.close(this.#error);
    } catch (cause) {
      console.error("weir: a close handler threw", cause);
    }
  }

  #defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#core.loop.defer(this);
  }
}

/** One error for each code: where in our loop it was noticed tells nobody anything, and a stack costs a microsecond. */
const ERRORS = new Map<string, SocketError>();

function errorOf(code: string): SocketError {
  const known = ERRORS.get(code) ?? new SocketError(code);
  ERRORS.set(code, known);
  return known;
}

/** What splice(2) says where the kernel, its configuration or a filter of system calls does not have it. */
const UNSUPPORTED: readonly string[] = ["EINVAL", "ENOSYS", "EPERM"];

/** The last view that was made: answers of one size follow each other more often than not. */
let lastView: Uint8Array = new Uint8Array(0);

function view({ inbox }: Core, count: number): Uint8Array {
  if (lastView.length !== count || lastView.buffer !== inbox.bytes.buffer) lastView = inbox.bytes.subarray(0, count);
  return lastView;
}
