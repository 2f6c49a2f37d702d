/**
 * What one thread counts for one observer, as cells of one array of numbers, which may lie in shared memory. Bytes are
 * those of clients and targets: the lines of frames do not count. Each is sent, lost or waiting.
 *
 *     cells of worker 0 | cells of worker 1 | …
 */

import { formatObserverAddress } from "./observer-address.ts";
import type { ObserverConfig } from "./observer-config.ts";

export const OBSERVER_CELL = {
  /** Bytes given to the observer's connections. */
  bytes: 0,
  /** Bytes that were not: it was full, or gone. */
  lost: 1,
  /**
   * Runs of reads that were lost, connections that broke after something was sent, of which nobody knows how much has
   * arrived, and datagrams that the kernel did not take.
   */
  gaps: 2,
  /** Bytes that wait now. */
  waiting: 3,
  /** Sessions whose connection to it is open now. */
  connections: 4,
  connectFailures: 5,
  /** Sessions in which it was cut off because it was full. */
  disconnects: 6,
} as const;
type Cell = (typeof OBSERVER_CELL)[keyof typeof OBSERVER_CELL];

const CELLS = Object.keys(OBSERVER_CELL).length;
const BYTES = CELLS * Float64Array.BYTES_PER_ELEMENT;

/** Memory for an observer of `workers` threads. */
export function observerMemory(workers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(workers * BYTES);
}

export class ObserverCounters {
  readonly proxy: string;
  /** Its address. */
  readonly observer: string;
  readonly #cells: Float64Array;

  constructor(proxy: string, observer: string, cells: Float64Array = new Float64Array(CELLS)) {
    this.proxy = proxy;
    this.observer = observer;
    this.#cells = cells;
  }

  /** What one worker has counted. */
  static of(memory: SharedArrayBuffer, proxy: string, observer: string, worker: number): ObserverCounters {
    return new ObserverCounters(proxy, observer, new Float64Array(memory, worker * BYTES, CELLS));
  }

  /** What all workers have counted. */
  static all(memory: SharedArrayBuffer, proxy: string, observer: string): ObserverCounters {
    const workers = Array.from({ length: memory.byteLength / BYTES }, (_, worker) => worker);
    return ObserverCounters.sum(workers.map((worker) => ObserverCounters.of(memory, proxy, observer, worker)));
  }

  /** The figures of several, added up: under the names of the first. */
  static sum(parts: readonly ObserverCounters[]): ObserverCounters {
    const sum = new ObserverCounters(parts[0]?.proxy ?? "", parts[0]?.observer ?? "");
    for (const part of parts) for (const cell of Object.values(OBSERVER_CELL)) sum.add(cell, part.get(cell));
    return sum;
  }

  add(cell: Cell, amount: number): void {
    (this.#cells[cell] as number) += amount;
  }

  get(cell: Cell): number {
    return this.#cells[cell] as number;
  }

  /** Whoever counted here is gone, with its connections and what waited. */
  abandon(): void {
    this.add(OBSERVER_CELL.lost, this.get(OBSERVER_CELL.waiting));
    this.add(OBSERVER_CELL.waiting, -this.get(OBSERVER_CELL.waiting));
    this.add(OBSERVER_CELL.connections, -this.get(OBSERVER_CELL.connections));
  }
}

/** One observer at one moment. */
export interface ObserverView {
  readonly address: string;
  readonly copies: ObserverConfig["copies"];
  readonly format: ObserverConfig["format"];
  readonly whenFull: ObserverConfig["whenFull"];
  /** Sessions whose connection to it is open. */
  readonly connections: number;
  readonly bytes: number;
  readonly bytesLost: number;
  readonly bytesWaiting: number;
  readonly gaps: number;
  readonly connectFailures: number;
  readonly disconnects: number;
}

export function observerView(config: ObserverConfig, counters: ObserverCounters): ObserverView {
  const { copies, format, whenFull } = config;
  return {
    address: formatObserverAddress(config.address),
    copies,
    format,
    whenFull,
    connections: counters.get(OBSERVER_CELL.connections),
    bytes: counters.get(OBSERVER_CELL.bytes),
    bytesLost: counters.get(OBSERVER_CELL.lost),
    bytesWaiting: counters.get(OBSERVER_CELL.waiting),
    gaps: counters.get(OBSERVER_CELL.gaps),
    connectFailures: counters.get(OBSERVER_CELL.connectFailures),
    disconnects: counters.get(OBSERVER_CELL.disconnects),
  };
}
