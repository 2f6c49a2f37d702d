/**
 * What dashboards look at, once a second, for all of them together: one sampler, which works only while somebody looks.
 */
import type { LogTail } from "../../log/tail.ts";
import type { Timer } from "../../net/runtime.ts";
import type { AdminSource } from "../app.ts";
import { faultKinds } from "./kinds.ts";
import { snapshot } from "./snapshot.ts";
import { event, Viewer } from "./viewer.ts";

/** Milliseconds from one sample to the next. */
const INTERVAL = 1_000;

/** Milliseconds that pages have to take the last words. */
const FAREWELL = 200;

/** Pages at the same time; each costs a connection and an encoded sample a second. */
export const VIEWERS = 16;

export class Feed {
  readonly #source: AdminSource;
  readonly #tail: LogTail;
  /** Tells pages that have seen another weir here, with other lines of a log, that this is not the same. */
  readonly #started: number;
  readonly #viewers = new Set<Viewer>();
  #timer: Timer | undefined;
  #sampling = false;
  #closed = false;

  constructor(source: AdminSource, tail: LogTail) {
    this.#source = source;
    this.#tail = tail;
    this.#started = source.runtime.wallClock();
  }

  /** How many look on. */
  get viewers(): number {
    return this.#viewers.size;
  }

  /** A stream of events for one more; undefined: there are {@link VIEWERS}, or it is closed. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#closed || this.#viewers.size >= VIEWERS) return undefined;
    const { runtime } = this.#source;
    const greeting = event("hello", { kinds: faultKinds(), started: this.#started });
    const viewer = new Viewer(greeting, this.#tail, runtime.now(), (gone) => this.#left(gone));
    this.#viewers.add(viewer);
    this.#rest();
    void this.#sample();
    return viewer.body;
  }

  /** Ends all streams, and opens no more. Resolves when those who listen have heard of it. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rest();
    const viewers = [...this.#viewers];
    if (viewers.length === 0) return;
    this.#viewers.clear();
    const wait = (ms: number) => new Promise<void>((resolve) => void this.#source.runtime.after(ms, resolve));
    await Promise.race([Promise.all(viewers.map((viewer) => viewer.close(event("bye", {})))), wait(FAREWELL)]);
    for (const viewer of viewers) viewer.abort();
    // What they have taken still has to be written, which servers do in a turn of their own.
    await wait(0);
  }

  /** Tells everybody how things are, and itself to do so again. */
  async #sample(): Promise<void> {
    // Threads may take their time to say which connections they have.
    if (this.#sampling) return;
    this.#sampling = true;
    const { runtime } = this.#source;
    try {
      const text = event("sample", await snapshot(this.#source));
      for (const viewer of this.#viewers) {
        if (viewer.offer(text, runtime.now())) continue;
        viewer.abort();
        this.#viewers.delete(viewer);
      }
    } catch {
      // A thread that ends while it is asked: the next sample asks the one that has taken its place.
    } finally {
      this.#sampling = false;
      if (this.#viewers.size > 0 && !this.#closed) this.#timer = runtime.after(INTERVAL, () => void this.#sample());
    }
  }

  #left(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.#rest();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
