/** Datagrams that wait, first in, first out, in bounded memory: those to be sent, and those not yet delivered. */
import type { Chunk, Endpoint } from "../../src/net/runtime.ts";

interface Parcel {
  readonly chunk: Chunk;
  /** Whom it came from or goes to. */
  readonly peer: Endpoint;
}

/** Bytes in one direction of one socket; beyond it datagrams are lost, as they are when a kernel's buffer is full. */
const ROOM = 1_048_576;

/** What a datagram costs besides its bytes; without it empty ones would cost nothing and never fill the room. */
const OVERHEAD = 256;

export class Parcels {
  #parcels: Parcel[] = [];
  /** Where the first one is: to shift a long array for each would move it each time. */
  #head = 0;
  #taken = 0;

  get length(): number {
    return this.#parcels.length - this.#head;
  }

  /** False: no room. The chunk is kept, not copied. */
  push(chunk: Chunk, peer: Endpoint): boolean {
    if (!this.fits(chunk)) return false;
    this.#taken += chunk.length + OVERHEAD;
    this.#parcels.push({ chunk, peer });
    return true;
  }

  fits(chunk: Chunk): boolean {
    return this.#taken + chunk.length + OVERHEAD <= ROOM;
  }

  first(): Parcel | undefined {
    return this.#parcels[this.#head];
  }

  shift(): Parcel | undefined {
    const parcel = this.#parcels[this.#head];
    if (!parcel) return undefined;
    this.#taken -= parcel.chunk.length + OVERHEAD;
    if (++this.#head === this.#parcels.length) this.clear();
    return parcel;
  }

  clear(): void {
    this.#parcels = [];
    this.#head = 0;
    this.#taken = 0;
  }
}
