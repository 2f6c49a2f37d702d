/**
 * Memory for recvmmsg(2) (inbox.ts) and sendmmsg(2) (outgoing.ts): `struct mmsghdr`, each with a slot for an address.
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
const CONTROL = 8;
const CONTROL_LENGTH = 10;
const RECEIVED = 14;
/** In words from the beginning of an iovec. */
const LENGTH = 2;

export abstract class Headers {
  protected readonly system: System;
  readonly #words: Uint32Array;
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
    this.#words = new Uint32Array(buffer, byteOffset, length / 4);
    this.#words.fill(0);
    this.#firstName = addressOf(system, this.#names);
    this.#firstIovec = addressOf(system, this.#headers) + MESSAGES * HEADER_WORDS * 4;
    for (let i = 0; i < MESSAGES; i++) this.head(i, i, 1);
  }

  /** Makes header `index` one of the address in slot `first` and of `count` buffers from there on. */
  protected head(index: number, first: number, count: number): void {
    const word = index * HEADER_WORDS;
    this.point(word + NAME, this.#firstName + first * SOCKADDR_MAX);
    this.point(word + IOVEC, this.#firstIovec + first * IOVEC_WORDS * 4);
    this.#words[word + IOVEC_COUNT] = count;
  }

  /** What header `index` says besides (cmsg(3)). */
  protected say(index: number, address: number, length: number): void {
    this.point(index * HEADER_WORDS + CONTROL, address);
    this.#words[index * HEADER_WORDS + CONTROL_LENGTH] = length;
  }

  /** The headers from number `index` on. */
  at(index: number): Pointer {
    return this.system.arena.at(this.#headers, index * HEADER_WORDS * 4);
  }

  /** Where number `index` reads its bytes from, or writes them to. */
  protected aim(index: number, address: number, length: number): void {
    const iovec = MESSAGES * HEADER_WORDS + index * IOVEC_WORDS;
    this.point(iovec, address);
    this.#words[iovec + LENGTH] = length;
  }

  /** Bytes that the kernel has written for header `index`. */
  protected lengthOf(index: number): number {
    return this.#words[index * HEADER_WORDS + RECEIVED] ?? 0;
  }

  protected setNameLength(index: number, length: number): void {
    this.#words[index * HEADER_WORDS + NAME_LENGTH] = length;
  }

  /** An address of 64 bits, of which 47 are in use, at a word. */
  protected point(word: number, address: number): void {
    this.#words[word] = address >>> 0;
    this.#words[word + 1] = address / 0x1_0000_0000;
  }

  destroy(): void {
    this.system.arena.give(this.#headers);
    this.system.arena.give(this.#names);
  }
}

/** Where a block lies, as a number. */
export function addressOf({ ffi }: System, { pointer }: Block): number {
  const word = new BigUint64Array(1);
  ffi.store(word, 0, pointer);
  return Number(word[0]);
}
