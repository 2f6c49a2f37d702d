/**
 * What each source (client address) has open and how fast it comes, in a table of fixed size that the worker threads
 * share: a source's connections are spread over them. Addresses that nobody has seen before cannot make it grow.
 *
 *     table   seed, 0, set, set, …            words of 32 bits; the address picks the set
 *     set     lock, 0, entry × 8
 *     entry   tokens, refilled                two Float64: connections, and milliseconds since 1970
 *             kind, high, low                 whose it is: 0 nobody's, else 4 or 6 and the address
 *             open × workers                  connections, one number for each worker (and one of padding if need be)
 *
 * The lock orders what `enter` does, so no two threads let the same last connection in. A number in `open` is written
 * by its worker alone: `leave` needs no lock, what a dead worker had open can be taken back, and no count goes wrong
 * for good, not even when a lock is broken.
 */
import type { IpWords } from "../net/cidr.ts";

export interface SourceRules {
  /** Connections that one source may have open; 0: any number. */
  readonly maxConnections: number;
  /** New connections per second and source; 0: any rate. */
  readonly perSecond: number;
  /** How many may come at once: the size of the token bucket, at least 1. */
  readonly burst: number;
}

/** Without another word as many may come at once as in a second, and one at least. */
export function burstOf(perSecond: number): number {
  return Math.max(1, Math.ceil(perSecond));
}

export function limitsSources({ maxConnections, perSecond }: SourceRules): boolean {
  return maxConnections > 0 || perSecond > 0;
}

/** A slot to give back to {@link Sources.leave}, {@link UNTRACKED}, or why not: a number, so that nothing is allocated. */
export type Entry = number;

/** Refused: the source has as many connections open as it may. */
export const TOO_MANY = -1;
/** Refused: the source comes faster than it may. */
export const TOO_FAST = -2;
/** Let in without being counted: every entry of its set belongs to another source with open connections. */
export const UNTRACKED = -3;

export function isRefused(entry: Entry): boolean {
  return entry === TOO_MANY || entry === TOO_FAST;
}

/** Sources whose addresses pick the same set. */
const WAYS = 8;

/** Words before the first set, and before the first entry of a set. */
const [HEAD, LOCK] = [2, 2];
/** Within an entry: Float64, and words. */
const [TOKENS, REFILLED] = [0, 1];
const [KIND, HIGH, LOW, OPEN] = [4, 5, 6, 7];

const NOBODY = 0;
const NONE = -1;

/**
 * Milliseconds that time may go back between two calls, as threads read the clock some time before they enter: were
 * it followed, the same milliseconds would give tokens twice. Further back means that somebody has set the clock.
 */
const SKEW = 1_000;

/**
 * Memory for `workers` threads that tell `sources` sources apart. There are twice as many entries, since addresses
 * do not spread evenly: that way one set in fifty is short of them when all the sources are there.
 *
 * @param seed 32 random bits: who cannot know them cannot find addresses that crowd into one set.
 */
export function sourceTable(sources: number, workers: number, seed: number): SharedArrayBuffer {
  const sets = Math.max(1, Math.ceil((2 * sources) / WAYS));
  const memory = new SharedArrayBuffer(4 * (HEAD + sets * (LOCK + WAYS * entryWords(workers))));
  new Int32Array(memory)[0] = seed;
  return memory;
}

/** Even, for the Float64 in it. */
function entryWords(workers: number): number {
  return 2 * Math.ceil((OPEN + workers) / 2);
}

export class Sources {
  readonly #words: Int32Array;
  readonly #floats: Float64Array;
  readonly #workers: number;
  readonly #worker: number;
  readonly #sets: number;
  /** Words of an entry and of a set. */
  readonly #entry: number;
  readonly #set: number;

  /** `memory`: from {@link sourceTable}, for as many `workers`, of which this is number `worker`, from 0. */
  constructor(memory: ArrayBuffer | SharedArrayBuffer, workers: number, worker: number) {
    this.#words = new Int32Array(memory);
    this.#floats = new Float64Array(memory);
    this.#workers = workers;
    this.#worker = worker;
    this.#entry = entryWords(workers);
    this.#set = LOCK + WAYS * this.#entry;
    this.#sets = (this.#words.length - HEAD) / this.#set;
  }

