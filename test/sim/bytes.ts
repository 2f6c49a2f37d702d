/** Bytes in the order they came, in pieces as they came. */
export class Bytes {
  length = 0;
  readonly #parts: Uint8Array[] = [];
  #start = 0;

  /** Keeps a copy. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#parts.push(chunk.slice());
    this.length += chunk.length;
  }

  /** The first `count` bytes, or as many as there are in the first piece; they stay. */
  peek(count: number): Uint8Array {
    const [first] = this.#parts;
    return first ? first.subarray(this.#start, this.#start + count) : new Uint8Array(0);
  }

  /** Forgets the first `count` bytes, no more than the first piece has. */
  drop(count: number): void {
    this.#start += count;
    this.length -= count;
    if (this.#start < (this.#parts[0]?.length ?? 0)) return;
    this.#parts.shift();
    this.#start = 0;
  }

  take(count: number): Uint8Array {
    const taken = this.peek(count);
    this.drop(taken.length);
    return taken;
  }

  /** Makes one piece of them all. */
  join(): void {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const part of this.#parts) {
      const rest = at === 0 ? part.subarray(this.#start) : part;
      all.set(rest, at);
      at += rest.length;
    }
    this.#parts.splice(0, this.#parts.length, ...(at > 0 ? [all] : []));
    this.#start = 0;
  }

  clear(): void {
    this.#parts.length = 0;
    this.#start = 0;
    this.length = 0;
  }
}
