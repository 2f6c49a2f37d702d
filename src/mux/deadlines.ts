/** Until when requests are answered: one list in the order of their deadlines, and one timer. */
import type { Runtime, Timer } from "../net/runtime.ts";
import { Chain } from "./chain.ts";
import type { Request } from "./request.ts";

export class RequestDeadlines {
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #expired: (request: Request) => void;
  readonly #chain = new Chain<Request>();
  #timer: Timer | undefined;
  /** When the timer looks: not later than anybody's deadline. */
  #due = Number.POSITIVE_INFINITY;

  constructor(runtime: Pick<Runtime, "now" | "after">, expired: (request: Request) => void) {
    this.#runtime = runtime;
    this.#expired = expired;
  }

  /** Gives a request so many milliseconds from now on, whatever it had before; 0: for ever. Others keep what they have. */
  extend(request: Request, timeout: number): void {
    request.deadline = timeout === 0 ? Number.POSITIVE_INFINITY : this.#runtime.now() + timeout;
    // Behind all others, but where it has become shorter.
    this.#chain.place(request, ({ deadline }) => deadline <= request.deadline);
    if (request.deadline < this.#due) this.#arm(request.deadline);
  }

  /** Who has for ever has so many milliseconds from now on. */
  bound(timeout: number): void {
    if (timeout === 0) return;
    for (let next = this.#chain.last; next?.deadline === Number.POSITIVE_INFINITY; next = this.#chain.last) {
      this.extend(next, timeout);
    }
  }

  remove(request: Request): void {
    this.#chain.remove(request);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#due = Number.POSITIVE_INFINITY;
  }

  #look(): void {
    const now = this.#runtime.now();
    for (let next = this.#chain.first; next && next.deadline <= now; next = this.#chain.first) {
      this.#chain.remove(next);
      this.#expired(next);
    }
    this.stop();
    const { first } = this.#chain;
    if (first && first.deadline < Number.POSITIVE_INFINITY) this.#arm(first.deadline);
  }

  #arm(due: number): void {
    this.stop();
    this.#due = due;
    this.#timer = this.#runtime.after(Math.max(1, due - this.#runtime.now()), () => this.#look());
  }
}
