/**
 * Gathers what is written within one turn of the event loop, so that many requests to one target cost one `send`. Turns
 * end with their microtasks; the native engine runs those once for all that one `epoll_wait` brought.
 */
const SOON = Promise.resolve();

/** Bytes that are gathered at most; more than half of it in one piece goes by itself. */
const MOST = 65_536;

export class Batch {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #flush = () => this.flush();
  #bytes: Uint8Array | undefined;
  #used = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** Writes bytes at once, behind what was gathered. On loan. */
  through(bytes: Uint8Array): void {
    this.flush();
    this.#write(bytes);
  }

  /** Writes bytes at the end of this turn. On loan. */
  add(bytes: Uint8Array): void {
    if (bytes.length > MOST / 2) {
      this.through(bytes);
      return;
    }
    if (this.#used + bytes.length > MOST) this.flush();
    this.#bytes ??= new Uint8Array(MOST);
    if (this.#used === 0) void SOON.then(this.#flush);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  flush(): void {
    if (!this.#bytes || this.#used === 0) return;
    const bytes = this.#bytes.subarray(0, this.#used);
    this.#used = 0;
    this.#write(bytes);
  }
}
