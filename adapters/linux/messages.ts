/**
 * Memory for recvmmsg(2) and sendmmsg(2): an array of `struct mmsghdr`, each with its own slot for an address.
 * Pointers are written as two words of 32 bits: a bigint for each would be an allocation for each.
 */
import type { Block } from "./arena.ts";
import { SOCKADDR_MAX } from "./sockaddr.ts";
import type { Pointer } from "./symbols.ts";
import type { System } from "./system.ts";

/** Datagrams per call. */
export const MESSAGES = 64;

/** `struct mmsghdr` and `struct iovec` on 64-bit Linux, in 32-bit words. */
const HEADER_WORDS = 16;
const IOVEC_WORDS = 4;
/** In words from the beginning of a header. */
const NAME = 0;
const NAME_LENGTH = 2;
const IOVEC = 4;
const IOVEC_COUNT = 6;
const RECEIVED = 14;
/** In words from the beginning of an iovec. */
const LENGTH = 2;

const NAME_WORDS = SOCKADDR_MAX / 4;

class Headers {
  protected readonly system: System;
  protected readonly words: Uint32Array;
  /** The addresses, each {@link SOCKADDR_MAX} bytes. */
  readonly names: Uint8Array;
  readonly #headers: Block;
  readonly #names: Block;

  constructor(system: System) {
    this.system = system;
    const { arena } = system;
    this.#headers = arena.take(MESSAGES * (HEADER_WORDS + IOVEC_WORDS) * 4);
    this.#names = arena.take(MESSAGES * SOCKADDR_MAX);
    this.names = this.#names.bytes;
    const { buffer, byteOffset, length } = this.#headers.bytes;
    this.words = new Uint32Array(buffer, byteOffset, length / 4);
    this.words.fill(0);
    const names = addressOf(system, this.#names);
    const iovecs = addressOf(system, this.#headers) + MESSAGES * HEADER_WORDS * 4;
    for (let i = 0; i < MESSAGES; i++) {
      this.point(i * HEADER_WORDS + NAME, names + i * SOCKADDR_MAX);
      this.point(i * HEADER_WORDS + IOVEC, iovecs + i * IOVEC_WORDS * 4);
      this.words[i * HEADER_WORDS + IOVEC_COUNT] = 1;
    }
  }

  /** The headers from number `index` on. */
  at(index: number): Pointer {
    return this.system.arena.at(this.#headers, index * HEADER_WORDS * 4);
  }

  /** Where number `index` reads its bytes from, or writes them to. */
  protected aim(index: number, address: number, length: number): void {
    const iovec = MESSAGES * HEADER_WORDS + index * IOVEC_WORDS;
    this.point(iovec, address);
    this.words[iovec + LENGTH] = length;
  }

  protected setNameLength(index: number, length: number): void {
    this.words[index * HEADER_WORDS + NAME_LENGTH] = length;
  }

  /** An address of 64 bits, of which 47 are in use, at a word. */
  protected point(word: number, address: number): void {
    this.words[word] = address >>> 0;
    this.words[word + 1] = address / 0x1_0000_0000;
  }

  destroy(): void {
    this.system.arena.give(this.#headers);
    this.system.arena.give(this.#names);
  }
}

/** Room for the largest datagram that IP can carry, and one byte to notice a larger one. */
const SLOT = 65_536;
/** From one slot to the next: at a power of 2 the beginnings of all would share a few lines of the processor's caches. */
const STRIDE = SLOT + 1_536;

/** Where datagrams are received. */
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
    this.#used = count > 0 ? count : 0;
    return count;
  }

  /** Number `index`, on loan until the next call. */
  received(index: number): Uint8Array {
    const length = Math.min(this.words[index * HEADER_WORDS + RECEIVED] ?? 0, SLOT);
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

/** Bytes of datagrams that do not lie in the inbox; more than one can have. */
const STAGE = 65_536;

/** Datagrams on their way out, up to {@link MESSAGES}. */
export class Outgoing extends Headers {
  /** How many there are. */
  count = 0;
  readonly #inbox: Inbox;
  readonly #stage: Block;
  readonly #address: number;
  #staged = 0;
  readonly #addresses = new Float64Array(MESSAGES);
  readonly #lengths = new Uint32Array(MESSAGES);
  /** What each slot of {@link names} holds. */
  readonly #named: (Uint8Array | undefined)[] = new Array(MESSAGES).fill(undefined);

  constructor(system: System, inbox: Inbox) {
    super(system);
    this.#inbox = inbox;
    this.#stage = system.arena.take(STAGE);
    this.#address = addressOf(system, this.#stage);
  }

  fits(length: number): boolean {
    return this.count < MESSAGES && this.#staged + length <= STAGE;
  }

  /**
   * Adds a datagram that {@link fits}. What lies in the inbox is sent from there, so it must leave before anything else
   * is received; the rest is copied. `name` is never written into once it was given.
   */
  put(chunk: Uint8Array, name: Uint8Array): void {
    const index = this.count++;
    const { length } = chunk;
    let address = this.#inbox.addressOf(chunk);
    if (address === 0) {
      address = this.#address + this.#staged;
      this.#stage.bytes.set(chunk, this.#staged);
      this.#staged += length;
    }
    this.#addresses[index] = address;
    this.#lengths[index] = length;
    this.aim(index, address, length);
    if (this.#named[index] === name) return;
    this.#named[index] = name;
    this.names.set(name, index * SOCKADDR_MAX);
    this.setNameLength(index, name.length);
  }

  /** The bytes of number `index`, as long as nothing is received or put. */
  bytes(index: number): Uint8Array {
    const [address = 0, length = 0] = [this.#addresses[index], this.#lengths[index]];
    const staged = address - this.#address;
    if (staged < 0 || staged >= STAGE) return this.#inbox.bytesAt(address, length);
    return this.#stage.bytes.subarray(staged, staged + length);
  }

  /** Where number `index` goes. */
  name(index: number): Uint8Array {
    return this.#named[index] ?? this.names.subarray(0, 0);
  }

  clear(): void {
    this.count = 0;
    this.#staged = 0;
  }

  override destroy(): void {
    super.destroy();
    this.system.arena.give(this.#stage);
  }
}

function addressOf({ ffi }: System, { pointer }: Block): number {
  const word = new BigUint64Array(1);
  ffi.store(word, 0, pointer);
  return Number(word[0]);
}
