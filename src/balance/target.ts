/**
 * One target as a thread sees it. Its state lies in memory that all threads and the control plane share, so that a
 * choice needs no message; its counters are the thread's own.
 *
 *     state, 64 bytes | counters of worker 0 | counters of worker 1 | …
 */
import { addBelow } from "../admit/places.ts";
import type { TargetConfig } from "../config/config.ts";
import { BYTES, CELL, Counters } from "../metrics/counters.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { hashOf } from "./hash.ts";
import { routeOf } from "./routes.ts";

/** drain: no new connections; disabled: no health checks either. Live connections go on under both. */
export const TARGET_STATES = ["ready", "drain", "disabled"] as const;
export type TargetState = (typeof TARGET_STATES)[number];

/** A target whose name has been resolved, and the memory of its state: what threads are given. */
export interface TargetShare {
  readonly address: Address;
  readonly config: Omit<TargetConfig, "address">;
  readonly memory: SharedArrayBuffer;
}

const STATE_BYTES = 64;
/** Places in the state, as whole numbers of 32 bits … */
const ACTIVE = 0;
const STATE = 1;
const DOWN = 2;
const WEIGHT = 3;
const FAILURES = 4;
/** … and, behind them, as milliseconds since 1970: the only clock that threads share. */
const UP_SINCE = 4;
const LEFT_ALONE_UNTIL = 5;
/** Of round robin. */
const CREDIT = 6;

/** Failures to connect in a row after which a target is left alone, and for how many milliseconds: doubled each time. */
const FAILURES_MAX = 3;
const LEFT_ALONE = 1_000;
const LEFT_ALONE_MAX = 30_000;

/** The share of its weight with which a target begins under slow start. */
const SLOW_START_LEAST = 0.05;

/** Memory for a target of `workers` threads; `weight` until somebody sets another. */
export function targetMemory(workers: number, weight: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(STATE_BYTES + workers * BYTES);
  new Int32Array(memory)[WEIGHT] = weight;
  return memory;
}

/** What one worker has counted for a target. */
export function countersOf(share: TargetShare, proxy: string, worker: number): Counters {
  const cells = new Float64Array(share.memory, STATE_BYTES + worker * BYTES, BYTES / Float64Array.BYTES_PER_ELEMENT);
  return new Counters(proxy, formatAddress(share.address), cells);
}

export class Target {
  readonly address: Address;
  readonly name: string;
  readonly hash: number;
  config: TargetShare["config"];
  /** For which clients it is, where targets are for some of them. */
  route: string;
  readonly counters: Counters;
  /** Its part of new connections at the moment of a choice; see {@link Target.weigh}. */
  effective = 0;
  readonly #ints: Int32Array;
  readonly #times: Float64Array;

  constructor(share: TargetShare, proxy: string, worker: number) {
    const { address, config, memory } = share;
    this.address = address;
    this.name = formatAddress(address);
    this.hash = hashOf(this.name);
    this.config = config;
    this.route = routeOf(config);
    this.counters = countersOf(share, proxy, worker);
    this.#ints = new Int32Array(memory, 0, STATE_BYTES / Int32Array.BYTES_PER_ELEMENT);
    this.#times = new Float64Array(memory, 0, STATE_BYTES / Float64Array.BYTES_PER_ELEMENT);
  }

  /** Connections of all threads. */
  get active(): number {
    return this.#ints[ACTIVE] as number;
  }

  get state(): TargetState {
    return TARGET_STATES[this.#ints[STATE] as number] ?? "ready";
  }

  set state(state: TargetState) {
    this.#ints[STATE] = TARGET_STATES.indexOf(state);
  }

  get weight(): number {
    return this.#ints[WEIGHT] as number;
  }

  set weight(weight: number) {
    this.#ints[WEIGHT] = weight;
  }

  /** The health checks have found nothing wrong with it, if there are any. */
  get healthy(): boolean {
    return this.#ints[DOWN] === 0;
  }

  /** `now`: milliseconds since 1970, as everywhere here. */
  judged(healthy: boolean, now: number): void {
    if (healthy === this.healthy) return;
    this.#ints[DOWN] = healthy ? 0 : 1;
    if (healthy) this.begin(now);
  }

  /** It takes part from now on: the time from which slow start counts. */
  begin(now: number): void {
    this.#times[UP_SINCE] = now;
    this.#ints[FAILURES] = 0;
    this.#times[LEFT_ALONE_UNTIL] = 0;
  }

  /** It may be given new connections at all. */
  get open(): boolean {
    return this.#ints[STATE] === 0 && (this.#ints[WEIGHT] as number) > 0;
  }

  /** Connecting it has failed so often that others come first for a while. */
  leftAlone(now: number): boolean {
    const left = (this.#times[LEFT_ALONE_UNTIL] as number) - now;
    // A clock that was set back must not make hours of it.
    return left > 0 && left <= LEFT_ALONE_MAX;
  }

  /** Threads take turns together. Two that choose at the same moment may lose a turn, which evens out. */
  get credit(): number {
    return this.#times[CREDIT] as number;
  }

  set credit(credit: number) {
    this.#times[CREDIT] = credit;
  }

  get full(): boolean {
    const { maxConnections } = this.config;
    return maxConnections > 0 && this.active >= maxConnections;
  }

  /** Sets {@link effective}, above 0: under slow start it grows from a twentieth to the whole weight. */
  weigh(now: number, slowStart: number): void {
    const age = now - (this.#times[UP_SINCE] as number);
    const part = slowStart > 0 && age >= 0 && age < slowStart ? Math.max(SLOW_START_LEAST, age / slowStart) : 1;
    // The weight may have become 0 since somebody found it open.
    this.effective = Math.max(1, this.#ints[WEIGHT] as number) * part;
  }

  /** Counts a connection, if there is room for it. */
  take(): boolean {
    const { maxConnections } = this.config;
    if (!addBelow(this.#ints, ACTIVE, maxConnections || Number.POSITIVE_INFINITY)) return false;
    this.counters.add(CELL.targetConnections, 1);
    this.counters.add(CELL.targetActive, 1);
    return true;
  }

  give(): void {
    Atomics.sub(this.#ints, ACTIVE, 1);
    this.counters.add(CELL.targetActive, -1);
  }

  connected(): void {
    if (this.#ints[FAILURES] === 0) return;
    this.#ints[FAILURES] = 0;
    this.#times[LEFT_ALONE_UNTIL] = 0;
  }

  /** It could not be connected. */
  failed(now: number): void {
    const failures = Atomics.add(this.#ints, FAILURES, 1) + 1;
    if (failures < FAILURES_MAX) return;
    // Those that were under way when it was first left alone say nothing new.
    if (this.leftAlone(now)) {
      Atomics.sub(this.#ints, FAILURES, 1);
      return;
    }
    const pause = Math.min(LEFT_ALONE * 2 ** (failures - FAILURES_MAX), LEFT_ALONE_MAX);
    this.#times[LEFT_ALONE_UNTIL] = now + pause;
  }

  /** A worker is gone, with what it had open here: how many that were. */
  abandoned(worker: Counters): number {
    const lost = worker.abandonTarget();
    Atomics.sub(this.#ints, ACTIVE, lost);
    return lost;
  }
}
