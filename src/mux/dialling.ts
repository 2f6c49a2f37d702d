/** Attempts to connect a target, and the pauses between them when it cannot be connected or does not stay. */
import { CELL, type Counters } from "../metrics/counters.ts";
import type { Address } from "../net/address.ts";
import { asSocketError, type SocketError } from "../net/errors.ts";
import type { Connecting, ConnectOptions, Runtime, StreamSocket, Timer } from "../net/runtime.ts";

/** Milliseconds before the next attempt, doubled each time up to the most; half of it is left to chance. */
const PAUSE = 100;
const PAUSE_MAX = 5_000;
/** Microseconds: the next request waits for an answer that a fast target gives within so many. */
const BUSY_POLL = 50;

export interface DiallingOwner {
  readonly runtime: Pick<Runtime, "after" | "connect">;
  readonly address: Address;
  readonly connectOptions: ConnectOptions;
  readonly counters: Counters;
  /** From 0 up to 1. */
  readonly random: () => number;
  opened(socket: StreamSocket): void;
  unopened(error: SocketError): void;
  /** A pause is over. */
  rested(): void;
}

export class Dialling {
  readonly #owner: DiallingOwner;
  readonly #attempts = new Set<Connecting>();
  /** In a row. */
  #failures = 0;
  #pause: Timer | undefined;
  #error: SocketError | undefined;

  constructor(owner: DiallingOwner) {
    this.#owner = owner;
  }

  /** How many attempts go on. */
  get underWay(): number {
    return this.#attempts.size;
  }

  /** Why there is no attempt for a while, if that is so. */
  get resting(): SocketError | undefined {
    return this.#pause && this.#error;
  }

  /** Not while it rests. */
  attempt(): void {
    const { runtime, address, connectOptions, counters } = this.#owner;
    if (this.#failures > 0) counters.add(CELL.redials, 1);
    const attempt = runtime.connect(address, { ...connectOptions, busyPoll: BUSY_POLL });
    this.#attempts.add(attempt);
    attempt.socket.then(
      (socket) => {
        this.#attempts.delete(attempt);
        this.#owner.opened(socket);
      },
      (thrown) => {
        this.#attempts.delete(attempt);
        const error = asSocketError(thrown);
        if (error.code !== "ECANCELED") this.failed(error);
        this.#owner.unopened(error);
      },
    );
  }

  /** What was opened was good for nothing, or could not be opened: there is a pause, the longer the more of them. */
  failed(error: SocketError): void {
    const { runtime, random } = this.#owner;
    this.#error = error;
    const pause = Math.min(PAUSE * 2 ** this.#failures++, PAUSE_MAX) * (0.5 + 0.5 * random());
    this.#pause ??= runtime.after(pause, () => {
      this.#pause = undefined;
      this.#owner.rested();
    });
  }

  /** A connection was good for something. */
  succeeded(): void {
    this.#failures = 0;
  }

  /** Gives all attempts up, and makes no pause. */
  stop(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    for (const attempt of this.#attempts) attempt.cancel();
  }
}
