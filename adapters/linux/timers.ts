/**
 * A hierarchical timing wheel (Varghese and Lauck, 1987): setting and cancelling a timer costs the same
 * whether there are ten or a million. One slot is one millisecond; each level above is 256 times coarser,
 * and its timers move down when their time comes near.
 */
import type { Timer } from "../../src/net/runtime.ts";

const BITS = 8;
const SLOTS = 1 << BITS;
const MASK = SLOTS - 1;
/** 256^4 ms are 49 days; what is further away waits in the last slot and is put back. */
const LEVELS = 4;
const HORIZON = 2 ** (BITS * LEVELS) - 1;

/** Whose time comes, for whom a closure would be one object too many. */
export interface Due {
  due(): void;
}

class Entry implements Timer {
  previous: Entry = this;
  next: Entry = this;
  readonly due: number;
  readonly run: Due | (() => void);
  readonly #wheel: TimerWheel;
  pending = true;

  constructor(wheel: TimerWheel, due: number, run: Due | (() => void)) {
    this.#wheel = wheel;
    this.due = due;
    this.run = run;
  }

  cancel(): void {
    if (!this.pending) return;
    this.pending = false;
    this.#wheel.size--;
    this.unlink();
  }

  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }

  /** This entry is the head of a ring. */
  append(entry: Entry): void {
    entry.previous = this.previous;
    entry.next = this;
    this.previous.next = entry;
    this.previous = entry;
  }
}

export class TimerWheel {
  /** Timers that have neither run nor been cancelled. */
  size = 0;
  /** The last millisecond that was dealt with. */
  #now: number;
  /** Nothing happens before this tick, unless it has passed: then nobody has looked since. */
  #next = 0;
  readonly #slots: Entry[];

  constructor(now: number) {
    this.#now = Math.floor(now);
    this.#slots = Array.from({ length: LEVELS * SLOTS }, () => new Entry(this, 0, () => {}));
  }

  /** Runs `run`, or tells it that it is due, in the first `advance` that reaches `at`, milliseconds on the clock of `now`. */
  set(at: number, run: Due | (() => void)): Timer {
    const entry = new Entry(this, Math.max(Math.ceil(at), this.#now + 1), run);
    this.size++;
    if (entry.due < this.#next) this.#next = entry.due;
    this.#place(entry);
    return entry;
  }

  /**
   * Runs everything due at `now`, earliest first, and answers whether there was anything. A timer set by one that runs waits
   * for the next millisecond.
   */
  advance(now: number): boolean {
    const end = Math.floor(now);
    let ran = false;
    if (this.size === 0) {
      this.#now = Math.max(end, this.#now);
      return ran;
    }
    while (this.#now < end && this.size > 0) {
      this.#now++;
      if ((this.#now & MASK) === 0) this.#cascade(1);
      const slot = this.#slot(0, this.#now);
      for (let entry = slot.next; entry !== slot; entry = slot.next) {
        entry.unlink();
        entry.pending = false;
        this.size--;
        ran = true;
        const { run } = entry;
        if (typeof run === "function") run();
        else run.due();
      }
    }
    this.#now = Math.max(end, this.#now);
    return ran;
  }

  /** Milliseconds from `now` until something may be due, at most `limit`; never later than the next timer. */
  wait(now: number, limit: number): number {
    if (this.size === 0) return limit;
    if (this.#next <= this.#now) this.#next = this.#look();
    return Math.min(limit, Math.max(0, Math.ceil(this.#next - now)));
  }

  /** The next tick with something in the finest level, or at which a coarser one comes down. */
  #look(): number {
    for (let tick = this.#now + 1; ; tick++) {
      const slot = this.#slot(0, tick);
      if (slot.next !== slot || (tick & MASK) === 0) return tick;
    }
  }

  #slot(level: number, tick: number): Entry {
    return this.#slots[level * SLOTS + (Math.floor(tick / 2 ** (BITS * level)) & MASK)] as Entry;
  }

  #place(entry: Entry): void {
    const ahead = Math.min(entry.due - this.#now, HORIZON);
    let level = 0;
    while (level < LEVELS - 1 && ahead >= 2 ** (BITS * (level + 1))) level++;
    this.#slot(level, this.#now + ahead).append(entry);
  }

  #cascade(level: number): void {
    const slot = this.#slot(level, this.#now);
    if (level < LEVELS - 1 && (Math.floor(this.#now / 2 ** (BITS * level)) & MASK) === 0) this.#cascade(level + 1);
    const entries: Entry[] = [];
    for (let entry = slot.next; entry !== slot; entry = slot.next) {
      entry.unlink();
      entries.push(entry);
    }
    for (const entry of entries) this.#place(entry);
  }
}
