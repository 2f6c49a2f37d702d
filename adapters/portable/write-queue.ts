/**
 * Bytes that a socket has taken and the kernel has not. Small writes are gathered into blocks, so that a
 * million one-byte writes to a stalled peer cost a megabyte and not a million objects.
 */

const BLOCK = 16_384;

export class WriteQueue {
  /** Bytes waiting. */
  bytes = 0;
  #chunks: Uint8Array[] = [];
  /** The last chunk is our own block with room behind its bytes, or undefined. */
  #block: Uint8Array | undefined;

  /** Keeps `chunk` itself: the caller hands it over and never touches it again. */
  keep(chunk: Uint8Array): void {
    this.#block = undefined;
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** Keeps a copy of `chunk`. */
  copy(chunk: Uint8Array): void {
    if (chunk.length >= BLOCK) {
      this.keep(chunk.slice());
      return;
    }
    const block = this.#block;
    const last = this.#chunks.length - 1;
    const tail = this.#chunks[last];
    if (block && tail) {
      const used = tail.byteOffset + tail.length;
      if (used + chunk.length <= BLOCK) {
        block.set(chunk, used);
        this.#chunks[last] = block.subarray(tail.byteOffset, used + chunk.length);
        this.bytes += chunk.length;
        return;
      }
    }
    const fresh = new Uint8Array(BLOCK);
    fresh.set(chunk);
    this.keep(fresh.subarray(0, chunk.length));
    this.#block = fresh;
  }

  /** The bytes to write next; undefined when there are none. */
  first(): Uint8Array | undefined {
    return this.#chunks[0];
  }

  /** The first `count` bytes of `first()` are written. */
  advance(count: number): void {
    const chunk = this.#chunks[0];
    if (!chunk) return;
    this.bytes -= count;
    if (count < chunk.length) {
      this.#chunks[0] = chunk.subarray(count);
      return;
    }
    this.#chunks.shift();
    if (this.#chunks.length === 0) this.#block = undefined;
  }
}
