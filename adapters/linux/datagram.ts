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
} from "./abi.ts";
import type { Core } from "./core.ts";
import type { Deferred, Pollable } from "./loop.ts";
import { MESSAGES } from "./messages.ts";
import { decodeEndpoint, decodeIPv4, decodePort, encodeEndpoint, familyOf, formatIPv4 } from "./sockaddr.ts";
import { bindTo, connectTo, localEndpoint, openSocket } from "./sockets.ts";
import type { System } from "./system.ts";

/** Where a connected socket sends: what connect(2) said. */
const NOWHERE = new Uint8Array(0);
const NOBODY: DatagramEvents = { message() {}, close() {} };
/** The largest payload: 65,535 bytes less a UDP header; IPv4 takes 20 more (RFC 768, RFC 791). */
const PAYLOAD_MAX = 65_527;
/** Calls of recvmmsg in one turn; then others get theirs. */
const TURNS = 8;
/** Bytes that wait for a full kernel; what comes on top is not sent. */
const WAITING_MAX = 1 << 20;
/** Addresses remembered as objects. */
const PEERS_MAX = 4_096;

export async function openDatagram(core: Core, at: Endpoint, options: DatagramOptions): Promise<DatagramSocket> {
  const { system } = core;
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
    const local = { host: at.host, port: localEndpoint(system, fd)?.port ?? at.port };
    return new LinuxDatagram(core, fd, local, family, remote);
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

class LinuxDatagram implements DatagramSocket, Pollable, Deferred {
  readonly local: Endpoint;
  unsent = 0;
  refused = 0;
  #overrun = 0;
  readonly #core: Core;
  readonly #fd: number;
  readonly #family: number;
  /** Whom alone to send to and hear, of a connected socket. */
  readonly #remote: Endpoint | undefined;
  #memberships: Memberships | undefined;
  #events: DatagramEvents = NOBODY;
  #error: SocketError | undefined;
  #reading = false;
  #readable = false;
  #closed = false;
  #deferred = false;
  /** Less than one call's worth. */
  readonly #held: Held[] = [];
  readonly #peers = new Map<number, Endpoint>();
  readonly #names = new WeakMap<Endpoint, Uint8Array>();
  /** What `send` has taken and the kernel has not; what waits behind a full kernel has a bound. */
  #queue: Waiting[] = [];
  #queued = 0;

  constructor(core: Core, fd: number, local: Endpoint, family: number, remote: Endpoint | undefined) {
    this.#core = core;
    this.#fd = fd;
    this.local = local;
    this.#family = family;
    this.#remote = remote;
    core.loop.add(fd, EPOLLIN | EPOLLOUT | EPOLLET, this);
  }

  /** As far as the kernel tells (SO_MEMINFO, Linux 4.12). */
  get overrun(): number {
    if (!this.#closed) this.#overrun = dropsOf(this.#core.system, this.#fd);
    return this.#overrun;
  }

  on(events: DatagramEvents): void {
    this.#events = events;
  }

  send(chunk: Chunk, to: Endpoint): void {
    if (this.#closed || chunk.length > PAYLOAD_MAX || this.#queued + chunk.length > WAITING_MAX) {
      this.unsent++;
      return;
    }
    this.#queue.push({ bytes: chunk.slice(), name: this.#nameOf(to) });
    this.#queued += chunk.length;
    if (this.#queue.length === MESSAGES) this.#flush();
    else this.#defer();
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
      enter: (each) => system.setOption(this.#fd, groupRequest(each, true)),
      exit: (each) => system.setOption(this.#fd, groupRequest(each, false)),
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
    this.#memberships = undefined;
    if (!this.#error) this.#flush();
    this.unsent += this.#queue.length;
    this.#queue = [];
    this.#closed = true;
    this.#core.loop.close(this.#fd);
    this.#defer();
  }

  ready(events: number): void {
    const { system } = this.#core;
    // What the network said of an earlier datagram (ICMP) is no end of the socket; asking clears it.
    if (events & ~(EPOLLIN | EPOLLOUT)) this.#reported(system.getInt(this.#fd, SOL_SOCKET, SO_ERROR) ?? 0);
    if (events & EPOLLOUT && this.#queue.length > 0) this.#flush();
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
    if (this.#queue.length > 0) this.#flush();
    this.#read();
  }

  failed(cause: unknown): void {
    this.#error ??= new SocketError("EHANDLER", undefined, { cause });
    this.close();
  }

  #read(): void {
    while (this.#reading && !this.#closed && this.#held.length > 0) {
      const { bytes, from } = this.#held.shift() as Held;
      this.#events.message(bytes, from);
    }
    const { system, inMessages: messages } = this.#core;
    for (let left = TURNS; this.#readable && this.#reading && !this.#closed; left--) {
      if (left === 0) {
        this.#defer();
        return;
      }
      messages.expect();
      const count = system.libc.recvmmsg(this.#fd, messages.at(0), MESSAGES, MSG_DONTWAIT, null);
      if (count < 0) {
        const { errno } = system;
        if (errno === EAGAIN) this.#readable = false;
        else this.#reported(errno);
      }
      if (count > 0 && count < MESSAGES) this.#readable = false;
      for (let i = 0; i < count; i++) {
        const from = this.#peerOf(messages.name(i));
        if (this.#closed) return;
        // What came between bind(2) and connect(2) waits in the queue.
        if (this.#remote && !sameEndpoint(from, this.#remote)) continue;
        if (this.#reading) this.#events.message(messages.received(i), from);
        // Read already when its owner paused: there is no way back into the kernel.
        else this.#held.push({ bytes: messages.received(i).slice(), from });
      }
    }
  }

  /** Hands the queue to the kernel until it takes no more; a datagram that it refuses is skipped and counted. */
  #flush(): void {
    const { system, outMessages: messages } = this.#core;
    let done = 0;
    while (done < this.#queue.length) {
      const part = this.#queue.slice(done, done + MESSAGES);
      for (const [index, { bytes, name }] of part.entries()) messages.put(index, bytes, name);
      let first = 0;
      while (first < part.length) {
        const count = system.libc.sendmmsg(this.#fd, messages.at(first), part.length - first, MSG_DONTWAIT);
        if (count > 0) first += count;
        else if (system.errno === EAGAIN) {
          this.#forget(done + first);
          return;
        } else if (!this.#reported(system.errno)) {
          // About an earlier one; this one has its turn again.
          this.unsent++;
          first++;
        }
      }
      done += first;
    }
    this.#forget(done);
  }

  /** Whether `errno` is ICMP's answer to a datagram that has left. The kernel says it once. */
  #reported(errno: number): boolean {
    if (errno !== ECONNREFUSED) return false;
    this.refused++;
    return true;
  }

  /** The first `count` of the queue are dealt with. */
  #forget(count: number): void {
    for (const { bytes } of this.#queue.splice(0, count)) this.#queued -= bytes.length;
  }

  #peerOf(name: Uint8Array): Endpoint {
    const bits = decodeIPv4(name);
    if (bits === undefined) return decodeEndpoint(name);
    const port = decodePort(name);
    const key = bits * 65_536 + port;
    const known = this.#peers.get(key);
    if (known) return known;
    if (this.#peers.size >= PEERS_MAX) this.#peers.clear();
    const peer = { host: formatIPv4(bits), port };
    this.#peers.set(key, peer);
    return peer;
  }

  #nameOf(to: Endpoint): Uint8Array {
    if (this.#remote) return NOWHERE;
    const known = this.#names.get(to);
    if (known) return known;
    const name = new Uint8Array(128);
    // An IPv6 socket reaches IPv4 by mapped addresses (RFC 4291 section 2.5.5.2).
    const mapped = this.#family === AF_INET6 && familyOf(to.host) !== AF_INET6;
    const host = mapped ? `::ffff:${to.host}` : to.host;
    const length = encodeEndpoint(name, { host, port: to.port }, this.#core.system);
    this.#names.set(to, name.subarray(0, length));
    return name.subarray(0, length);
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
