/**
 * A TCP or unix stream on a descriptor of its own. Every read goes into the core's one inbox and is shown to
 * the owner, or sent straight on where two streams are linked; in bulk the bytes stay in the kernel.
 */

import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, Meter, Mirror, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { tellClosed } from "../portable/closing.ts";
import {
  EAGAIN,
  EPIPE,
  EPOLLERR,
  EPOLLHUP,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  MSG_DONTWAIT,
  SIOCOUTQ,
  SO_ERROR,
  SOL_SOCKET,
} from "./abi.ts";
import { type Core, INBOX_SIZE } from "./core.ts";
import { type FastStream, SHORT } from "./fast-path.ts";
import { Link } from "./link.ts";
import type { Deferred, Pollable } from "./loop.ts";
import { lingerZero } from "./options.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import { PeerIPv4 } from "./sockaddr.ts";
import { localAddress } from "./sockets.ts";
import { errnoName, streamError } from "./system.ts";

const NOBODY: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };

/** Where a stream is in its life: its owner knows that it is broken, the descriptor is given up, the owner knows that. */
const [OPEN, BROKEN, CLOSED, TOLD] = [0, 1, 2, 3] as const;

/**
 * Why a short read does not mean that the socket is empty. EPOLLRDHUP, EPOLLHUP: the peer's FIN is behind the bytes;
 * EPOLLERR: an error is; EPOLLPRI: there are urgent bytes, at which a read stops and a splice comes to nothing (tcp(7)).
 */
const BEHIND = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI;

/** Reads in one turn; then others get theirs. */
const TURNS = 16;

export class LinuxStream implements StreamSocket, Pollable, Deferred, SenderOwner, FastStream {
  readonly #core: Core;
  readonly #fd: number;
  readonly #limit: number;
  #remote: Address | PeerIPv4;
  readonly #sender: Sender;
  waits = false;
  /** See `ConnectOptions`. */
  busyPoll = 0;
  #local: Address | undefined;
  #events: StreamEvents = NOBODY;
  /** Where our bytes go without being shown. */
  #link: Link | undefined;
  /** What broke the connection, as the code of an error; the bytes before it come first. */
  #failure: string | undefined;
  /** What `close` will say. */
  #error: SocketError | undefined;
  /** Undefined: not yet. */
  #reading: boolean | undefined;
  /** There may be something to read: the kernel tells only once. */
  #readable = false;
  /** Of {@link BEHIND}, what there was. */
  #behind = 0;
  #finSeen = false;
  #deferred = false;
  #life: number = OPEN;

  /** `fd` belongs to the stream from here on; it is in the loop, or about to be. */
  constructor(core: Core, fd: number, limit: number, remote: Address | PeerIPv4, local?: Address) {
    this.#core = core;
    this.#fd = fd;
    this.#limit = limit;
    this.#remote = remote;
    this.#local = local;
    this.#sender = new Sender(core, fd, limit, this);
  }

  get remote(): Address {
    const remote = this.#remote;
    if (!(remote instanceof PeerIPv4)) return remote;
    this.#remote = remote.address;
    return this.#remote;
  }

  get local(): Address {
    this.#local ??= localAddress(this.#core.system, this.#fd, this.closed);
    return this.#local;
  }

  /** The descriptor is given up; `close` may still have to be told. */
  get closed(): boolean {
    return this.#life >= CLOSED;
  }

  get buffered(): number {
    return this.#sender.buffered;
  }

