/** What is counted of one session: for its record, and at once for its target, or the proxy as long as there is none. */
import { CELL, type Counters } from "../../metrics/counters.ts";
import type { Chunk, DatagramSocket } from "../../net/runtime.ts";
import type { Connection } from "../../proxy/record.ts";

export class Tally {
  counters: Counters;
  upstream = 0;
  downstream = 0;
  bytesUpstream = 0;
  bytesDownstream = 0;
  /** Bytes of the client, as far as they are known, that do not reach the target. */
  undelivered = 0;
  /** What the socket has heard of refusals, as far as it was seen. */
  refusedSeen = 0;
  #unsent = 0;
  #unsentSeen = 0;
  #overrunSeen = 0;

  constructor(counters: Counters) {
    this.counters = counters;
  }

  fromClient({ length }: Chunk): void {
    this.upstream++;
    this.bytesUpstream += length;
    this.counters.add(CELL.datagramsUpstream, 1);
    this.counters.add(CELL.bytesUpstream, length);
  }

  fromTarget({ length }: Chunk): void {
    this.downstream++;
    this.bytesDownstream += length;
    this.counters.add(CELL.datagramsDownstream, 1);
    this.counters.add(CELL.bytesDownstream, length);
  }

  /** A datagram of the client does not reach the target. */
  undeliver({ length }: Chunk): void {
    this.#unsent++;
    this.undelivered += length;
    this.counters.add(CELL.unsentUpstream, 1);
    this.counters.add(CELL.undeliveredUpstream, length);
  }

  /** One of the target cannot be sent to the client. */
  unanswered({ length }: Chunk): void {
    this.counters.add(CELL.unsentDownstream, 1);
    this.counters.add(CELL.undeliveredDownstream, length);
  }

  /** Adds what the socket has lost since the last look. */
  look(socket: DatagramSocket | undefined): void {
    if (!socket) return;
    const { unsent, overrun } = socket;
    if (unsent !== this.#unsentSeen) {
      this.#unsent += unsent - this.#unsentSeen;
      this.counters.add(CELL.unsentUpstream, unsent - this.#unsentSeen);
      this.#unsentSeen = unsent;
    }
    if (overrun === this.#overrunSeen) return;
    this.counters.add(CELL.overrunDownstream, overrun - this.#overrunSeen);
    this.#overrunSeen = overrun;
  }

  /** True: the target's machine has said since the last time that nobody listens there. */
  refusedBy({ refused }: DatagramSocket): boolean {
    if (refused === this.refusedSeen) return false;
    this.counters.add(CELL.datagramsRefused, refused - this.refusedSeen);
    this.refusedSeen = refused;
    return true;
  }

  /** `socket`: what it has lost since the last look is in it. */
  figures(socket: DatagramSocket | undefined, faulted: number): NonNullable<Connection["datagrams"]> {
    return {
      upstream: this.upstream,
      downstream: this.downstream,
      unsent: this.#unsent + (socket ? socket.unsent - this.#unsentSeen : 0),
      overrun: socket?.overrun ?? this.#overrunSeen,
      faulted,
    };
  }
}
