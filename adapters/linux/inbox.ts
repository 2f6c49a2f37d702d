/** Where datagrams are received, for all sockets of a thread. */
import type { Block } from "./arena.ts";
import { addressOf, Headers, MESSAGES } from "./messages.ts";
import { SOCKADDR_MAX } from "./sockaddr.ts";
import type { System } from "./system.ts";

const NAME_WORDS = SOCKADDR_MAX / 4;
/** Room for the largest datagram that IP can carry, and one byte to notice a larger one. */
const SLOT = 65_536;
/** From one slot to the next: at a power of 2 the beginnings of all would share a few lines of the processor's caches. */
const STRIDE = SLOT + 1_536;

export class Inbox extends Headers {
  /** The addresses in words of 32 bits, {@link NAME_WORDS} each. */
  readonly nameWords: Int32Array;
  readonly #data: Block;
  readonly #address: number;
  /** What was shown last of each slot: datagrams of one size follow each other more often than not. */
  readonly #shown: (Uint8Array | undefined)[] = new Array(MESSAGES).fill(undefined);
  /** Headers that the kernel has written into. */
  #used = MESSAGES;

  constructor(system: System) {
    super(system);
    this.#data = system.arena.take(MESSAGES * STRIDE);
    this.#address = addressOf(system, this.#data);
    const { buffer, byteOffset, length } = this.names;
    this.nameWords = new Int32Array(buffer, byteOffset, length / 4);
    for (let i = 0; i < MESSAGES; i++) this.aim(i, this.#address + i * STRIDE, SLOT);
  }

  /** Receives up to {@link MESSAGES}; what was received before is gone. */
  receive(fd: number, flags: number): number {
    // The kernel writes the addresses' lengths over the room for them.
    for (let i = 0; i < this.#used; i++) this.setNameLength(i, SOCKADDR_MAX);
    const count = this.system.libc.recvmmsg(fd, this.at(0), MESSAGES, flags, null);
    this.#used = Math.max(count, 0);
    return count;
  }

  /** Number `index`, on loan until the next call. */
  received(index: number): Uint8Array {
    const length = Math.min(this.lengthOf(index), SLOT);
    let shown = this.#shown[index];
    if (shown?.length !== length) {
      shown = this.#data.bytes.subarray(index * STRIDE, index * STRIDE + length);
      this.#shown[index] = shown;
    }
    return shown;
  }

  name(index: number): Uint8Array {
    return this.names.subarray(index * SOCKADDR_MAX, (index + 1) * SOCKADDR_MAX);
  }

  /** Where the first word of address `index` is in {@link nameWords}. */
  nameAt(index: number): number {
    return index * NAME_WORDS;
  }

  /** Where `chunk` lies, if it is part of what was received; else 0. */
  addressOf(chunk: Uint8Array): number {
    const { bytes } = this.#data;
    return chunk.buffer === bytes.buffer ? this.#address + chunk.byteOffset - bytes.byteOffset : 0;
  }

  /** What lies at an address of {@link addressOf}. */
  bytesAt(address: number, length: number): Uint8Array {
    return this.#data.bytes.subarray(address - this.#address, address - this.#address + length);
  }

  override destroy(): void {
    super.destroy();
    this.system.arena.give(this.#data);
  }
}
