/** Until when requests are answered: one list in the order of their deadlines, and one timer. */
import type { Runtime, Timer } from "../net/runtime.ts";
import { Chain } from "./chain.ts";
import type { Request } from "./request.ts";

export class RequestDeadlines {
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #expired: (request: Request) => void;
  readonly #chain = new Chain<Request>();
  #timer: Timer | undefined;

  constructor(runtime: Pick<Runtime, "now" | "after">, expired: (request: Request) => void) {
    this.#runtime = runtime;
    this.#expired = expired;
  }

  /** Gives a request so many milliseconds from now on, whatever it had before; 0: for ever. All get the same. */
  extend(request: Request, timeout: number): void {
    if (timeout === 0) return;
    request.deadline = this.#runtime.now() + timeout;
    this.#chain.push(request);
    this.#timer ??= this.#runtime.after(timeout, () => this.#look());
  }

  remove(request: Request): void {
    this.#chain.remove(request);
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    this.#timer = undefined;
    const now = this.#runtime.now();
    for (let next = this.#chain.first; next && next.deadline <= now; next = this.#chain.first) {
      this.#chain.remove(next);
      this.#expired(next);
    }
    const { first } = this.#chain;
    if (first) this.#timer ??= this.#runtime.after(Math.max(1, first.deadline - now), () => this.#look());
  }
}
