/** How long a session may last, be silent, or stay open one way: one timer for all of it. */
import type { Timeouts } from "../config/config.ts";
import type { Reason } from "../metrics/reason.ts";
import type { Runtime, Timer } from "../net/runtime.ts";
import type { Relay } from "./relay.ts";

interface DeadlinesOwner {
  /** The deadline of that name has passed. */
  cut(reason: Reason): void;
}

export class Deadlines {
  readonly #runtime: Runtime;
  readonly #timeouts: Timeouts;
  readonly #openedAt: number;
  readonly #owner: DeadlinesOwner;
  #relay: Relay | undefined;
  #timer: Timer | undefined;
  #reason: Reason = "idle_timeout";
  /** `Relay.pending` when the timer was set. */
  #pending = 0;

  /** `openedAt`: in `Runtime.now` milliseconds. */
  constructor(runtime: Runtime, timeouts: Timeouts, openedAt: number, owner: DeadlinesOwner) {
    this.#runtime = runtime;
    this.#timeouts = timeouts;
    this.#openedAt = openedAt;
    this.#owner = owner;
  }

  /** Looks when the earliest can be due, and sleeps again if bytes have moved. Without a relay only the lifetime counts. */
  arm(relay: Relay | undefined, pending = relay?.pending ?? 0): void {
    this.#timer?.cancel();
    this.#relay = relay;
    this.#pending = pending;
    const due = this.#due();
    if (due === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#runtime.after(Math.max(1, due - this.#runtime.now()), () => this.#look());
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const relay = this.#relay;
    // A slow reader that takes bytes out of our queue or the kernel's is not silent.
    if (relay && relay.pending < this.#pending) relay.touch();
    if (this.#runtime.now() < this.#due()) this.arm(relay);
    else this.#owner.cut(this.#reason);
  }

  /** When the earliest is due, and `#reason` which one it is. */
  #due(): number {
    const { idle, fin, lifetime } = this.#timeouts;
    const relay = this.#relay;
    let due = Number.POSITIVE_INFINITY;
    if (relay) {
      const active = relay.activeAt;
      if (idle > 0) {
        due = active + idle;
        this.#reason = "idle_timeout";
      }
      if (fin > 0 && relay.halfClosed && active + fin < due) {
        due = active + fin;
        this.#reason = "fin_timeout";
      }
    }
    if (lifetime > 0 && this.#openedAt + lifetime < due) {
      due = this.#openedAt + lifetime;
      this.#reason = "lifetime";
    }
    return due;
  }
}
