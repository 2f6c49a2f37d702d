/** How long a session may last, be silent, or stay open one way: one timer for all of it. */
import type { Timeouts } from "../config/config.ts";
import type { Reason } from "../metrics/reason.ts";
import type { Runtime, Timer } from "../net/runtime.ts";
import type { Relay } from "./relay.ts";

const NEVER = Number.POSITIVE_INFINITY;

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
    const due = this.#due;
    if (due === NEVER) return;
    this.#timer = this.#runtime.after(Math.max(1, due - this.#runtime.now()), () => this.#look());
  }

  cancel(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const relay = this.#relay;
    // A slow reader that takes bytes out of our queue or the kernel's is not silent.
    if (relay && relay.pending < this.#pending) relay.touch();
    const due = this.#due;
    if (this.#runtime.now() < due) this.arm(relay);
    else this.#owner.cut(due === this.#idle ? "idle_timeout" : due === this.#fin ? "fin_timeout" : "lifetime");
  }

  /** When the earliest is due. */
  get #due(): number {
    return Math.min(this.#idle, this.#fin, this.#lifetime);
  }

  get #idle(): number {
    const { idle } = this.#timeouts;
    return this.#relay && idle > 0 ? this.#relay.activeAt + idle : NEVER;
  }

  get #fin(): number {
    const { fin } = this.#timeouts;
    return this.#relay?.halfClosed && fin > 0 ? this.#relay.activeAt + fin : NEVER;
  }

  get #lifetime(): number {
    const { lifetime } = this.#timeouts;
    return lifetime > 0 ? this.#openedAt + lifetime : NEVER;
  }
}
