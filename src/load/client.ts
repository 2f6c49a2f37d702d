/** One client of a load: when it asks, and what it makes of what comes back. */
import type { Runtime } from "../net/runtime.ts";
import type { Line, LineEvents } from "./line.ts";
import type { Pacer } from "./pacer.ts";
import type { Tally } from "./tally.ts";

/** Milliseconds before the next request after a failed one; doubled each time, up to the second. */
const PATIENCE = 10;
const PATIENCE_MAX = 1_000;
/** Of an interval: what is due at the very end is not due any more, however it is rounded. */
const ROUNDING = 1e-6;

export class Client implements LineEvents {
  readonly #runtime: Runtime;
  readonly #tally: Tally;
  readonly #pacer: Pacer;
  readonly #line: Line;
  /** Milliseconds between requests; 0: the next one follows each reply at once. */
  readonly #interval: number;
  readonly #timeout: number;
  readonly #finished: () => void;
  readonly #first: number;
  /** Requests that it has the time for; infinitely many without fixed times. */
  readonly #count: number;
  #state: "resting" | "asking" | "sent" | "finished" = "resting";
  #request = 0;
  /** When the request is to be sent, or was. */
  #due: number;
  #sent = 0;
  #patience = 0;

  /** `first`: when its first request is due. */
  constructor(
    runtime: Runtime,
    tally: Tally,
    pacer: Pacer,
    pace: { readonly first: number; readonly interval: number; readonly timeout: number },
    line: (events: LineEvents) => Line,
    finished: () => void,
  ) {
    this.#runtime = runtime;
    this.#tally = tally;
    this.#pacer = pacer;
    this.#first = pace.first;
    this.#due = pace.first;
    this.#interval = pace.interval;
    this.#count =
      pace.interval > 0 ? Math.ceil((tally.end - pace.first) / pace.interval - ROUNDING) : Number.POSITIVE_INFINITY;
    this.#timeout = pace.timeout;
    this.#finished = finished;
    this.#line = line(this);
    this.#restUntil(this.#due);
  }

  sent(): void {
    this.#state = "sent";
    // Without fixed times a request is due when it is asked, and the clock was read then.
    this.#sent = this.#interval > 0 ? this.#runtime.exactNow() : this.#due;
  }

  replied(): void {
    const now = this.#tally.replied(this.#due, this.#sent);
    this.#patience = 0;
    this.#next(now, now);
  }

  failed(code: string): void {
    this.#tally.failed(this.#due, code);
    this.#patience = Math.min(Math.max(2 * this.#patience, PATIENCE), PATIENCE_MAX);
    const now = this.#runtime.exactNow();
    this.#next(now, now + this.#patience);
  }

  connected(change: 1 | -1): void {
    this.#tally.connections += change;
  }

  /** To be called now and then: what takes too long has failed. */
  look(now: number): void {
    if (this.#state !== "sent") return;
    const code = this.#line.trouble?.() ?? (now - this.#sent > this.#timeout ? "timeout" : undefined);
    if (code === undefined) return;
    this.#line.drop();
    this.failed(code);
  }

  /** Waits no longer: what is under way or due stays without a reply. `counted`: as an error. */
  giveUp(counted: boolean): void {
    if (this.#state === "finished") return;
    if (counted) this.#abandon();
    this.#line.drop();
    this.#finish();
  }

  /** `now`: what time it is; `earliest`: when it may ask again. */
  #next(now: number, earliest: number): void {
    this.#request++;
    // From the beginning each time: thousands of roundings would add up to a request more or less.
    this.#due = this.#interval > 0 ? this.#first + this.#request * this.#interval : earliest;
    const at = Math.max(this.#due, earliest);
    if (this.#over) this.#finish();
    else if (at > now) this.#restUntil(at);
    else this.#ask();
  }

  get #over(): boolean {
    return this.#request >= this.#count || this.#due >= this.#tally.end;
  }

  #restUntil(at: number): void {
    this.#state = "resting";
    this.#pacer.wait(at, this.#rested);
  }

  readonly #rested = (): void => {
    if (this.#state !== "resting") return;
    if (this.#interval === 0) this.#due = this.#runtime.exactNow();
    if (this.#over) this.#finish();
    else this.#ask();
  };

  #ask(): void {
    this.#state = "asking";
    this.#line.ask(this.#request);
  }

  #abandon(): void {
    const underWay = this.#state === "resting" ? 0 : 1;
    const count = this.#interval > 0 ? this.#count - this.#request : underWay;
    this.#tally.unfinished(this.#due, count, this.#interval);
  }

  #finish(): void {
    this.#state = "finished";
    this.#line.close();
    this.#finished();
  }
}
