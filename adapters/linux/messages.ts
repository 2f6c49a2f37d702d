/**
 * Memory for recvmmsg(2) and sendmmsg(2): an array of `struct mmsghdr`, each with its own slot for an address
 * and for a datagram. Pointers are written once; from then on only lengths change.
 */
import type { Block } from "./arena.ts";
import { SOCKADDR_MAX } from "./sockaddr.ts";
import type { Pointer } from "./symbols.ts";
import type { System } from "./system.ts";

/** Datagrams per call. */
export const MESSAGES = 64;
/** Room for the largest datagram that IP can carry, and one byte to notice a larger one. */
const SLOT = 65_536;

/** `struct mmsghdr` and `struct iovec` on 64-bit Linux, in 64-bit words. */
const HEADER_WORDS = 8;
const IOVEC_WORDS = 2;
/** In 32-bit words from the beginning of a header: msg_namelen, msg_len. */
const NAME_LENGTH = 2;
const LENGTH = 14;

export class Messages {
  readonly #headers: Block;
  readonly #names: Block;
  readonly #data: Block;
  readonly #words: Uint32Array;
  readonly #iovecs: BigUint64Array;
  readonly #system: System;

  constructor(system: System) {
    this.#system = system;
    const { arena, ffi } = system;
    this.#headers = arena.take(MESSAGES * (HEADER_WORDS + IOVEC_WORDS) * 8);
    this.#names = arena.take(MESSAGES * SOCKADDR_MAX);
    this.#data = arena.take(MESSAGES * SLOT);
    const { buffer, byteOffset } = this.#headers.bytes;
    const headers = new BigUint64Array(buffer, byteOffset, MESSAGES * HEADER_WORDS);
    this.#words = new Uint32Array(buffer, byteOffset, MESSAGES * HEADER_WORDS * 2);
    this.#iovecs = new BigUint64Array(buffer, byteOffset + MESSAGES * HEADER_WORDS * 8, MESSAGES * IOVEC_WORDS);
    headers.fill(0n);
    for (let i = 0; i < MESSAGES; i++) {
      const header = i * HEADER_WORDS;
      const iovec = i * IOVEC_WORDS;
      ffi.store(headers, header, arena.at(this.#names, i * SOCKADDR_MAX));
      ffi.store(headers, header + 2, arena.at(this.#headers, (MESSAGES * HEADER_WORDS + iovec) * 8));
      headers[header + 3] = 1n;
      ffi.store(this.#iovecs, iovec, arena.at(this.#data, i * SLOT));
      this.#iovecs[iovec + 1] = BigInt(SLOT);
    }
  }

  /** The headers from number `index` on. */
  at(index: number): Pointer {
    return this.#system.arena.at(this.#headers, index * HEADER_WORDS * 8);
  }

  /** Makes room for addresses again: the kernel writes their lengths over it. */
  expect(): void {
    for (let i = 0; i < MESSAGES; i++) this.#words[i * HEADER_WORDS * 2 + NAME_LENGTH] = SOCKADDR_MAX;
  }

  /** Number `index`, as the kernel has received it; the bytes are on loan until the next call. */
  received(index: number): Uint8Array {
    const length = this.#words[index * HEADER_WORDS * 2 + LENGTH] ?? 0;
    return this.#data.bytes.subarray(index * SLOT, index * SLOT + Math.min(length, SLOT));
  }

  name(index: number): Uint8Array {
    return this.#names.bytes.subarray(index * SOCKADDR_MAX, (index + 1) * SOCKADDR_MAX);
  }

  /** Puts a datagram, at most 65,536 bytes, and its destination in place `index`. */
  put(index: number, chunk: Uint8Array, name: Uint8Array): void {
    this.#data.bytes.set(chunk, index * SLOT);
    this.#names.bytes.set(name, index * SOCKADDR_MAX);
    this.#words[index * HEADER_WORDS * 2 + NAME_LENGTH] = name.length;
    this.#iovecs[index * IOVEC_WORDS + 1] = BigInt(chunk.length);
  }

  destroy(): void {
    for (const block of [this.#headers, this.#names, this.#data]) this.#system.arena.give(block);
  }
}