  /**
   * Lets a connection of `address` in and counts it, or says why not. An IPv6 source is a /64: one host commonly has
   * a whole one to itself, and with a count for each of its addresses no limit at all.
   *
   * @param now milliseconds since 1970, the only clock that threads share.
   * @example
   * const entry = sources.enter([0x7f000001], runtime.wallClock(), { maxConnections: 10, perSecond: 2, burst: 20 });
   * if (isRefused(entry)) socket.abort(); // else, when it ends: sources.leave(entry)
   */
  enter(address: IpWords, now: number, rules: SourceRules): Entry {
    const kind = address.length === 1 ? 4 : 6;
    const high = (address[0] as number) | 0;
    const low = kind === 4 ? 0 : (address[1] as number) | 0;
    const set = this.#setOf(high, low);
    const lock = HEAD + set * this.#set;
    const held = acquire(this.#words, lock);
    let slot = this.#find(set, kind, high, low);
    if (slot === NONE) slot = this.#claim(set, kind, high, low, now, rules);
    const entry = slot === NONE ? UNTRACKED : this.#admit(this.#at(slot), slot, now, rules);
    release(this.#words, lock, held);
    return entry;
  }

  /** A connection that entered with this slot, in this worker, is over. */
  leave(slot: Entry): void {
    if (slot >= 0) Atomics.sub(this.#words, this.#at(slot) + OPEN + this.#worker, 1);
  }

  /** Whoever counted as `worker` is gone, and its connections with it. */
  abandon(worker: number): void {
    for (let slot = 0; slot < this.#sets * WAYS; slot++) {
      Atomics.store(this.#words, this.#at(slot) + OPEN + worker, 0);
    }
  }

  #setOf(high: number, low: number): number {
    const hash = mix(mix((this.#words[0] as number) ^ high) ^ low);
    return Math.floor(((hash >>> 0) / 0x1_0000_0000) * this.#sets);
  }

  #find(set: number, kind: number, high: number, low: number): number {
    const words = this.#words;
    let at = HEAD + set * this.#set + LOCK;
    for (let way = 0; way < WAYS; way++) {
      if (words[at + HIGH] === high && words[at + LOW] === low && words[at + KIND] === kind) return set * WAYS + way;
      at += this.#entry;
    }
    return NONE;
  }

  /** An entry for a source that has none; {@link NONE} if all have connections open, whose slots must stay theirs. */
  #claim(set: number, kind: number, high: number, low: number, now: number, rules: SourceRules): number {
    const slot = this.#spare(set, now, rules);
    if (slot === NONE) return NONE;
    const at = this.#at(slot);
    this.#words[at + KIND] = kind;
    this.#words[at + HIGH] = high;
    this.#words[at + LOW] = low;
    this.#floats[(at >> 1) + TOKENS] = rules.burst;
    this.#floats[(at >> 1) + REFILLED] = now;
    return slot;
  }

  #spare(set: number, now: number, rules: SourceRules): number {
    let spare = NONE;
    let longest = -1;
    for (let slot = set * WAYS; slot < set * WAYS + WAYS; slot++) {
      const at = this.#at(slot);
      if (this.#words[at + KIND] === NOBODY) return slot;
      if (this.#open(at) > 0) continue;
      // With nothing open and a full bucket it says what a new one would: the first to give way. What lies far ahead is
      // from before the clock was set back, and old as well.
      const full = this.#level(at, now, rules) >= rules.burst;
      const age = full ? Number.POSITIVE_INFINITY : Math.abs(now - (this.#floats[(at >> 1) + REFILLED] as number));
      if (age <= longest) continue;
      spare = slot;
      longest = age;
    }
    return spare;
  }

  /** Concurrency first: who is refused for it takes no token. */
  #admit(at: number, slot: number, now: number, rules: SourceRules): Entry {
    const tokens = this.#level(at, now, rules);
    const elapsed = now - (this.#floats[(at >> 1) + REFILLED] as number);
    if (elapsed > 0 || elapsed < -SKEW) this.#floats[(at >> 1) + REFILLED] = now;
    this.#floats[(at >> 1) + TOKENS] = tokens;
    if (rules.maxConnections > 0 && this.#open(at) >= rules.maxConnections) return TOO_MANY;
    if (rules.perSecond > 0) {
      if (tokens < 1) return TOO_FAST;
      this.#floats[(at >> 1) + TOKENS] = tokens - 1;
    }
    Atomics.add(this.#words, at + OPEN + this.#worker, 1);
    return slot;
  }

  /** Tokens in the bucket by now. */
  #level(at: number, now: number, { perSecond, burst }: SourceRules): number {
    if (perSecond === 0) return burst;
    const elapsed = Math.max(0, now - (this.#floats[(at >> 1) + REFILLED] as number));
    return Math.min(burst, (this.#floats[(at >> 1) + TOKENS] as number) + (elapsed / 1_000) * perSecond);
  }

  /** Connections in all workers. Plain reads are enough: only who leaves does so without the lock, and may count still. */
  #open(at: number): number {
    let sum = 0;
    for (let worker = 0; worker < this.#workers; worker++) sum += this.#words[at + OPEN + worker] as number;
    return sum;
  }

  /** The first word of an entry. */
  #at(slot: number): number {
    return HEAD + (slot >>> 3) * this.#set + LOCK + (slot & 7) * this.#entry;
  }
}

/** Every bit of the word changes every bit of the result (lowbias32 by Chris Wellons). */
function mix(word: number): number {
  let hash = word ^ (word >>> 16);
  hash = Math.imul(hash, 0x7feb_352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846c_a68b);
  return hash ^ (hash >>> 16);
}

/** Looks at one turn before its lock is broken, some 100 ms: whom the kernel only interrupted is on again long before. */
const SPINS = 1 << 23;

/**
 * Takes a lock and returns its state, for {@link release}: even is free, odd is held, and each turn has its own number.
 *
 * It spins, since a turn takes a fraction of a microsecond and sleeping and being woken many; with one set out of
 * hundreds or thousands two threads rarely meet at all. A holder that died in its turn costs one thread the wait, once:
 * the lock goes to that thread. Should the holder run on after all, two are in there: one connection more than allowed
 * may come in, or be counted for the wrong source until it ends.
 */
function acquire(words: Int32Array, lock: number): number {
  let seen = 0;
  let spins = 0;
  for (;;) {
    const state = Atomics.load(words, lock);
    const held = (state & 1) === 1;
    spins = state === seen ? spins + 1 : 0;
    seen = state;
    if (held && spins < SPINS) continue;
    const mine = (state + (held ? 2 : 1)) | 0;
    if (Atomics.compareExchange(words, lock, state, mine) === state) return mine;
  }
}

/** Does nothing if the lock has been broken: the turn is another's. */
function release(words: Int32Array, lock: number, mine: number): void {
  Atomics.compareExchange(words, lock, mine, (mine + 1) | 0);
}
