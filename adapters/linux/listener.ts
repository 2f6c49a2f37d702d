/**
 * A listening socket in the loop of one thread. Level-triggered, and accepted in small batches: what is left
 * in the kernel's queue brings the next event, so a storm of clients cannot starve those that are connected.
 */
import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Listener, ListenOptions, StreamSocket } from "../../src/net/runtime.ts";
import {
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLIN,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from "./abi.ts";
import type { Core } from "./core.ts";
import type { Pollable } from "./loop.ts";
import { decodeEndpoint, decodeIPv4, decodePort, PeerIPv4, SOCKADDR_MAX } from "./sockaddr.ts";
import { LinuxStream } from "./stream.ts";
import { errnoName } from "./system.ts";

/** Connections accepted per event. */
const BATCH = 32;
/** Milliseconds of rest when the kernel has nothing left to accept with. */
const REST = 100;
const EXHAUSTED: readonly number[] = [EMFILE, ENFILE, ENOBUFS, ENOMEM];

/** What a stream is registered for, once and for all. */
export const STREAM_EVENTS = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;
const UNNAMED: Address = { kind: "unix", path: "" };

/** How the listening socket ends. */
export interface Ending {
  /** No more connections come, where those that wait can be accepted all the same: over unix sockets alone. */
  stop(): void;
  /** No more connections come, and those that nobody has accepted are reset. */
  close(): void;
}

export class LinuxListener implements Listener, Pollable {
  readonly address: Address;
  readonly #core: Core;
  readonly #fd: number;
  readonly #options: ListenOptions;
  readonly #accept: (socket: StreamSocket) => void;
  readonly #ending: Ending;
  #paused = false;
  #resting = false;
  #closed = false;

  /** `ending`: what becomes of `fd` when the listener is closed. */
  constructor(
    core: Core,
    fd: number,
    address: Address,
    options: ListenOptions,
    accept: (socket: StreamSocket) => void,
    ending: Ending,
  ) {
    this.#core = core;
    this.#fd = fd;
    this.address = address;
    this.#options = options;
    this.#accept = accept;
    this.#ending = ending;
    this.#enter();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    if (!this.#resting && !this.#closed) this.#core.loop.remove(this.#fd);
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (!this.#resting && !this.#closed) this.#enter();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    if (!this.#paused && !this.#resting) this.#core.loop.remove(this.#fd);
    this.#closed = true;
    this.#ending.stop();
    this.#acceptAll();
    this.#ending.close();
  }

  ready(): void {
    this.#core.loop.settles = true;
    for (let left = BATCH; left > 0 && !this.#paused && !this.#closed; left--) if (!this.#acceptOne()) return;
  }

  /** A handler of the owner threw before the connection was its own; the listener goes on. */
  failed(cause: unknown): void {
    console.error("weir: accepting a connection failed", cause);
  }

  /**
   * Until the queue is empty, with the end of listening straight after it, in the same turn: two system calls lie
   * between the last look and the end, and what comes then is lost (see `Listener.close`).
   */
  #acceptAll(): void {
    this.#core.loop.settles = true;
    // Twice as many as fit into the queue: where clients come faster than they are accepted it is never empty.
    for (let left = 2 * this.#options.backlog; left > 0 && !this.#paused; left--) {
      try {
        if (!this.#acceptOne()) return;
      } catch (cause) {
        this.failed(cause);
      }
    }
  }

  /** False: nobody waits, or there is nothing left to accept with. */
  #acceptOne(): boolean {
    const { system } = this.#core;
    const { libc, scratch, scratchInts } = system;
    scratchInts[0] = SOCKADDR_MAX;
    const fd = system.opened(libc.accept4(this.#fd, system.namePointer, scratch.pointer, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd >= 0) this.#take(fd);
    else if (EXHAUSTED.includes(system.errno)) this.#rest(system.errno);
    return fd >= 0;
  }

  #take(fd: number): void {
    const core = this.#core;
    const unix = this.address.kind === "unix";
    const remote = unix ? UNNAMED : addressLater(core.system.name);
    const stream = new LinuxStream(core, fd, this.#options.buffer, remote, unix ? this.address : undefined);
    try {
      this.#accept(stream);
    } finally {
      // Who is refused at once never gets into the loop.
      if (!stream.closed) core.loop.add(fd, STREAM_EVENTS, stream);
    }
  }

  /** Nothing to accept with: the queue would bring an event after the other, so we leave it alone for a while. */
  #rest(errno: number): void {
    const { loop } = this.#core;
    this.#options.exhausted?.(new SocketError(errnoName(errno)));
    if (this.#paused || this.#closed || this.#resting) return;
    this.#resting = true;
    loop.remove(this.#fd);
    loop.timers.set(loop.now + REST, () => {
      this.#resting = false;
      if (!this.#paused && !this.#closed) this.#enter();
    });
  }

  #enter(): void {
    // Several threads may wait on one socket (unix has no SO_REUSEPORT); one of them is woken.
    const shared = this.address.kind === "unix" ? EPOLLEXCLUSIVE : 0;
    this.#core.loop.add(this.#fd, EPOLLIN | shared, this);
  }
}

/** The address of a peer, made into text only when somebody asks. */
function addressLater(from: Uint8Array): Address | PeerIPv4 {
  const bits = decodeIPv4(from);
  return bits === undefined ? { kind: "tcp", ...decodeEndpoint(from) } : new PeerIPv4(bits, decodePort(from));
}
