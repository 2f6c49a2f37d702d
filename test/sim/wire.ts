/**
 * One direction of a simulated connection, from the sending kernel to the receiving one: a send buffer, the way
 * between, a receive buffer that closes the window when it is full, and at the end a FIN or a reset.
 */

import type { Random } from "../peers/random.ts";
import { Bytes } from "./bytes.ts";
import type { Clock } from "./clock.ts";

/** How a connection's network behaves. Times in milliseconds, sizes in bytes. */
export interface Weather {
  readonly latency: number;
  readonly segment: number;
  readonly sendBuffer: number;
  readonly receiveBuffer: number;
  /** A reset overtakes what is still on its way. */
  readonly resetOvertakes: boolean;
}

/** The receiving end. */
export interface Receiver {
  /** Bytes, the FIN or a reset have arrived. */
  arrived(): void;
  /** Nobody reads here any more: what arrives is answered with a reset. */
  readonly gone: boolean;
  answerReset(): void;
}

/** The sending end. */
export interface Transmitter {
  /** The send buffer has room again. */
  acknowledged(): void;
}

export class Wire {
  receiver: Receiver | undefined;
  sender: Transmitter | undefined;
  /** Received and not read. */
  readonly inbox = new Bytes();
  finArrived = false;
  resetArrived = false;
  /** The network swallows everything, silently. */
  severed = false;
  /** One read takes bytes of several writes. */
  merges = false;
  /** When the last byte moved. */
  movedAt = 0;
  /** When the receiving process took a byte. */
  readAt = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #weather: Weather;
  readonly #outbox = new Bytes();
  #ending: "no" | "fin" | "reset" = "no";
  #underway = false;

  constructor(clock: Clock, random: Random, weather: Weather) {
    this.#clock = clock;
    this.#random = random;
    this.#weather = weather;
    this.movedAt = clock.now;
  }

  /** Bytes in the send buffer or on their way: what an acknowledgement is awaited for. */
  get unacknowledged(): number {
    return this.#outbox.length;
  }

  /** What the send buffer takes of `chunk`. */
  send(chunk: Uint8Array): number {
    if (this.#ending !== "no") return 0;
    const room = this.#weather.sendBuffer - this.#outbox.length;
    const count = Math.max(0, Math.min(room, chunk.length));
    if (count === 0) return 0;
    this.#outbox.add(chunk.subarray(0, count));
    this.movedAt = this.#clock.now;
    this.#transmit();
    return count;
  }

  fin(): void {
    if (this.#ending !== "no") return;
    this.#ending = "fin";
    this.#transmit();
  }

  /** Nothing more comes from here, and what was not delivered is lost but for a segment that may be on its way. */
  reset(): void {
    if (this.#ending === "reset") return;
    this.#ending = "reset";
    const flying = this.#weather.resetOvertakes ? new Uint8Array(0) : this.#segment();
    this.#outbox.clear();
    const arrive = () => {
      if (this.severed) return;
      this.resetArrived = true;
      this.receiver?.arrived();
    };
    this.#clock.after(this.#delay(), () => {
      if (this.severed) return;
      if (flying.length > 0 && this.#window() >= flying.length && !this.receiver?.gone) {
        this.inbox.add(flying);
        this.receiver?.arrived();
      }
      this.#clock.after(this.#delay(), arrive);
    });
  }

  /** The peer has reset the connection: what it has not received goes nowhere. */
  abandon(): void {
    this.#outbox.clear();
    this.#ending = "reset";
  }

  /** The receiver's process takes bytes out of its kernel. */
  read(count: number): Uint8Array {
    if (this.merges) this.inbox.join();
    const chunk = this.inbox.take(count);
    this.readAt = this.#clock.now;
    this.movedAt = this.readAt;
    this.#transmit();
    return chunk;
  }

  /** Sends on: a segment at a time, in order, then the FIN. */
  #transmit(): void {
    if (this.#underway || this.severed) return;
    if (this.#outbox.length === 0 ? this.#ending !== "fin" || this.finArrived : this.#window() <= 0) return;
    this.#underway = true;
    this.#clock.after(this.#delay(), () => {
      this.#underway = false;
      if (this.severed || this.#ending === "reset") return;
      this.#arrive();
      this.#transmit();
    });
  }

  #arrive(): void {
    if (this.#outbox.length === 0) {
      this.finArrived = true;
      this.receiver?.arrived();
      return;
    }
    const segment = this.#segment();
    this.movedAt = this.#clock.now;
    if (this.receiver?.gone) {
      this.receiver.answerReset();
      return;
    }
    this.inbox.add(segment);
    this.receiver?.arrived();
    this.sender?.acknowledged();
  }

  #segment(): Uint8Array {
    const most = Math.min(this.#weather.segment, Math.max(1, this.#window()));
    return this.#outbox.take(this.#random.part(most));
  }

  #window(): number {
    return this.#weather.receiveBuffer - this.inbox.length;
  }

  #delay(): number {
    return this.#random.fraction() * this.#weather.latency;
  }
}