  on(events: StreamEvents): void {
    this.#events = events;
    if (this.#failure) this.defer();
  }

  /** See `Runtime.link`. */
  link(to: LinuxStream, meter: Meter, mirror?: Mirror): void {
    this.#core.fastPath.forget(this.#fd);
    const sender = (socket: StreamSocket) => (socket as LinuxStream).#sender;
    this.#link = new Link(this.#core, to.#sender, meter, mirror && { mirror, sender });
  }

  /** See `Runtime.unlink`. */
  unlink(): void {
    this.#core.fastPath.forget(this.#fd);
    this.#link?.end();
    this.#link = undefined;
    if (this.#readable) this.defer();
  }

  write(chunk: Chunk): boolean {
    if (this.busyPoll > 0) this.#core.loop.busyPoll.asked(this.busyPoll);
    return this.#sender.write(chunk);
  }

  end(): void {
    this.#sender.end();
  }

  abort(): void {
    if (this.closed) return;
    lingerZero(this.#core.system, this.#fd);
    this.#release();
    this.defer();
  }

  pause(): void {
    this.#core.fastPath.forget(this.#fd);
    this.#reading &&= false;
  }

  resume(): void {
    if (this.#reading || this.closed) return;
    this.#reading = true;
    if (this.#readable) this.defer();
  }

  unacknowledged(): number | undefined {
    if (this.closed) return undefined;
    const { libc, scratch, scratchInts } = this.#core.system;
    return libc.ioctl(this.#fd, SIOCOUTQ, scratch.pointer) < 0 ? undefined : scratchInts[0];
  }

  ready(events: number): void {
    const behind = events & BEHIND;
    if (behind !== 0) {
      this.#behind |= behind;
      // A read brings the bytes before the error, and then the error; who does not read has to ask for it.
      if (events & EPOLLERR && !this.#reading) this.#askError();
    }
    if (this.waits && events & EPOLLOUT) this.#sender.flush();
    if (events & (EPOLLIN | BEHIND)) {
      this.#readable = true;
      this.#read();
    }
  }

  turn(): void {
    this.#deferred = false;
    if (this.#failure) this.#tellBroken();
    if (this.closed) this.#tell();
    else if (this.#sender.finSent && this.#finSeen) this.#finish();
    else this.#read();
  }

  /** Asks the loop for a turn. */
  defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#core.loop.defer(this);
  }

  /** A handler threw, or weir has a bug: this connection ends and no other. */
  failed(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    this.abort();
  }

  /** The connection is broken; what was received before is still to be had. */
  broke(errno: number): void {
    if (errno === 0 || this.#failure) return;
    // Linux says EPIPE for a reset that comes after the peer's FIN (tcp_reset), and when we write after it.
    this.#failure = errno === EPIPE ? "ECONNRESET" : errnoName(errno);
    this.#sender.stop();
    this.#readable = true;
    this.defer();
  }

  drained(): void {
    this.#events.drain();
  }

  /** close(2) sends the FIN as well, if nothing is left to be read. */
  finishes(): boolean {
    if (this.#finSeen) this.defer();
    return this.#finSeen;
  }

  #read(): void {
    if (this.closed) return;
    if (!this.#reading) {
      // Who has not begun to read wants to know of a reset at once, not after bytes that nobody will ask for.
      if (this.#failure && this.#reading === undefined && this.#events !== NOBODY) this.#finish();
      return;
    }
    for (let turns = TURNS; this.#readable && this.#reading && !this.closed; turns--) {
      const link = this.#link;
      if (link && !link.mayFeed(this)) return;
      if (turns === 0) {
        this.defer();
        return;
      }
      const moved = this.#behind & EPOLLPRI ? undefined : link?.splice(this.#fd);
      if (moved === undefined) this.#receive();
      else if (link && moved <= 0) this.#nothing(moved, link.errno);
    }
  }

  received(count: number, errno: number): void {
    this.#readable = true;
    this.#took(count, errno, INBOX_SIZE);
    this.#read();
  }

  unsent(count: number, result: number, errno: number): void {
    this.#link?.unsent(count, result, errno);
  }

  #receive(): void {
    const { system, inbox } = this.#core;
    const size = Math.min(this.#limit, INBOX_SIZE);
    this.#took(system.libc.recv(this.#fd, inbox.pointer, size, MSG_DONTWAIT), system.errno, size);
  }

  /** What follows from a recv(2) of `size` bytes. */
  #took(count: number, errno: number, size: number): void {
    if (count <= 0) {
      this.#nothing(count, errno);
      return;
    }
    const { arena } = this.#core.system;
    // It has emptied the socket: asking again would only bring EAGAIN.
    if (count < SHORT && count < size && this.#behind === 0) this.#readable = false;
    if (this.busyPoll > 0) this.#core.loop.busyPoll.answered();
    const link = this.#link;
    if (!link?.forward(count)) this.#events.data(this.#core.received(count));
    else if (this.#plain) link.hasten(this.#fd, this);
    if (arena.checked) arena.poison(this.#core.inbox, count);
  }

  /** The next bytes may be received into all of the inbox, and EPOLLIN is all that there is to hear of. */
  get #plain(): boolean {
    return this.#life === OPEN && this.#reading === true && !this.waits && this.#limit >= INBOX_SIZE;
  }

  /** A read brought no bytes. */
  #nothing(count: number, errno: number): void {
    if (count < 0 && errno !== EAGAIN) this.broke(errno);
    else if (this.#behind & EPOLLERR) this.#askError();
    if (this.#failure) {
      this.#finish();
      return;
    }
    this.#readable = false;
    if (count < 0 || this.#finSeen) return;
    this.#finSeen = true;
    this.#events.end();
    if (this.#sender.finSent && !this.closed) this.#finish();
  }

  /** Asks for the error behind an EPOLLERR, unless it is known. */
  #askError(): void {
    if (!this.#failure) this.broke(this.#core.system.getInt(this.#fd, SOL_SOCKET, SO_ERROR) ?? 0);
  }

  /** Bytes may still be there to be read, but nothing can be sent: the owner may have reason to act. */
  #tellBroken(): void {
    if (this.#life !== OPEN || this.#events === NOBODY) return;
    this.#life = BROKEN;
    this.#events.broken?.(streamError(this.#failure ?? ""));
  }

  #finish(): void {
    if (this.#failure) this.#error ??= streamError(this.#failure);
    this.#release();
    this.#tell();
  }

  /** The descriptor goes; `close` is still to be told. */
  #release(): void {
    if (this.closed) return;
    this.#life = CLOSED;
    this.#link?.end();
    this.#core.loop.close(this.#fd);
    this.#sender.close();
  }

  #tell(): void {
    if (this.#life === TOLD) return;
    this.#life = TOLD;
    const events = this.#events;
    this.#events = NOBODY;
    this.#core.loop.settles = true;
    tellClosed(events, this.#error);
  }
}
