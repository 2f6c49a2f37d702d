/** How long a session may last, be silent, or stay open one way: one timer for all of it. */
import type { Timeouts } from "../config/config.ts";
import type { Reason } from "../metrics/reason.ts";
import type { Runtime, Timer } from "../net/runtime.ts";
import type { Relay } from "./relay.ts";

export class Deadlines {
  readonly #runtime: Runtime;
  readonly #timeouts: Timeouts;
  readonly #openedAt: number;
  readonly #cut: (reason: Reason) => void;
  #relay: Relay | undefined;
  #timer: Timer | undefined;
  /** `Relay.pending` when the timer was set. */
  #pending = 0;

  /** `openedAt`: in `Runtime.now` milliseconds; `cut`: is told which one was passed. */
  constructor(runtime: Runtime, timeouts: Timeouts, openedAt: number, cut: (reason: Reason) => void) {
    this.#runtime = runtime;
    this.#timeouts = timeouts;
    this.#openedAt = openedAt;
    this.#cut = cut;
  }

  /** Looks when the earliest can be due, and sleeps again if bytes have moved. Without a relay only the lifetime counts. */
  arm(relay: Relay | undefined, pending = relay?.pending ?? 0): void {
    this.#timer?.cancel();
    this.#relay = relay;
    this.#pending = pending;
    const due = this.#due();
    if (due.at === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#runtime.after(Math.max(1, due.at - this.#runtime.now()), () => this.#look());
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const relay = this.#relay;
    // A slow reader that takes bytes out of our queue or the kernel's is not silent.
    if (relay && relay.pending < this.#pending) relay.touch();
    const due = this.#due();
    if (this.#runtime.now() < due.at) this.arm(relay);
    else this.#cut(due.reason);
  }

  #due(): { at: number; reason: Reason } {
    const { idle, fin, lifetime } = this.#timeouts;
    const relay = this.#relay;
    let due: { at: number; reason: Reason } = { at: Number.POSITIVE_INFINITY, reason: "idle_timeout" };
    if (relay) {
      const active = relay.activeAt;
      if (idle > 0) due = { at: active + idle, reason: "idle_timeout" };
      if (fin > 0 && relay.halfClosed && active + fin < due.at) due = { at: active + fin, reason: "fin_timeout" };
    }
    if (lifetime > 0 && this.#openedAt + lifetime < due.at) due = { at: this.#openedAt + lifetime, reason: "lifetime" };
    return due;
  }
}
