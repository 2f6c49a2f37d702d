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
  EPOLLRDHUP,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
} from "./abi.ts";
import type { Core } from "./core.ts";
import type { Pollable } from "./loop.ts";
import { decodeEndpoint, decodeIPv4, decodePort, formatIPv4, SOCKADDR_MAX } from "./sockaddr.ts";
import { LinuxStream } from "./stream.ts";
import { errnoName } from "./system.ts";

/** Connections accepted per event. */
const BATCH = 32;
/** Milliseconds of rest when the kernel has nothing left to accept with. */
const REST = 100;
const EXHAUSTED: readonly number[] = [EMFILE, ENFILE, ENOBUFS, ENOMEM];

/** What a stream is registered for, once and for all. */
export const STREAM_EVENTS = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
const UNNAMED: Address = { kind: "unix", path: "" };

export class LinuxListener implements Listener, Pollable {
  readonly address: Address;
  readonly #core: Core;
  readonly #fd: number;
  readonly #options: ListenOptions;
  readonly #accept: (socket: StreamSocket) => void;
  readonly #release: () => void;
  #paused = false;
  #resting = false;
  #closed = false;

  /** `release` is called once, when the listener is closed: what becomes of `fd` is its affair. */
  constructor(
    core: Core,
    fd: number,
    address: Address,
    options: ListenOptions,
    accept: (socket: StreamSocket) => void,
    release: () => void,
  ) {
    this.#core = core;
    this.#fd = fd;
    this.address = address;
    this.#options = options;
    this.#accept = accept;
    this.#release = release;
    this.#enter();
  }

  pause(): void {
    if (this.#paused || this.#closed) return;
    this.#paused = true;
    if (!this.#resting) this.#core.loop.remove(this.#fd);
  }

  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    if (!this.#resting) this.#enter();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    if (!this.#paused && !this.#resting) this.#core.loop.remove(this.#fd);
    this.#closed = true;
    this.#release();
  }

  ready(): void {
    const { system, loop } = this.#core;
    const { libc, scratch, scratchInts } = system;
    loop.settles = true;
    for (let left = BATCH; left > 0 && !this.#paused && !this.#closed; left--) {
      scratchInts[0] = SOCKADDR_MAX;
      const fd = system.opened(
        libc.accept4(this.#fd, system.namePointer, scratch.pointer, SOCK_NONBLOCK | SOCK_CLOEXEC),
      );
      if (fd >= 0) this.#take(fd);
      else {
        if (EXHAUSTED.includes(system.errno)) this.#rest(system.errno);
        return;
      }
    }
  }

  /** A handler of the owner threw before the connection was its own; the listener goes on. */
  failed(cause: unknown): void {
    console.error("weir: accepting a connection failed", cause);
  }

  #take(fd: number): void {
    const core = this.#core;
    const unix = this.address.kind === "unix";
    const remote = unix ? UNNAMED : addressLater(core.system.name);
    const stream = new LinuxStream(core, fd, this.#options.buffer, remote, unix ? this.address : undefined);
    core.loop.add(fd, STREAM_EVENTS, stream);
    this.#accept(stream);
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

/** The address of a peer, made into text only when somebody asks: two numbers for IPv4. */
function addressLater(from: Uint8Array): Address | (() => Address) {
  const port = decodePort(from);
  const bits = decodeIPv4(from);
  if (bits === undefined) return { kind: "tcp", ...decodeEndpoint(from) };
  return () => ({ kind: "tcp", host: formatIPv4(bits), port });
}
