/** UDP with up to 64 datagrams per system call, received at once and sent at the end of the batch. */

import { SocketError } from "../../src/net/errors.ts";
import type {
  Chunk,
  DatagramEvents,
  DatagramOptions,
  DatagramSocket,
  Endpoint,
  Membership,
} from "../../src/net/runtime.ts";
import { tellClosed } from "../portable/closing.ts";
import { sameEndpoint } from "../portable/endpoint.ts";
import { attemptError } from "../portable/errors.ts";
import { groupRequest, socketOptions } from "../portable/linux-multicast.ts";
import { Memberships } from "../portable/memberships.ts";
import {
  AF_INET6,
  EAGAIN,
  ECONNREFUSED,
  EPOLLET,
  EPOLLIN,
  EPOLLOUT,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  MSG_DONTWAIT,
  SO_ERROR,
  SO_MEMINFO,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOL_SOCKET,
  SOL_UDP,
  UDP_SEGMENT,
} from "./abi.ts";
import type { Core } from "./core.ts";
import { Names, Peers } from "./datagram-peers.ts";
import type { Departures, Sender } from "./departures.ts";
import type { Inbox } from "./inbox.ts";
import type { Deferred, Pollable } from "./loop.ts";
import { MESSAGES } from "./messages.ts";
import { familyOf } from "./sockaddr.ts";
import { bindTo, connectTo, localEndpoint, openSocket } from "./sockets.ts";
import type { System } from "./system.ts";

/** Where a connected socket sends: what connect(2) said. */
const CONNECTED = new Uint8Array(0);
const NOBODY: DatagramEvents = { message() {}, close() {} };
/** The largest payload: 65,535 bytes less a UDP header; IPv4 takes 20 more (RFC 768, RFC 791). */
const PAYLOAD_MAX = 65_527;
/** What a datagram that waits costs besides its bytes. */
const OVERHEAD = 256;
/** Calls of recvmmsg in one turn; then others get theirs. */
const TURNS = 8;
/** Bytes that wait for a full kernel; what comes on top is not sent. */
const WAITING_MAX = 1 << 20;

export async function openDatagram(core: Core, at: Endpoint, options: DatagramOptions): Promise<DatagramSocket> {
  const { fd, local } = bindDatagram(core.system, at, options);
  return new LinuxDatagram(core, fd, local, familyOf(at.host), options.remote);
}

/** Serves a datagram socket that somebody else made, and closes. */
export function adoptDatagram(core: Core, fd: number, at: Endpoint): DatagramSocket {
  return new LinuxDatagram(core, fd, at, familyOf(at.host), undefined, true);
}

