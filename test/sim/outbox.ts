/** What a simulated socket has taken and its kernel has not: the queue, its bound, and the FIN behind it. */
import type { Chunk } from "../../src/net/runtime.ts";
import { Bytes } from "./bytes.ts";
import type { Process } from "./process.ts";
import type { Wire } from "./wire.ts";

/** Bytes that a filter may hold of what one read has brought. */
const HELD = 32;

export class Outbox {
  /** A write has returned false, and no drain has followed. */
  /** One write is no more than what one read has brought. */
  bounded = true;
  owesDrain = false;
  #fullAt = 0;
  ending = false;
  finSent = false;
  /** Nothing can be sent any more. */
  broken = false;
  readonly #process: Process;
  readonly #wire: Wire;
  readonly #limit: number;
  readonly #queue = new Bytes();
  /** Bytes given to us when it was too late. */
  #refused = 0;

  constructor(process: Process, wire: Wire, limit: number) {
    this.#process = process;
    this.#wire = wire;
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#queue.length + this.#refused;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** `StreamSocket.write` of a socket that is open. */
  write(chunk: Chunk): boolean {
    if (this.ending) return false;
    if (this.broken) {
      this.#refused += chunk.length;
      return false;
    }
    const { misuse, habits, clock } = this.#process;
    // A step may cut one read into several writes.
    if (this.owesDrain && clock.now > this.#fullAt) misuse("write after a write that returned false, before drain");
    this.#queue.add(chunk);
    this.flush();
    // A filter may put what it held in front of what was read.
    if (this.bounded && this.waiting >= this.#limit + habits.read + (habits.whole ?? HELD))
      misuse("more is buffered than one read allows");
    if (this.waiting < this.#limit) return true;
    this.owesDrain = true;
    this.#fullAt = clock.now;
    return false;
  }

  /** What a linked socket has read; it asks for room beforehand. */
  forward(chunk: Uint8Array): void {
    if (this.ending) this.#process.misuse("a linked byte after end");
    else if (this.broken) this.#refused += chunk.length;
    else {
      this.#queue.add(chunk);
      this.flush();
    }
  }

  /** FIN behind what waits. */
  end(): void {
    this.ending = true;
    this.flush();
  }

  /** Gives the kernel as much as it takes, in pieces. */
  flush(): void {
    while (this.waiting > 0 && !this.broken) {
      const part = this.#queue.peek(this.#process.random.part(this.waiting));
      const count = this.#wire.send(part);
      this.#queue.drop(count);
      if (count < part.length) break;
    }
    if (!this.ending || this.finSent || this.waiting > 0) return;
    this.finSent = true;
    this.#wire.fin();
  }
}
