/**
 * Looking out for events for some microseconds before sleeping. To wake a thread that sleeps takes longer than a fast
 * target takes to answer, so for a connection with one request under way it is most of the round trip. SO_BUSY_POLL
 * (socket(7)) is the same for the queues of a network device, which loopback and many virtual ones do not have.
 */

/** Who has looked in vain lets at most so many questions pass before the next try. */
const REST_MAX = 255;

export class BusyPoll {
  /** Microseconds. */
  #window = 0;
  #waiting = false;
  /** Milliseconds: there is no looking out beyond it. 0: it has not begun. */
  #end = 0;
  #rest = 0;
  #left = 0;

  /** Something was sent whose answer may be there within so many microseconds. */
  asked(window: number): void {
    if (this.#left > 0) {
      this.#left--;
      return;
    }
    this.#window = window;
    this.#waiting = true;
    this.#end = 0;
  }

  /** The answer is there. */
  answered(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#rest = 0;
  }

  /**
   * Before a sleep. `look` asks the kernel and gives the number of events, or less than 0; so does this. `now`, in
   * milliseconds, is monotonic. Whoever looks in vain does so ever more rarely, so that a slow target costs nothing.
   */
  before(look: () => number, now: () => number): number {
    if (!this.#waiting) return 0;
    if (this.#end === 0) this.#end = now() + this.#window / 1_000;
    do {
      const count = look();
      if (count !== 0) return count;
    } while (now() < this.#end);
    this.#waiting = false;
    this.#rest = Math.min(2 * this.#rest + 1, REST_MAX);
    this.#left = this.#rest;
    return 0;
  }
}
