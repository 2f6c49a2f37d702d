/**
 * Owns all memory that libc reads or writes: whatever has a pointer came from here and is reachable from
 * here for as long as it is in use. Under `WEIR_CHECK=1` every block has canaries on both sides, and blocks
 * that were given back are poisoned and looked at again before their next use.
 */
import type { Ffi, Pointer } from "./symbols.ts";

export interface Block {
  /** Exactly the bytes asked for. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly pointer: Pointer;
}

/** Bytes of canary on each side; keeps what lies between aligned. */
const MARGIN = 64;
const CANARY = 0xa5;
const POISON = 0xdb;
/** Free blocks of one size that are kept for the next user, bytes. */
const KEPT = 4 << 20;

export class Arena {
  readonly #ffi: Ffi;
  readonly checked: boolean;
  readonly #free = new Map<number, Block[]>();
  readonly #used = new Set<Block>();

  constructor(ffi: Ffi, checked: boolean) {
    this.#ffi = ffi;
    this.checked = checked;
  }

  /** Bytes in use. */
  get size(): number {
    let sum = 0;
    for (const { bytes } of this.#used) sum += bytes.length;
    return sum;
  }

  /** Memory of `size` bytes, a multiple of 8; its content is undefined. */
  take(size: number): Block {
    const block = this.#free.get(size)?.pop() ?? this.#make(size);
    if (this.checked) this.#expect(block, POISON, "was written after it had been given back");
    this.#used.add(block);
    return block;
  }

  give(block: Block): void {
    if (!this.#used.delete(block)) throw new Error("native memory was given back twice");
    if (this.checked) this.#inspect(block);
    const { length } = block.bytes;
    const free = this.#free.get(length);
    if (!free) this.#free.set(length, [block]);
    else if (free.length * length < KEPT) free.push(block);
  }

  /** `bytes` further on, checked against the block's end. */
  at(block: Block, bytes: number): Pointer {
    if (bytes < 0 || bytes > block.bytes.length) throw new Error(`offset ${bytes} is outside of its block`);
    return bytes === 0 ? block.pointer : this.#ffi.offset(block.pointer, bytes);
  }

  /** Looks at the canaries of everything in use; throws if one was overwritten. */
  verify(): void {
    if (!this.checked) return;
    for (const block of this.#used) this.#canaries(block);
  }

  /** Makes what is left over of `block` unreadable, so that nobody can live on bytes that were only on loan. */
  poison(block: Block, length = block.bytes.length): void {
    block.bytes.fill(POISON, 0, length);
  }

  #make(size: number): Block {
    if (!Number.isInteger(size) || size <= 0 || size % 8 !== 0) throw new Error(`a block of ${size} bytes`);
    const margin = this.checked ? MARGIN : 0;
    // The buffer first, then the view, then the pointer: in JavaScriptCore a small typed array made alone
    // moves when its buffer is first touched.
    const memory = new ArrayBuffer(size + 2 * margin);
    const bytes = new Uint8Array(memory, margin, size);
    const start = this.#ffi.pointer(memory);
    if (!this.checked) return { bytes, pointer: start };
    new Uint8Array(memory).fill(CANARY);
    bytes.fill(POISON);
    return { bytes, pointer: this.#ffi.offset(start, margin) };
  }

  #inspect(block: Block): void {
    this.#canaries(block);
    this.poison(block);
  }

  #canaries({ bytes }: Block): void {
    const around = new Uint8Array(bytes.buffer);
    const after = bytes.byteOffset + bytes.length;
    for (let i = 0; i < MARGIN; i++) {
      if (around[i] !== CANARY || around[after + i] !== CANARY)
        throw new Error("native memory was written past its end");
    }
  }

  #expect({ bytes }: Block, value: number, what: string): void {
    if (bytes.some((byte) => byte !== value)) throw new Error(`native memory ${what}`);
  }
}
