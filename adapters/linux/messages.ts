/**
 * Memory for recvmmsg(2) and sendmmsg(2): an array of `struct mmsghdr`, each with its own slot for an address.
 * Pointers are written as two words of 32 bits: a bigint for each would be an allocation for each.
 */
import { SOL_UDP, UDP_SEGMENT } from "./abi.ts";
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
const CONTROL = 8;
const CONTROL_LENGTH = 10;
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
  readonly #firstName: number;
  readonly #firstIovec: number;

  constructor(system: System) {
    this.system = system;
    const { arena } = system;
    this.#headers = arena.take(MESSAGES * (HEADER_WORDS + IOVEC_WORDS) * 4);
    this.#names = arena.take(MESSAGES * SOCKADDR_MAX);
    this.names = this.#names.bytes;
    const { buffer, byteOffset, length } = this.#headers.bytes;
    this.words = new Uint32Array(buffer, byteOffset, length / 4);
    this.words.fill(0);
    this.#firstName = addressOf(system, this.#names);
    this.#firstIovec = addressOf(system, this.#headers) + MESSAGES * HEADER_WORDS * 4;
    for (let i = 0; i < MESSAGES; i++) this.head(i, i, 1);
  }

  /** Makes header `index` one of the address in slot `first` and of `count` buffers from there on. */
  protected head(index: number, first: number, count: number): void {
    const word = index * HEADER_WORDS;
    this.point(word + NAME, this.#firstName + first * SOCKADDR_MAX);
    this.point(word + IOVEC, this.#firstIovec + first * IOVEC_WORDS * 4);
    this.words[word + IOVEC_COUNT] = count;
  }

  /** What header `index` says besides (cmsg(3)). */
  protected say(index: number, address: number, length: number): void {
    this.point(index * HEADER_WORDS + CONTROL, address);
    this.words[index * HEADER_WORDS + CONTROL_LENGTH] = length;
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
    this.#used = Math.max(count, 0);
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

/** `struct cmsghdr` and 16 bits behind it: CMSG_LEN and CMSG_SPACE, and the 64-bit words of which 32 are in use. */
const CONTROL_USED = 18;
const CONTROL_SIZE = 24;
const CONTROL_WORDS = CONTROL_SIZE / 4;
const SEGMENT = 4;
/** Bytes that one packet has room for, with an IPv4 header (RFC 791) and one of UDP before them. */
const TOGETHER_MAX = 65_507;

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
  /** How many datagrams each header stands for. */
  readonly #standsFor = new Uint8Array(MESSAGES);
  readonly #control: Block;
  readonly #controlWords: Uint32Array;
  readonly #controlAddress: number;

  constructor(system: System, inbox: Inbox) {
    super(system);
    this.#inbox = inbox;
    this.#stage = system.arena.take(STAGE);
    this.#address = addressOf(system, this.#stage);
    this.#control = system.arena.take(MESSAGES * CONTROL_SIZE);
    this.#controlAddress = addressOf(system, this.#control);
    const { buffer, byteOffset, length } = this.#control.bytes;
    this.#controlWords = new Uint32Array(buffer, byteOffset, length / 4);
    for (let i = 0; i < MESSAGES; i++) {
      this.#controlWords.set([CONTROL_USED, 0, SOL_UDP, UDP_SEGMENT, 0, 0], i * CONTROL_WORDS);
    }
  }

  /**
   * Writes the headers for all from number `first` on, and returns how many they are. In segments (udp(7),
   * UDP_SEGMENT) those of one size and one address that follow each other pass through the kernel as one and come out
   * of it as they are; the last of them may be shorter. It takes 64 of them.
   */
  compose(first: number, segments: boolean): number {
    let headers = 0;
    for (let next = first; next < this.count; headers++) {
      const number = segments ? this.#together(next) : 1;
      this.head(headers, next, number);
      this.setNameLength(headers, this.#named[next]?.length ?? 0);
      if (number > 1) {
        this.#controlWords[headers * CONTROL_WORDS + SEGMENT] = this.#lengths[next] ?? 0;
        this.say(headers, this.#controlAddress + headers * CONTROL_SIZE, CONTROL_SIZE);
      } else this.say(headers, 0, 0);
      this.#standsFor[headers] = number;
      next += number;
    }
    return headers;
  }

  /** How many datagrams header `index` stands for. */
  standsFor(index: number): number {
    return this.#standsFor[index] ?? 0;
  }

  /** How many from number `first` on can be segments of one packet. */
  #together(first: number): number {
    const size = this.#lengths[first] ?? 0;
    let total = size;
    let next = first + 1;
    for (; next < this.count && this.#named[next] === this.#named[first]; next++) {
      const length = this.#lengths[next] ?? 0;
      total += length;
      if (length === 0 || length > size || total > TOGETHER_MAX) break;
      // A shorter one is the last.
      if (length < size) return next + 1 - first;
    }
    return next - first;
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
    this.system.arena.give(this.#control);
  }
}

function addressOf({ ffi }: System, { pointer }: Block): number {
  const word = new BigUint64Array(1);
  ffi.store(word, 0, pointer);
  return Number(word[0]);
}
