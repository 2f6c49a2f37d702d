/**
 * The figures of one proxy, or of one of its targets, as cells of one array of numbers: adding to a cell is all the
 * data path does, and the array may lie in shared memory. A connection counts as the proxy's when it is accepted;
 * what it does and how it ends counts for its target, if it got one.
 */

import { type HistogramView, histogram, observe } from "./histogram.ts";
import { DENIALS, type Denial, REASONS, type Reason } from "./reason.ts";

/** Upper bounds in seconds. */
export const CONNECT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] as const;
/** Of requests over a shared connection. */
const REQUEST_BOUNDS = [0.0001, 0.00025, ...CONNECT_BOUNDS, 10, 30] as const;
const DURATION_BOUNDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 600, 3_600, 14_400] as const;

export const CELL = {
  connections: 0,
  active: 1,
  bytesUpstream: 2,
  bytesDownstream: 3,
  pausesUpstream: 4,
  pausesDownstream: 5,
  undeliveredUpstream: 6,
  undeliveredDownstream: 7,
  retries: 8,
  /** Of a target: connections it was given, attempts included, and those it has. */
  targetConnections: 9,
  targetActive: 10,
  /** Connections in the queue. */
  waiting: 11,
  /** Of a multiplexer: whole requests, and those that wait or are under way now. */
  requests: 12,
  requestsQueued: 13,
  requestsInFlight: 14,
  /** Requests that were not answered in time, and those that went out again because their connection had died. */
  requestTimeouts: 15,
  requestRetries: 16,
  /** Replies that nobody waited for any more. */
  repliesDropped: 17,
  /** What a target sent that was no reply, or none that anybody had asked for. */
  mismatches: 18,
  /** Connections that clients share, and attempts to open one after another attempt had failed. */
  lines: 19,
  redials: 20,
  /** TLS alerts that clients were sent. */
  alerts: 21,
  /** Clients whose TLS handshake went well, by the version: 1.2, 1.3. */
  handshakes12: 22,
  handshakes13: 23,
  /** Datagrams that were read, and those of them that never left: whoever was to take them was gone, or too slow. */
  datagramsUpstream: 24,
  datagramsDownstream: 25,
  unsentUpstream: 26,
  unsentDownstream: 27,
  /** Datagrams that arrived and that nobody read in time. */
  overrunUpstream: 28,
  overrunDownstream: 29,
  /** Those that a fault took away. */
  faultedUpstream: 30,
  faultedDownstream: 31,
  /** Times that a target's machine said that nobody listens there (ICMP). */
  datagramsRefused: 32,
} as const;

const ENDED = 33;
const CONNECT_TIME = ENDED + REASONS.length;
const DURATION = CONNECT_TIME + CONNECT_BOUNDS.length + 2;
const DENIED = DURATION + DURATION_BOUNDS.length + 2;
const QUEUE_TIME = DENIED + DENIALS.length;
const REPLY_TIME = QUEUE_TIME + REQUEST_BOUNDS.length + 2;
export const CELLS = REPLY_TIME + REQUEST_BOUNDS.length + 2;

/** Memory that the cells of one {@link Counters} take. */
export const BYTES = CELLS * Float64Array.BYTES_PER_ELEMENT;

export class Counters {
  readonly proxy: string;
  /** Empty for what has no target: the proxy itself. */
  readonly target: string;
  readonly cells: Float64Array;

  /** `cells` may lie in shared memory: {@link BYTES} of it, zero at first. */
  constructor(proxy: string, target: string, cells: Float64Array = new Float64Array(CELLS)) {
    this.proxy = proxy;
    this.target = target;
    this.cells = cells;
  }

  /** The figures of several, added up: under the name of the first, unless the proxy has another by now. */
  static sum(parts: readonly Counters[], proxy = parts[0]?.proxy ?? ""): Counters {
    const sum = new Counters(proxy, parts[0]?.target ?? "");
    for (const part of parts) sum.include(part);
    return sum;
  }

  /** One for each proxy and target, in the order of the first of each. */
  static merged(figures: readonly Counters[]): readonly Counters[] {
    const byOwner = new Map<string, Counters[]>();
    for (const each of figures) {
      const owner = `${each.proxy}\n${each.target}`;
      byOwner.set(owner, [...(byOwner.get(owner) ?? []), each]);
    }
    return [...byOwner.values()].map((parts) => Counters.sum(parts));
  }

  /** Adds the figures of another to these. */
  include({ cells }: Counters): void {
    for (let i = 0; i < CELLS; i++) this.add(i, cells[i] ?? 0);
  }

  /** Whoever counted here is gone, and its connections with it: how many, of which `targeted` count elsewhere. */
  abandon(targeted: number): number {
    const lost = this.get(CELL.active);
    this.add(CELL.active, -lost);
    this.add(CELL.waiting, -this.get(CELL.waiting));
    this.add(ENDED + REASONS.indexOf("internal_error"), lost - targeted);
    return lost;
  }

  /** The same for what is counted of a target. */
  abandonTarget(): number {
    const lost = this.get(CELL.targetActive);
    this.add(CELL.targetActive, -lost);
    for (const cell of [CELL.requestsQueued, CELL.requestsInFlight, CELL.lines]) this.add(cell, -this.get(cell));
    this.add(ENDED + REASONS.indexOf("internal_error"), lost);
    return lost;
  }

  add(cell: number, amount: number): void {
    this.cells[cell] = (this.cells[cell] ?? 0) + amount;
  }

  get(cell: (typeof CELL)[keyof typeof CELL]): number {
    return this.cells[cell] ?? 0;
  }

  /** A connection is over: `duration` in seconds since it was accepted. */
  ended(reason: Reason, duration: number): void {
    this.add(ENDED + REASONS.indexOf(reason), 1);
    observe(this.cells, DURATION, DURATION_BOUNDS, duration);
  }

  /** A rule of this kind has shut a client out. */
  denied(by: Denial): void {
    this.add(DENIED + DENIALS.indexOf(by), 1);
  }

  deniedBy(by: Denial): number {
    return this.cells[DENIED + DENIALS.indexOf(by)] ?? 0;
  }

  endedBy(reason: Reason): number {
    return this.cells[ENDED + REASONS.indexOf(reason)] ?? 0;
  }

  /** The target took the connection after `seconds`. */
  connected(seconds: number): void {
    observe(this.cells, CONNECT_TIME, CONNECT_BOUNDS, seconds);
  }

  get connectTime(): HistogramView {
    return histogram(this.cells, CONNECT_TIME, CONNECT_BOUNDS);
  }

  /** A request was sent after `seconds`. */
  requestSent(seconds: number): void {
    observe(this.cells, QUEUE_TIME, REQUEST_BOUNDS, seconds);
  }

  /** The reply to one was complete, `seconds` after it was sent. */
  requestAnswered(seconds: number): void {
    observe(this.cells, REPLY_TIME, REQUEST_BOUNDS, seconds);
  }

  get queueTime(): HistogramView {
    return histogram(this.cells, QUEUE_TIME, REQUEST_BOUNDS);
  }

  get replyTime(): HistogramView {
    return histogram(this.cells, REPLY_TIME, REQUEST_BOUNDS);
  }

  get duration(): HistogramView {
    return histogram(this.cells, DURATION, DURATION_BOUNDS);
  }
}
