/**
 * Where observers are joined to a session: what passes goes to them as well, and is passed on as it is. It stands first
 * on the way upstream and last on the way back, so that they see what the client sends and receives.
 */
import { type Direction, Step } from "../filter/step.ts";
import type { Chunk, Mirror, StreamSocket } from "../net/runtime.ts";
import type { Feed } from "./feed.ts";

export class ObserverTap extends Step {
  readonly #direction: Direction;
  readonly #feeds: readonly Feed[];
  #nextFull = false;
  #mirror: FeedMirror | undefined;

  /** `feeds`: those that copy this direction; whoever gives them calls {@link released}. */
  constructor(direction: Direction, feeds: readonly Feed[]) {
    super();
    this.#direction = direction;
    this.#feeds = feeds;
  }

  override write(chunk: Chunk): boolean {
    for (const feed of this.#feeds) feed.offer(this.#direction, chunk);
    this.#nextFull = !this.next.write(chunk);
    return this.#open;
  }

  override end(): void {
    for (const feed of this.#feeds) feed.finished(this.#direction);
    this.next.end();
  }

  override get mirror(): Mirror {
    this.#mirror ??= new FeedMirror(this.#direction, this.#feeds);
    return this.#mirror;
  }

  override get full(): boolean {
    return !this.#open;
  }

  override drain(): void {
    this.#nextFull = false;
    this.released();
  }

  /** An observer that was full has room again. Never called from inside of `offer`. */
  released(): void {
    if (this.#open) this.previous.drain();
  }

  get #open(): boolean {
    return !this.#nextFull && !this.#feeds.some((feed) => feed.full);
  }
}

/** Who takes copies of what is moved past the tap, and who misses it. */
class FeedMirror implements Mirror {
  readonly #direction: Direction;
  readonly #feeds: readonly Feed[];
  /** Those that were ready, and those that would have skipped the bytes. */
  #direct: readonly Feed[] = [];
  #deaf: readonly Feed[] = [];

  constructor(direction: Direction, feeds: readonly Feed[]) {
    this.#direction = direction;
    this.#feeds = feeds;
  }

  ready(): readonly StreamSocket[] | undefined {
    const direct: Feed[] = [];
    const deaf: Feed[] = [];
    const sockets: StreamSocket[] = [];
    for (const feed of this.#feeds) {
      const socket = feed.direct;
      if (socket) {
        direct.push(feed);
        sockets.push(socket);
      } else if (feed.deaf) deaf.push(feed);
      else return undefined;
    }
    this.#direct = direct;
    this.#deaf = deaf;
    return sockets;
  }

  moved(bytes: number): void {
    for (const feed of this.#deaf) feed.missed(this.#direction, bytes);
  }

  mirrored(index: number, sent: number, lost: number): void {
    const feed = this.#direct[index];
    feed?.sent(this.#direction, sent);
    if (lost > 0) feed?.missed(this.#direction, lost);
  }
}
