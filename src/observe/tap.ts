/**
 * Where observers are joined to a session: what passes goes to them as well, and is passed on as it is. It stands first
 * on the way upstream and last on the way back, so that they see what the client sends and receives.
 */
import { type Direction, Step } from "../filter/step.ts";
import type { Chunk } from "../net/runtime.ts";
import type { Feed } from "./feed.ts";

export class ObserverTap extends Step {
  readonly #direction: Direction;
  readonly #feeds: readonly Feed[];
  #nextFull = false;
  /** The one before was told that we are full. */
  #owesDrain = false;

  /** `feeds`: those that copy this direction; whoever gives them calls {@link released}. */
  constructor(direction: Direction, feeds: readonly Feed[]) {
    super();
    this.#direction = direction;
    this.#feeds = feeds;
  }

  override write(chunk: Chunk): boolean {
    for (const feed of this.#feeds) feed.offer(this.#direction, chunk);
    this.#nextFull = !this.next.write(chunk);
    if (this.#open) return true;
    this.#owesDrain = true;
    return false;
  }

  override end(): void {
    for (const feed of this.#feeds) feed.finished(this.#direction);
    this.next.end();
  }

  override drain(): void {
    this.#nextFull = false;
    this.released();
  }

  /** An observer that was full has room again. Never called from inside of `offer`. */
  released(): void {
    if (!this.#owesDrain || !this.#open) return;
    this.#owesDrain = false;
    this.previous.drain();
  }

  get #open(): boolean {
    return !this.#nextFull && !this.#feeds.some((feed) => feed.full);
  }
}
