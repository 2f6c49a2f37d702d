/** Who sends through bridges, and who gets it. */
import type { SocketError } from "../../../src/net/errors.ts";
import type { DatagramSocket, Endpoint, StreamEvents, StreamSocket } from "../../../src/net/runtime.ts";
import type { Random } from "../../peers/random.ts";
import type { Clock } from "../clock.ts";
import { bytesOf, datagramOf, textOf } from "./origins.ts";
import type { ReaderPlan } from "./plan.ts";

/** Sends numbered datagrams to a source. */
export class Sender {
  readonly sent: string[] = [];
  readonly source: number;
  readonly #id: number;
  readonly #socket: DatagramSocket;
  readonly #to: Endpoint;
  readonly #random: Random;

  constructor(id: number, source: number, socket: DatagramSocket, to: Endpoint, random: Random) {
    this.#id = id;
    this.source = source;
    this.#socket = socket;
    this.#to = to;
    this.#random = random;
  }

  send(): void {
    const text = datagramOf(this.#id, this.sent.length, this.#random.chance(0.1) ? 0 : this.#random.size(1, 4_000));
    this.sent.push(text);
    this.#socket.send(bytesOf(text), this.#to);
  }
}

/** Says one text over a connection, in pieces, and ends it, or breaks it off. */
export class Publisher implements StreamEvents {
  readonly text: string;
  /** It has ended it, and not broken it off. */
  ended = false;
  /** The other side has ended as well: it has read everything. */
  heard = false;
  closed = false;
  readonly stream: number;
  readonly source: number;
  readonly #socket: StreamSocket;
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #breaksAt: number;
  #at = 0;
  #full = false;

  constructor(stream: number, source: number, socket: StreamSocket, text: string, random: Random, clock: Clock) {
    this.stream = stream;
    this.source = source;
    this.#socket = socket;
    this.text = text;
    this.#random = random;
    this.#clock = clock;
    this.#breaksAt = random.chance(0.2) ? random.between(0, text.length) : Number.POSITIVE_INFINITY;
    socket.on(this);
    socket.resume();
    this.#say();
  }

  data(): void {}

  drain(): void {
    this.#full = false;
    this.#say();
  }

  end(): void {
    this.heard = this.ended;
    this.#socket.end();
  }

  close(error?: SocketError): void {
    this.closed = true;
    if (error) this.heard = false;
  }

  #say(): void {
    if (this.closed || this.ended || this.#full) return;
    if (this.#at >= this.#breaksAt) {
      this.#socket.abort();
      return;
    }
    const piece = this.text.slice(this.#at, this.#at + this.#random.size(1, 5_000));
    this.#at += piece.length;
    if (piece !== "" && !this.#socket.write(bytesOf(piece))) this.#full = true;
    if (this.#at < this.text.length) {
      this.#clock.after(this.#random.size(0, 100), () => this.#say());
      return;
    }
    this.ended = true;
    this.#socket.end();
  }
}

/** Keeps each datagram that comes. */
export class Receiver {
  readonly got: string[] = [];
  readonly sink: number;

  constructor(sink: number, socket: DatagramSocket) {
    this.sink = sink;
    socket.on({ message: (chunk) => void this.got.push(textOf(chunk)), close() {} });
    socket.resume();
  }
}

/** A client of a destination that listens. */
export class Reader implements StreamEvents {
  text = "";
  /** Weir has ended it in order, while it was reading. */
  ended = false;
  closed = false;
  readonly plan: ReaderPlan;
  readonly socket: StreamSocket;
  readonly #random: Random;
  readonly #clock: Clock;
  /** When it is patient with nobody any more. */
  readonly #until: number;
  #left = false;

  constructor(plan: ReaderPlan, socket: StreamSocket, random: Random, clock: Clock, until: number) {
    this.plan = plan;
    this.socket = socket;
    this.#random = random;
    this.#clock = clock;
    this.#until = until;
    socket.on(this);
    if (plan.habit !== "stalls") socket.resume();
    else clock.after(random.fraction() * Math.max(0, until - clock.now), () => socket.resume());
    const leave = random.size(0, 5_000);
    if (plan.habit === "half-closes") clock.after(leave, () => socket.end());
    if (plan.habit === "resets") clock.after(leave, () => this.#leave());
  }

  data(chunk: Uint8Array): void {
    this.text += textOf(chunk);
    if (this.plan.habit !== "slow" || this.#clock.now > this.#until) return;
    this.socket.pause();
    this.#clock.after(this.#random.size(0, 1_000), () => this.socket.resume());
  }

  drain(): void {}

  end(): void {
    this.ended = !this.#left;
    if (this.plan.habit !== "stays") this.socket.end();
  }

  close(): void {
    this.closed = true;
  }

  #leave(): void {
    if (this.closed) return;
    this.#left = true;
    this.socket.abort();
  }
}
