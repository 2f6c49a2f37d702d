/**
 * Small reads that follow each other soon go to an observer together: one `send` for all that came within two
 * milliseconds, where one for each would cost a busy session a third of its speed. The first read after a silence goes
 * at once.
 *
 *     read    read read    read         read
 *     │        │   │        │            │
 *     send ────┴───┴─ send ─┴─── send    send …        one tick for all sessions of an observer
 */
import type { Runtime, Timer } from "../net/runtime.ts";

/** Milliseconds between two sends to an observer that go on. */
const INTERVAL = 2;

/** Bytes: a read of so many, or more, goes by itself, and nothing waits behind as many that are gathered. */
export const GATHERED = { read: 4_096, most: 16_384 } as const;

export interface Gatherer {
  /** Sends what was gathered. False: there was nothing, and it has begun to send at once again. */
  flush(): boolean;
}

/** The clock of all feeds of one observer in one thread that gather; it stands still when there are none. */
export class Gathering {
  readonly #runtime: Pick<Runtime, "after">;
  readonly #gatherers = new Set<Gatherer>();
  #timer: Timer | undefined;

  constructor(runtime: Pick<Runtime, "after">) {
    this.#runtime = runtime;
  }

  join(gatherer: Gatherer): void {
    this.#gatherers.add(gatherer);
    this.#timer ??= this.#runtime.after(INTERVAL, () => this.#tick());
  }

  leave(gatherer: Gatherer): void {
    this.#gatherers.delete(gatherer);
    if (this.#gatherers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #tick(): void {
    this.#timer = undefined;
    for (const gatherer of this.#gatherers) {
      if (!gatherer.flush()) this.#gatherers.delete(gatherer);
    }
    if (this.#gatherers.size > 0) this.#timer ??= this.#runtime.after(INTERVAL, () => this.#tick());
  }
}
