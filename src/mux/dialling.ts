/** Attempts to connect a target, and the pauses between them when it cannot be connected or does not stay. */
import { CELL, type Counters } from "../metrics/counters.ts";
import type { Address } from "../net/address.ts";
import { Backoff } from "../net/backoff.ts";
import { asSocketError, type SocketError } from "../net/errors.ts";
import type { Connecting, ConnectOptions, Runtime, StreamSocket, Timer } from "../net/runtime.ts";

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
  readonly #backoff: Backoff;
  #pause: Timer | undefined;
  #error: SocketError | undefined;

  constructor(owner: DiallingOwner) {
    this.#owner = owner;
    this.#backoff = new Backoff(() => owner.random());
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
    if (this.#backoff.failing) counters.add(CELL.redials, 1);
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
    this.#error = error;
    const pause = this.#backoff.failed();
    this.#pause ??= this.#owner.runtime.after(pause, () => {
      this.#pause = undefined;
      this.#owner.rested();
    });
  }

  /** A connection was good for something. */
  succeeded(): void {
    this.#backoff.succeeded();
  }

  /** Gives all attempts up, and makes no pause. */
  stop(): void {
    this.#pause?.cancel();
    this.#pause = undefined;
    for (const attempt of this.#attempts) attempt.cancel();
  }
}
