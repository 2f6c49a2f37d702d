/**
 * What the session of a client is told: the bytes of replies, their end, and the close, as the seam has it
 * (`StreamEvents`). Replies that it does not take wait here.
 */
import { SocketError } from "../net/errors.ts";
import type { StreamEvents } from "../net/runtime.ts";
import { Fifo } from "./fifo.ts";

const NOBODY: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };

export class Replies {
  events: StreamEvents = NOBODY;
  /** They wait from now on, but for those that wait already: see {@link flush}. */
  paused = true;
  /** The end was told. */
  ended = false;
  readonly #backlog = new Fifo<Uint8Array>();
  readonly #broke: () => void;
  readonly #changed: (bytes: number) => void;
  #bytes = 0;
  #ending = false;
  #muted = false;
  #closed = false;
  #told: () => void = () => {};
  #error: SocketError | undefined;

  /**
   * `broke`: called when it was closed with an error, as was asked for or because a handler threw; `changed`: so many
   * bytes more, or less, wait.
   */
  constructor(broke: () => void, changed: (bytes: number) => void) {
    this.#broke = broke;
    this.#changed = changed;
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#bytes;
  }

  /** Nothing but the close is told any more. */
  mute(): void {
    this.#muted = true;
    this.#backlog.drain();
    this.#count(-this.#bytes);
  }

  /** Nothing more is to be told but what waits. */
  get ending(): boolean {
    return this.#ending || this.#muted;
  }

  /** On loan. */
  data(bytes: Uint8Array): void {
    if (this.#ending || this.#muted) return;
    if (!this.paused && this.#bytes === 0) {
      this.#show(bytes);
      return;
    }
    this.#backlog.push(new Uint8Array(bytes));
    this.#count(bytes.length);
  }

  /** Nothing follows. `told`: called when that was told, behind what waits. */
  end(told?: () => void): void {
    this.#ending = true;
    if (told) this.#told = told;
    this.flush();
  }

  /** Shows what waits. */
  flush(): void {
    while (!this.paused && !this.#muted) {
      const bytes = this.#backlog.shift();
      if (!bytes) break;
      this.#count(-bytes.length);
      this.#show(bytes);
    }
    if (!this.#ending || this.ended || this.#muted || this.#bytes > 0) return;
    if (this.#error) {
      this.close(this.#error);
      this.#broke();
      return;
    }
    this.ended = true;
    this.#guarded(() => this.events.end());
    this.#told();
  }

  /** The close with an error, behind what waits. */
  breakOff(error: SocketError): void {
    this.#error = error;
    this.#ending = true;
    this.flush();
  }

  drain(): void {
    if (!this.#muted) this.#guarded(() => this.events.drain());
  }

  /** Nothing is told after that, whatever waits. */
  close(error?: SocketError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.mute();
    this.events.close(error);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#changed(bytes);
  }

  #show(bytes: Uint8Array): void {
    try {
      this.events.data(bytes);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  #guarded(tell: () => void): void {
    try {
      tell();
    } catch (cause) {
      this.#failed(cause);
    }
  }

  #failed(cause: unknown): void {
    this.close(new SocketError("EHANDLER", undefined, { cause }));
    this.#broke();
  }
}