/** A socket that somebody is to serve, and its address. Throws a `SocketError` that names it. */
export function bindDatagram(system: System, at: Endpoint, options: DatagramOptions): { fd: number; local: Endpoint } {
  let fd = -1;
  try {
    const family = familyOf(at.host);
    fd = openSocket(system, family, SOCK_DGRAM);
    if (family === AF_INET6) system.setInt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    const { receiveBuffer, shared = false, remote } = options;
    if (receiveBuffer > 0 && system.setInt(fd, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer) < 0) {
      system.setInt(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
    }
    if (shared) system.setInt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    for (const option of socketOptions(at.host, options)) system.setOption(fd, option);
    if (bindTo(system, fd, at) < 0) throw system.error("bind");
    if (remote && connectTo(system, fd, remote) < 0) throw system.error("connect");
    return { fd, local: { host: at.host, port: localEndpoint(system, fd)?.port ?? at.port } };
  } catch (thrown) {
    if (fd >= 0) system.close(fd);
    throw attemptError("listen on", { kind: "tcp", ...at }, thrown);
  }
}

interface Held {
  readonly bytes: Uint8Array;
  readonly from: Endpoint;
}

interface Waiting {
  readonly bytes: Uint8Array;
  readonly name: Uint8Array;
}

class LinuxDatagram implements DatagramSocket, Pollable, Deferred, Sender {
  readonly local: Endpoint;
  readonly fd: number;
  lane: Sender["lane"];
  segments: boolean;
  unsent = 0;
  refused = 0;
  #overrun = 0;
  readonly #core: Core;
  readonly #inbox: Inbox;
  readonly #departures: Departures;
  /** Whom alone to send to and hear, of a connected socket. */
  readonly #remote: Endpoint | undefined;
  /** The same, as it comes with datagrams. */
  #heard: Endpoint | undefined;
  /** The descriptor is somebody else's. */
  readonly #adopted: boolean;
  readonly #names: Names;
  readonly #peers: Peers;
  #memberships: Memberships | undefined;
  #events: DatagramEvents = NOBODY;
  #error: SocketError | undefined;
  #reading = false;
  #readable = false;
  #closed = false;
  #deferred = false;
  /** Less than one call's worth. */
  readonly #held: Held[] = [];
  /** What a full kernel has not taken. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  constructor(core: Core, fd: number, local: Endpoint, family: number, remote?: Endpoint, adopted = false) {
    this.#core = core;
    this.#inbox = core.datagrams.inbox;
    this.#departures = core.datagrams.departures;
    this.fd = fd;
    // A kernel that does not know segments (before 4.18) would take them for one datagram.
    this.segments = core.system.setInt(fd, SOL_UDP, UDP_SEGMENT, 0) === 0;
    this.local = local;
    this.#names = new Names(core.system, family);
    this.#peers = new Peers(this.#inbox);
    this.#remote = remote;
    this.#adopted = adopted;
    core.loop.add(fd, EPOLLIN | EPOLLOUT | EPOLLET, this);
  }

  /** As far as the kernel tells (SO_MEMINFO, Linux 4.12). */
  get overrun(): number {
    if (!this.#closed) this.#overrun = dropsOf(this.#core.system, this.fd);
    return this.#overrun;
  }

  on(events: DatagramEvents): void {
    this.#events = events;
  }

  send(chunk: Chunk, to: Endpoint): void {
    const name = this.#remote ? CONNECTED : this.#names.of(to);
    if (this.#closed || !name || chunk.length > PAYLOAD_MAX) this.unsent++;
    else this.#departures.send(this, chunk, name);
  }

  pause(): void {
    this.#reading = false;
  }

  resume(): void {
    if (this.#reading || this.#closed) return;
    this.#reading = true;
    if (this.#readable || this.#held.length > 0) this.#defer();
  }

  join(membership: Membership): void {
    if (this.#closed) throw new SocketError("EBADF", `Cannot join ${membership.group}: the socket is closed (EBADF)`);
    const { system } = this.#core;
    this.#memberships ??= new Memberships(this.local.host, {
      enter: (each) => system.setOption(this.fd, groupRequest(each, true)),
      exit: (each) => system.setOption(this.fd, groupRequest(each, false)),
    });
    this.#memberships.join(membership);
  }

  leave(membership: Membership): void {
    this.#memberships?.leave(membership);
  }

  joined(membership: Membership): boolean | undefined {
    return this.#memberships ? this.#memberships.joined(membership) : false;
  }

  close(): void {
    if (this.#closed) return;
    this.#departures.flush(this);
    const events = this.#events;
    this.#events = NOBODY;
    this.#sendWaiting();
    this.#events = events;
    this.#memberships = undefined;
    this.unsent += this.#waiting.length;
    this.#waiting = [];
    this.#overrun = this.overrun;
    this.#closed = true;
    if (this.#adopted) this.#core.loop.remove(this.fd);
    else this.#core.loop.close(this.fd);
    this.#defer();
  }

  ready(events: number): void {
    const { system } = this.#core;
    // What the network said of an earlier datagram (ICMP) is no end of the socket; asking clears it.
    const failed = events & ~(EPOLLIN | EPOLLOUT) ? system.getInt(this.fd, SOL_SOCKET, SO_ERROR) : 0;
    if (failed === ECONNREFUSED) this.refused++;
    if (events & EPOLLOUT) this.#sendWaiting();
    if (events & EPOLLIN) {
      this.#readable = true;
      this.#read();
    }
  }

  turn(): void {
    this.#deferred = false;
    if (this.#closed) {
      const events = this.#events;
      this.#events = NOBODY;
      this.#core.loop.settles = true;
      tellClosed(events, this.#error);
      return;
    }
    this.#read();
  }

  failed(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    this.close();
  }

  get full(): boolean {
    return this.#waiting.length > 0;
  }

  keep(bytes: Uint8Array, name: Uint8Array): void {
    const room = bytes.length + OVERHEAD;
    if (this.#waitingBytes + room > WAITING_MAX) {
      this.unsent++;
      return;
    }
    this.#waiting.push({ bytes: bytes.slice(), name });
    this.#waitingBytes += room;
  }

  get connected(): boolean {
    return this.#remote !== undefined;
  }

  refusal(): void {
    this.refused++;
  }

  lost(): void {
    this.unsent++;
  }

  /** The kernel takes datagrams again; what it does not take is kept again, in the same order. */
  #sendWaiting(): void {
    if (this.#waiting.length === 0) return;
    const due = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const { bytes, name } of due) this.#departures.send(this, bytes, name);
    this.#departures.flush(this);
    if (!this.full) this.#events.drain?.();
  }

  #read(): void {
    while (this.#reading && !this.#closed && this.#held.length > 0) {
      const { bytes, from } = this.#held.shift() as Held;
      this.#events.message(bytes, from);
    }
    const inbox = this.#inbox;
    for (let left = TURNS; this.#readable && this.#reading && !this.#closed; left--) {
      if (left === 0) {
        this.#defer();
        return;
      }
      // What is passed on lies in the inbox until it has left.
      this.#departures.flushAll();
      const count = inbox.receive(this.fd, MSG_DONTWAIT);
      if (count < 0) this.#notReceived(this.#core.system.errno);
      else if (count < MESSAGES) this.#readable = false;
      for (let i = 0; i < count; i++) {
        if (this.#closed) return;
        const from = this.#peers.of(i);
        // What came between bind(2) and connect(2) waits in the queue.
        if (this.#remote && !this.#isRemote(from, this.#remote)) continue;
        if (this.#reading) this.#events.message(inbox.received(i), from);
        // Read already when its owner paused: there is no way back into the kernel.
        else this.#held.push({ bytes: inbox.received(i).slice(), from });
      }
    }
  }

  #isRemote(from: Endpoint, remote: Endpoint): boolean {
    if (from === this.#heard) return true;
    if (!sameEndpoint(from, remote)) return false;
    this.#heard = from;
    return true;
  }

  #notReceived(errno: number): void {
    if (errno === ECONNREFUSED) this.refused++;
    else if (errno === EAGAIN) this.#readable = false;
  }

  #defer(): void {
    if (this.#deferred) return;
    this.#deferred = true;
    this.#core.loop.defer(this);
  }
}

/** The ninth of the numbers that SO_MEMINFO gives (include/uapi/linux/sock_diag.h, SK_MEMINFO_DROPS). */
const DROPS = 8;

function dropsOf(system: System, fd: number): number {
  const { libc, scratch, scratchInts } = system;
  scratchInts[0] = 4 * (DROPS + 1);
  const failed = libc.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, system.scratchAt(16), scratch.pointer) < 0;
  return failed ? 0 : (scratchInts[4 + DROPS] ?? 0) >>> 0;
}
