/** Connecting to one address that needs no resolving: the way of nearly every connection, kept short. */
import type { Address } from "../../src/net/address.ts";
import type { SocketError } from "../../src/net/errors.ts";
import type { ConnectEvents, Connecting, ConnectOptions, StreamSocket, Timer } from "../../src/net/runtime.ts";
import { attemptError } from "../portable/errors.ts";
import {
  AF_UNIX,
  EAGAIN,
  EINPROGRESS,
  EPOLLERR,
  EPOLLHUP,
  EPOLLOUT,
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_IP,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
} from "./abi.ts";
import type { Core } from "./core.ts";
import type { Destination } from "./destinations.ts";
import { STREAM_EVENTS } from "./listener.ts";
import type { Pollable } from "./loop.ts";
import { applyStreamOptions, lingerZero } from "./options.ts";
import { openSocket } from "./sockets.ts";
import { LinuxStream } from "./stream.ts";
import { errnoName, SystemError } from "./system.ts";
import type { Due } from "./timers.ts";

/** A socket on its way to `destination`, in the loop. Throws the `SystemError` of the call that failed. */
export function startConnect(core: Core, destination: Destination, options: ConnectOptions, owner: Pollable): number {
  const { system, loop } = core;
  const { family, block, length, loopback } = destination;
  const fd = openSocket(system, family, SOCK_STREAM);
  try {
    if (family !== AF_UNIX) applyStreamOptions(system, fd, options);
    if (loopback) core.pacing.none(fd);
    if (family !== AF_UNIX && options.source !== undefined) bindSource(core, fd, options.source);
    const result = system.libc.connect(fd, block.pointer, length);
    const { errno } = system;
    if (result < 0 && errno !== EINPROGRESS) throw refusal(errno);
    loop.add(fd, STREAM_EVENTS, owner);
    return fd;
  } catch (error) {
    loop.close(fd);
    throw error;
  }
}

/** The port is chosen at connect(2) alone, when it may be one that is used towards other targets (ip(7)). */
function bindSource(core: Core, fd: number, source: string): void {
  const { system } = core;
  system.setInt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const local = core.sourceOf(source);
  if (local && system.libc.bind(fd, local.block.pointer, local.length) < 0) throw system.error("bind");
}

/** What `events` say of a socket that connects: the errno of its failure, 0 when it is connected, or undefined. */
export function connectResult(core: Core, fd: number, events: number): number | undefined {
  if (events & (EPOLLERR | EPOLLHUP)) {
    const errno = core.system.getInt(fd, SOL_SOCKET, SO_ERROR) ?? 0;
    // A peer that takes the connection and drops it at once has still taken it: the stream will tell.
    if (errno !== 0) return errno;
  }
  return events & (EPOLLOUT | EPOLLHUP) ? 0 : undefined;
}

/** The stream on a socket that is connected, which inherits what `events` say besides: no other event says it again. */
export function arrived(core: Core, fd: number, events: number, to: Address, options: ConnectOptions): LinuxStream {
  const stream = new LinuxStream(core, fd, options.buffer, to, to.kind === "unix" ? to : undefined);
  stream.busyPoll = options.busyPoll ?? 0;
  core.loop.hand(fd, stream);
  stream.ready(events & ~EPOLLOUT);
  return stream;
}

export class Dial implements Connecting, Pollable, Due {
  readonly #core: Core;
  readonly #to: Address;
  readonly #options: ConnectOptions;
  #fd = -1;
  #socket: Promise<StreamSocket> | undefined;
  #owner: ConnectEvents | undefined;
  /** What it has become before anybody was there to be told. */
  #outcome: LinuxStream | SocketError | undefined;
  #timer: Timer | undefined;
  #settled = false;

  constructor(core: Core, to: Address, destination: Destination, options: ConnectOptions) {
    this.#core = core;
    this.#to = to;
    this.#options = options;
    try {
      this.#fd = startConnect(core, destination, options, this);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    const { timeout } = options;
    if (timeout > 0) this.#timer = core.after(timeout, this);
  }

  /** Made for who asks. */
  get socket(): Promise<StreamSocket> {
    this.#socket ??= new Promise((connected, failed) => this.tell({ connected, failed }));
    return this.#socket;
  }

  tell(to: ConnectEvents): void {
    this.#owner = to;
    const outcome = this.#outcome;
    if (!outcome) return;
    this.#core.loop.settles = true;
    queueMicrotask(() => this.#become(outcome));
  }

  /** Its time is over. */
  due(): void {
    this.#giveUp("ETIMEDOUT");
  }

  cancel(): void {
    this.#giveUp("ECANCELED");
  }

  ready(events: number): void {
    const errno = connectResult(this.#core, this.#fd, events);
    if (errno === undefined) return;
    if (errno !== 0) {
      this.#core.loop.close(this.#fd);
      this.#fail(new SystemError("connect", errnoName(errno)));
    } else if (this.#settle()) this.#become(arrived(this.#core, this.#fd, events, this.#to, this.#options));
  }

  failed(cause: unknown): void {
    this.#core.loop.close(this.#fd);
    this.#fail(cause);
  }

  /** A target that has just taken the connection must not think that its client is done: RST. */
  #giveUp(code: string): void {
    if (this.#settled) return;
    lingerZero(this.#core.system, this.#fd);
    this.#core.loop.close(this.#fd);
    this.#fail({ code });
  }

  #fail(thrown: unknown): void {
    if (this.#settle()) this.#become(attemptError("connect to", this.#to, thrown));
  }

  #become(outcome: LinuxStream | SocketError): void {
    const owner = this.#owner;
    if (this.#socket) this.#core.loop.settles = true;
    if (!owner) this.#outcome = outcome;
    else if (outcome instanceof LinuxStream) owner.connected(outcome);
    else owner.failed(outcome);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#timer?.cancel();
    return true;
  }
}

/** A unix socket whose backlog is full says EAGAIN (unix(7)): nobody accepts there now. */
function refusal(errno: number): SystemError {
  return new SystemError("connect", errno === EAGAIN ? "ECONNREFUSED" : errnoName(errno));
}
