/** All observers of one proxy in one thread, and those of one session. */
import type { Direction } from "../filter/step.ts";
import type { Reason } from "../metrics/reason.ts";
import type { Feed } from "./feed.ts";
import { FrameBench, type SessionInfo } from "./framed.ts";
import { Observer, type ObserverEvent, type ObserverRuntime } from "./observer.ts";
import type { ObserverConfig } from "./observer-config.ts";
import type { ObserverCounters } from "./observer-counters.ts";
import { ObserverTap } from "./tap.ts";

/** An observer, and where this thread counts for it. */
export interface ObserverShare {
  readonly config: ObserverConfig;
  readonly counters: ObserverCounters;
}

/**
 *     const observers = new Observers(runtime, [{ config, counters }], (event) => log(event));
 *     const session = observers.session({ proxy: "web", id: 7, client: "10.0.0.9:5000" });
 *     const upstream = [session.tap("upstream"), …], downstream = [… , session.tap("downstream")];
 *     session.end("client_closed");
 *     await observers.stop();
 */
export class Observers {
  readonly #observers: readonly Observer[];
  #over: Promise<void> | undefined;
  #stopped: (() => void) | undefined;

  /** `tell`: called with what there is to say, never more than once for each session and observer. */
  constructor(runtime: ObserverRuntime, shares: readonly ObserverShare[], tell: (event: ObserverEvent) => void) {
    const bench = new FrameBench();
    this.#observers = shares.map(
      ({ config, counters }) => new Observer(runtime, config, counters, bench, tell, () => this.#settle()),
    );
  }

  /** A session begins: its observers are connected. Whoever calls this calls `end`. */
  session(info: SessionInfo): SessionObservers {
    return new SessionObservers(this.#observers, info);
  }

  /** Copies that have not ended: of sessions that live, and of those whose observers still take what is left. */
  get live(): number {
    return this.#observers.reduce((sum, { live }) => sum + live, 0);
  }

  /** There will be no further session: resolves when nothing is left of those there were. Once more does no harm. */
  stop(): Promise<void> {
    this.#over ??= this.#stop();
    return this.#over;
  }

  /** Ends every copy at once; what waits is lost. */
  cut(): void {
    for (const observer of this.#observers) observer.cut();
  }

  async #stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
      this.#settle();
    });
    for (const observer of this.#observers) observer.close();
  }

  #settle(): void {
    if (this.live === 0) this.#stopped?.();
  }
}

export class SessionObservers {
  readonly #feeds: readonly { readonly feed: Feed; readonly copies: ObserverConfig["copies"] }[];
  readonly #taps: Partial<Record<Direction, ObserverTap>> = {};

  constructor(observers: readonly Observer[], info: SessionInfo) {
    const released = () => {
      this.#taps.upstream?.released();
      this.#taps.downstream?.released();
    };
    this.#feeds = observers.map((observer) => ({
      feed: observer.feed(info, released),
      copies: observer.config.copies,
    }));
  }

  /** What stands in the way of this direction, always the same; undefined if nobody copies it. */
  tap(direction: Direction): ObserverTap | undefined {
    const feeds = this.feeds(direction);
    if (feeds.length > 0) this.#taps[direction] ??= new ObserverTap(direction, feeds);
    return this.#taps[direction];
  }

  /** Those that copy this direction. */
  feeds(direction: Direction): readonly Feed[] {
    return this.#feeds.flatMap(({ feed, copies }) => (copies === "both" || copies === direction ? feed : []));
  }

  /** The session is over: observers get what is left, and then the FIN. Once more does no harm. */
  end(reason: Reason): void {
    for (const { feed } of this.#feeds) feed.end(reason);
  }
}
