/**
 * Datagrams on their way out of one thread, from all its sockets: up to 64 of one socket leave in one system call, at
 * the end of the batch or before anything else is received. Until then those that are passed on lie where they arrived.
 */
import { EAGAIN, ECONNREFUSED, MSG_DONTWAIT } from "./abi.ts";
import type { Inbox } from "./inbox.ts";
import type { Deferred, Loop } from "./loop.ts";
import { Outgoing } from "./outgoing.ts";
import type { System } from "./system.ts";

/** A socket that sends. */
export interface Sender {
  readonly fd: number;
  /** Where its datagrams wait for each other; set by {@link Departures} alone. */
  lane: Lane | undefined;
  /** The kernel took no more a while ago: what is sent goes behind what is kept. */
  readonly full: boolean;
  /** The kernel takes no more; this one is the sender's again. The bytes are on loan. */
  keep(bytes: Uint8Array, name: Uint8Array): void;
  /** The next call may fail for what became of an earlier datagram. */
  readonly connected: boolean;
  /** Datagrams may leave as segments of one packet; no longer once the kernel has refused that. */
  segments: boolean;
  /** ICMP said of an earlier one that nobody is there. */
  refusal(): void;
  /** One did not leave. */
  lost(): void;
}

interface Lane {
  readonly outgoing: Outgoing;
  sender: Sender | undefined;
}

/** Sockets that send by turns; if there are more, fewer datagrams leave in each call. */
const LANES = 16;

export class Departures implements Deferred {
  readonly #system: System;
  readonly #loop: Loop;
  readonly #inbox: Inbox;
  readonly #lanes: Lane[] = [];
  /** The lane to be emptied next if all are taken. */
  #next = 0;
  /** Lanes that are taken. */
  #taken = 0;
  #deferred = false;

  constructor(system: System, loop: Loop, inbox: Inbox) {
    this.#system = system;
    this.#loop = loop;
    this.#inbox = inbox;
  }

  /** `name` is the encoded address, never written into again; empty if the socket is connected. */
  send(sender: Sender, chunk: Uint8Array, name: Uint8Array): void {
    if (sender.lane?.outgoing.fits(chunk.length) === false) this.flush(sender);
    if (sender.full) {
      sender.keep(chunk, name);
      return;
    }
    const lane = sender.lane ?? this.#take(sender);
    lane.outgoing.put(chunk, name);
    if (this.#deferred) return;
    this.#deferred = true;
    this.#loop.defer(this);
  }

  /** Before anything is received, and whenever its datagrams must not wait any longer. */
  flush(sender: Sender): void {
    if (sender.lane) this.#empty(sender.lane);
  }

  flushAll(): void {
    for (let i = 0; this.#taken > 0 && i < this.#lanes.length; i++) this.#empty(this.#lanes[i] as Lane);
  }

  turn(): void {
    this.#deferred = false;
    this.flushAll();
  }

  failed(cause: unknown): void {
    throw cause;
  }

  destroy(): void {
    for (const { outgoing } of this.#lanes) outgoing.destroy();
  }

  #take(sender: Sender): Lane {
    let lane = this.#taken < this.#lanes.length ? this.#lanes.find((each) => !each.sender) : undefined;
    if (!lane && this.#lanes.length < LANES) {
      lane = { outgoing: new Outgoing(this.#system, this.#inbox), sender: undefined };
      this.#lanes.push(lane);
    }
    if (!lane) {
      lane = this.#lanes[this.#next] as Lane;
      this.#next = (this.#next + 1) % LANES;
      this.#empty(lane);
    }
    this.#taken++;
    lane.sender = sender;
    sender.lane = lane;
    return lane;
  }

  /** Gives the kernel all of a lane, in order. One that it refuses is skipped; if it is full the rest goes back. */
  #empty(lane: Lane): void {
    const { outgoing, sender } = lane;
    if (!sender) return;
    lane.sender = undefined;
    sender.lane = undefined;
    this.#taken--;
    const { libc } = this.#system;
    const { count } = outgoing;
    let headers = outgoing.compose(0, sender.segments);
    let header = 0;
    let first = 0;
    let again = false;
    while (header < headers) {
      const sent = libc.sendmmsg(sender.fd, outgoing.at(header), headers - header, MSG_DONTWAIT);
      if (sent > 0) {
        for (const end = header + sent; header < end; header++) first += outgoing.standsFor(header);
        again = false;
        continue;
      }
      const { errno } = this.#system;
      if (errno === EAGAIN) break;
      // Told once, in place of a result; this one has its turn again.
      if (errno === ECONNREFUSED) sender.refusal();
      else if (sender.connected && !again) again = true;
      else if (outgoing.standsFor(header) > 1) {
        // Longer than a packet may be on that way, or a device that cannot do checksums: each by itself.
        sender.segments = false;
        headers = outgoing.compose(first, false);
        header = 0;
      } else {
        sender.lost();
        first++;
        header++;
        again = false;
      }
    }
    for (; first < count; first++) sender.keep(outgoing.bytes(first), outgoing.name(first));
    outgoing.clear();
  }
}
