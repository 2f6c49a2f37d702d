/**
 * What a bridge counts for each of its ends, as cells of one array of numbers, which may lie in shared memory.
 *
 *     first source | second source | … | first destination | …
 */

export const END_CELL = {
  /** Datagrams that came from a source, or were to go to a destination; what was lost of them is counted below. */
  datagrams: 0,
  bytes: 1,
  /** Datagrams that came and were gone before they could be read: the kernel's buffer was full. */
  overrun: 2,
  /** Datagrams that the kernel, or a file, did not take. */
  unsent: 3,
  /** Datagrams, once for each connection that was too slow for it. */
  full: 4,
  /** Datagrams of this bridge that came back to it, and were dropped. */
  looped: 5,
  /** Answers that nobody listens there (ICMP). */
  refused: 6,
  /** Connections that are open now. */
  connections: 7,
  /** Attempts to connect, to join or to open a file that failed. */
  failures: 8,
  /** Connections that were cut off because they were too slow. */
  disconnects: 9,
} as const;
type Cell = (typeof END_CELL)[keyof typeof END_CELL];

const CELLS = Object.keys(END_CELL).length;

/** Memory for so many ends. */
export function endMemory(ends: number): SharedArrayBuffer {
  return new SharedArrayBuffer(ends * CELLS * Float64Array.BYTES_PER_ELEMENT);
}

export class EndCounters {
  readonly #cells: Float64Array;

  /** `end`: its number in that memory. */
  constructor(memory: SharedArrayBuffer, end: number) {
    this.#cells = new Float64Array(memory, end * CELLS * Float64Array.BYTES_PER_ELEMENT, CELLS);
  }

  add(cell: Cell, amount: number): void {
    (this.#cells[cell] as number) += amount;
  }

  get(cell: Cell): number {
    return this.#cells[cell] as number;
  }

  /** A datagram, or several, of so many bytes. */
  passed(bytes: number, datagrams = 1): void {
    (this.#cells[END_CELL.datagrams] as number) += datagrams;
    (this.#cells[END_CELL.bytes] as number) += bytes;
  }

  /** Whoever counted here is gone, with its connections. */
  abandon(): void {
    this.#cells[END_CELL.connections] = 0;
  }
}
