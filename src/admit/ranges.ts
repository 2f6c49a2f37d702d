/**
 * Which of many ranges holds an address: the narrowest that does (longest prefix). The ranges are flattened once into
 * intervals that do not overlap; a look-up is one binary search, with 100,000 ranges as with ten.
 */
import type { Cidr, IpWords } from "../net/cidr.ts";

export interface Range {
  readonly cidr: Cidr;
  /** What `find` answers, 0 or more. */
  readonly value: number;
}

export class RangeTable {
  readonly #narrow: Intervals;
  readonly #wide: Intervals;

  /** Of two equal ranges the first counts. */
  constructor(ranges: readonly Range[]) {
    this.#narrow = flatten(
      ranges.filter(({ cidr }) => cidr.bits === 32),
      1,
    );
    this.#wide = flatten(
      ranges.filter(({ cidr }) => cidr.bits === 128),
      4,
    );
  }

  /** The value of the narrowest range around `address`; undefined if there is none. */
  find(address: IpWords): number | undefined {
    const { starts, values } = address.length === 1 ? this.#narrow : this.#wide;
    const width = address.length;
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAbove(starts, middle * width, address)) high = middle;
      else low = middle + 1;
    }
    const found = values[low - 1] ?? GAP;
    return found === GAP ? undefined : found;
  }
}

/** Whether the start at `at` is above `address`. */
function isAbove(starts: Uint32Array, at: number, address: IpWords): boolean {
  for (let word = 0; word < address.length; word++) {
    const start = starts[at + word] as number;
    const wanted = address[word] as number;
    if (start !== wanted) return start > wanted;
  }
  return false;
}

const GAP = -1;

/** From each start, one word or four, to the next; {@link GAP} where no range is. */
interface Intervals {
  readonly starts: Uint32Array;
  readonly values: Int32Array;
}

interface Open {
  /** The first address behind it. */
  readonly end: bigint;
  readonly value: number;
}

/** Ranges lie beside or inside each other, never across: a stack of those that are open knows which one counts. */
function flatten(ranges: readonly Range[], words: 1 | 4): Intervals {
  const sorted = ranges.map((range, order) => ({ ...range, order })).sort(byStart);
  const [starts, values]: [bigint[], number[]] = [[], []];
  const open: Open[] = [];
  const mark = (at: bigint, value: number) => {
    if (starts.at(-1) === at) values[values.length - 1] = value;
    else if (values.at(-1) !== value) {
      starts.push(at);
      values.push(value);
    }
  };
  const close = (until: bigint | undefined) => {
    for (let last = open.at(-1); last && (until === undefined || last.end <= until); last = open.at(-1)) {
      open.pop();
      // Behind the last address of all there is nothing.
      if (last.end < 1n << BigInt(32 * words)) mark(last.end, open.at(-1)?.value ?? GAP);
    }
  };
  let before: (typeof sorted)[number] | undefined;
  for (const range of sorted) {
    const { first, prefix, bits } = range.cidr;
    if (before && before.cidr.first === first && before.cidr.prefix === prefix) continue;
    before = range;
    close(first);
    open.push({ end: first + (1n << BigInt(bits - prefix)), value: range.value });
    mark(first, range.value);
  }
  close(undefined);
  const packed = starts.flatMap((start) => wordsOf(start, words));
  return { starts: Uint32Array.from(packed), values: Int32Array.from(values) };
}

function wordsOf(value: bigint, words: 1 | 4): number[] {
  return Array.from({ length: words }, (_, at) => Number((value >> BigInt(32 * (words - 1 - at))) & 0xffff_ffffn));
}

function byStart(a: Range & { order: number }, b: Range & { order: number }): number {
  if (a.cidr.first !== b.cidr.first) return a.cidr.first < b.cidr.first ? -1 : 1;
  return a.cidr.prefix - b.cidr.prefix || a.order - b.order;
}
