/** The bookkeeping of one attempt to connect: it settles once, by success, failure, timeout or giving up. */
import type { Address } from "../../src/net/address.ts";
import type { Connecting, Runtime, StreamSocket, Timer } from "../../src/net/runtime.ts";
import { clock } from "./clock.ts";
import { attemptError } from "./errors.ts";

export class Attempt implements Connecting {
  readonly socket: Promise<StreamSocket>;
  readonly #to: Address;
  #resolve!: (socket: StreamSocket) => void;
  #reject!: (error: Error) => void;
  #timer: Timer | undefined;
  /** Stops the runtime's attempt; set by the adapter when it has something to stop. */
  stop: () => void = () => {};
  settled = false;

  constructor(to: Address, timeout: number, after: Runtime["after"] = clock.after) {
    this.#to = to;
    this.socket = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (timeout > 0) this.#timer = after(timeout, () => this.#giveUp("ETIMEDOUT"));
  }

  /** False: too late, and the socket is the adapter's to destroy. */
  succeed(socket: StreamSocket): boolean {
    if (!this.#settle()) return false;
    this.#resolve(socket);
    return true;
  }

  fail(thrown: unknown): void {
    if (this.#settle()) this.#reject(attemptError("connect to", this.#to, thrown));
  }

  cancel(): void {
    this.#giveUp("ECANCELED");
  }

  #giveUp(code: string): void {
    if (!this.#settle()) return;
    this.stop();
    this.#reject(attemptError("connect to", this.#to, { code }));
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#timer?.cancel();
    return true;
  }
}
