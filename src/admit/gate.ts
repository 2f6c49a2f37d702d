/**
 * How many connections a proxy has at once, in all its threads, and who is next. Those for whom there is no room wait
 * in the thread that accepted them; a ticket, drawn from memory that all threads share, tells who came first.
 *
 *     open | waiting | last ticket | of each worker: open, waiting, oldest ticket
 *
 * A thread that makes room looks at the tickets after it has given its place back, one that waits publishes its ticket
 * before it looks for a place: whichever is second sees the other (Atomics are sequentially consistent).
 */
import { addBelow } from "./places.ts";

/** Somebody in the queue. */
export interface Waiter {
  /** There may be room. True: it takes no further part, whatever became of it. False: there is none. */
  proceed(): boolean;
  /**
   * For what it waits, where not all wait for the same: those who wait for something else may pass it. Threads know
   * nothing of each other's lines, so among threads a line is in order only by and large.
   */
  readonly line?: string | undefined;
}

const OPEN = 0;
const WAITING = 1;
const TICKET = 2;
const SHARED = 3;
/** Of each worker. */
const OLDEST = 2;
const PER_WORKER = 3;

/** Zeroes for a proxy in `workers` threads. */
export function gateMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer((SHARED + workers * PER_WORKER) * Int32Array.BYTES_PER_ELEMENT);
}

export class Gate {
  readonly #cells: Int32Array;
  /** Where this worker's own cells begin. */
  readonly #own: number;
  readonly #nudge: () => void;
  /** Who waits here, the first to come first, with tickets. */
  readonly #waiters = new Map<Waiter, number>();
  /** Room was made here, or the queue got shorter, and the other threads were not told. */
  #news = false;

  /** `nudge`: tells all other threads that there may be room; each of them is to call {@link next}. */
  constructor(memory: SharedArrayBuffer, worker: number, nudge: () => void) {
    this.#cells = new Int32Array(memory);
    this.#own = SHARED + worker * PER_WORKER;
    this.#nudge = nudge;
  }

  /** Connections that have a place. */
  get open(): number {
    return Atomics.load(this.#cells, OPEN);
  }

  /** Connections in the queue, in all threads. */
  get waiting(): number {
    return Atomics.load(this.#cells, WAITING);
  }

  /** Takes a place if fewer than `limit` are taken; 0: any number. */
  take(limit: number): boolean {
    if (!addBelow(this.#cells, OPEN, limit || Number.POSITIVE_INFINITY)) return false;
    (this.#cells[this.#own + OPEN] as number) += 1;
    return true;
  }

  give(): void {
    (this.#cells[this.#own + OPEN] as number) -= 1;
    Atomics.sub(this.#cells, OPEN, 1);
    this.#news = true;
  }

  /** There is room elsewhere that somebody may wait for. */
  freed(): void {
    this.#news = true;
  }

  /** Puts somebody at the end of the queue; false: it has `size` already. A look at {@link next} has to follow. */
  wait(waiter: Waiter, size: number): boolean {
    if (!addBelow(this.#cells, WAITING, size)) return false;
    // 0 says that nobody waits.
    const ticket = Atomics.add(this.#cells, TICKET, 1) + 1 || Atomics.add(this.#cells, TICKET, 1) + 1;
    this.#waiters.set(waiter, ticket);
    (this.#cells[this.#own + WAITING] as number) += 1;
    this.#publish();
    return true;
  }

  /** Somebody waits here for the same. */
  standsIn(line: string): boolean {
    for (const waiter of this.#waiters.keys()) if (waiter.line === line) return true;
    return false;
  }

  /** Forgets somebody who waits, if he does. */
  leave(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    (this.#cells[this.#own + WAITING] as number) -= 1;
    Atomics.sub(this.#cells, WAITING, 1);
    this.#publish();
    this.#news = true;
  }

  /** There may be room: whoever came first goes on, as many as can. */
  next(): void {
    while (this.waiting > 0) {
      const [oldest] = this.#waiters.keys();
      if (!oldest || !this.#isFirst()) {
        if (oldest?.line !== undefined) this.#pass(new Set());
        this.#tell();
        return;
      }
      if (!oldest.proceed()) {
        if (oldest.line === undefined) return;
        this.#pass(new Set([oldest.line]));
        this.#tell();
        return;
      }
      this.leave(oldest);
    }
  }

  /** Who waits for something else than those in `stuck` does not wait for them. */
  #pass(stuck: Set<string>): void {
    for (const waiter of [...this.#waiters.keys()]) {
      const { line } = waiter;
      if (line === undefined || stuck.has(line) || !this.#waiters.has(waiter)) continue;
      if (waiter.proceed()) this.leave(waiter);
      else stuck.add(line);
    }
  }

  /** What others have told us they have told everybody: sent on, it would go round as long as somebody waits. */
  #tell(): void {
    if (this.#news) this.#nudge();
    this.#news = false;
  }

  #publish(): void {
    const [oldest = 0] = this.#waiters.values();
    Atomics.store(this.#cells, this.#own + OLDEST, oldest);
  }

  /** Nobody in another thread has come before the first one here. */
  #isFirst(): boolean {
    const own = Atomics.load(this.#cells, this.#own + OLDEST);
    for (let at = SHARED + OLDEST; at < this.#cells.length; at += PER_WORKER) {
      const other = Atomics.load(this.#cells, at);
      // Tickets run over after 2^32 of them: what counts is the distance.
      if (other !== 0 && ((other - own) | 0) < 0) return false;
    }
    return true;
  }
}

/** A worker is gone: what it held is free, and those who waited there have left. */
export function abandonGate(memory: SharedArrayBuffer, worker: number): void {
  const cells = new Int32Array(memory);
  const own = SHARED + worker * PER_WORKER;
  Atomics.sub(cells, OPEN, cells[own + OPEN] as number);
  Atomics.sub(cells, WAITING, cells[own + WAITING] as number);
  cells.fill(0, own, own + PER_WORKER);
}
