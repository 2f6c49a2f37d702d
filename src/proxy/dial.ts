/**
 * The way to a target: attempts until one takes the connection. A target that cannot be connected is followed at once
 * by another that can be chosen; when each has been tried, the round is over, and there are as many more rounds as the
 * configuration says, after pauses. Nothing of the client has been read meanwhile, so no attempt repeats anything.
 */
import type { Pool, Source } from "../balance/pool.ts";
import type { Target } from "../balance/target.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import { connectReason, RETRIED, type Reason } from "../metrics/reason.ts";
import { asSocketError, type SocketError } from "../net/errors.ts";
import type { ConnectEvents, Connecting, Runtime, StreamSocket, Timer } from "../net/runtime.ts";
import type { Rules } from "./rules.ts";

/** Milliseconds before the next round, doubled each time, up to the second. */
const PAUSE = 100;
const PAUSE_MAX = 1_000;

const NOBODY: readonly Target[] = [];

/** For whom targets are chosen. */
export interface DialOwner extends Source {
  connect(target: Target): Connecting;
  /** A place on a target is free again that was taken for this connection. */
  freed(): void;
  dialled(socket: StreamSocket): void;
  undialled(reason: Reason, error: SocketError): void;
  /** A bug: what was to be done threw. */
  failed(cause: unknown): void;
}

export class Dial implements ConnectEvents {
  /** The target that is being tried, or was last; a place on it is taken until {@link Dial.give}. */
  target: Target;
  /** Attempts beyond the first. */
  retries = 0;
  readonly #runtime: Runtime;
  readonly #pool: Pool;
  readonly #rules: Rules;
  readonly #owner: DialOwner;
  #attempt: Connecting | undefined;
  #later: Timer | undefined;
  #tried = NOBODY;
  #rounds = 0;
  #taken = true;
  #over = false;

  /** `target`: the first, with a place taken on it. */
  constructor(runtime: Runtime, pool: Pool, rules: Rules, target: Target, owner: DialOwner) {
    this.#runtime = runtime;
    this.#pool = pool;
    this.#rules = rules;
    this.target = target;
    this.#owner = owner;
    this.#try();
  }

  /** Where it counts, now. */
  get counters(): Counters {
    return this.target.counters;
  }

  /** Gives the attempt up; its owner hears no more of it. */
  cancel(): void {
    this.#over = true;
    this.#attempt?.cancel();
    this.#later?.cancel();
  }

  /** The connection is over: its place is free. */
  give(): void {
    if (this.#taken) this.target.give();
    this.#taken = false;
  }

  #try(): void {
    const attempt = this.#owner.connect(this.target);
    this.#attempt = attempt;
    if (attempt.tell) attempt.tell(this);
    else this.#wait(attempt.socket);
  }

  /** On its own, for the sake of those who are told: closures cost before they are made. */
  #wait(socket: Promise<StreamSocket>): void {
    socket.then(
      (opened) => this.connected(opened),
      (error) => this.failed(error),
    );
  }

  connected(socket: StreamSocket): void {
    this.#guarded(this.#connected, socket);
  }

  failed(error: unknown): void {
    this.#guarded(this.#failed, error);
  }

  /** Nobody is above us who could be told of an exception. A method, not a closure: one is made for each connection. */
  #guarded<T>(step: (this: Dial, value: T) => void, value: T): void {
    try {
      step.call(this, value);
    } catch (cause) {
      this.#owner.failed(cause);
    }
  }

  #connected(socket: StreamSocket): void {
    if (this.#over) {
      socket.abort();
      return;
    }
    this.#attempt = undefined;
    this.target.connected();
    this.#owner.dialled(socket);
  }

  #failed(thrown: unknown): void {
    if (this.#over) return;
    const error = asSocketError(thrown);
    const reason = connectReason(error.code);
    if (RETRIED.includes(reason)) {
      this.target.failed(this.#runtime.wallClock());
      if (this.#another() || this.#pause()) return;
    }
    this.#over = true;
    this.#owner.undialled(reason, error);
  }

  /** Goes on with a target that was not tried in this round, if there is one. */
  #another(): boolean {
    this.#tried = [...this.#tried, this.target];
    const choice = this.#pool.choose(this.#owner, this.#tried);
    if (typeof choice === "string") return false;
    this.#retry(choice);
    return true;
  }

  #pause(): boolean {
    if (this.#rounds >= this.#rules.config.retries) return false;
    const pause = Math.min(PAUSE * 2 ** this.#rounds++, PAUSE_MAX);
    this.#later = this.#runtime.after(pause, () => this.#guarded(this.#nextRound, undefined));
    return true;
  }

  #nextRound(): void {
    this.#tried = NOBODY;
    const choice = this.#pool.choose(this.#owner, NOBODY);
    // Where there is no other, the same one again: it is ours until the connection is over.
    if (typeof choice === "string") this.#again();
    else this.#retry(choice);
  }

  #retry(target: Target): void {
    this.give();
    this.target = target;
    this.#taken = true;
    this.#owner.freed();
    this.#again();
  }

  #again(): void {
    this.retries++;
    this.target.counters.add(CELL.retries, 1);
    this.#try();
  }
}
