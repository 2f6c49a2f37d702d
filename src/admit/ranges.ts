/**
 * Which of many ranges holds an address: the narrowest that does (longest prefix). The ranges are flattened once into
 * intervals that do not overlap; a look-up is one binary search, with 100,000 ranges as with ten.
 */
import type { Cidr, IpWords } from "../net/cidr.ts";

export class RangeTable {
  readonly #narrow: Intervals;
  readonly #wide: Intervals;

  /** Of two equal ranges the first counts. */
  constructor(ranges: readonly Cidr[]) {
    this.#narrow = flatten(ranges, 32);
    this.#wide = flatten(ranges, 128);
  }

  /** Which of the ranges is the narrowest around `address`; undefined if none is. */
  find(address: IpWords): number | undefined {
    const { starts, ranges } = address.length === 1 ? this.#narrow : this.#wide;
    const width = address.length;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAbove(starts, middle * width, address)) high = middle;
      else low = middle + 1;
    }
    const found = ranges[low - 1] ?? GAP;
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
  readonly ranges: Int32Array;
}

interface Open {
  /** The first address behind it. */
  readonly end: bigint;
  readonly index: number;
}

/** Ranges lie beside or inside each other, never across: a stack of those that are open knows which one counts. */
function flatten(ranges: readonly Cidr[], bits: Cidr["bits"]): Intervals {
  const sorted = ranges.map((cidr, index) => ({ cidr, index })).filter(({ cidr }) => cidr.bits === bits);
  sorted.sort((a, b) => byStart(a.cidr, b.cidr));
  const [starts, indexes]: [bigint[], number[]] = [[], []];
  const open: Open[] = [];
  const mark = (at: bigint, index: number) => {
    if (starts.at(-1) === at) indexes[indexes.length - 1] = index;
    else if (indexes.at(-1) !== index) {
      starts.push(at);
      indexes.push(index);
    }
  };
  const last = 1n << BigInt(bits);
  const close = (until: bigint) => {
    for (let top = open.at(-1); top && top.end <= until; top = open.at(-1)) {
      open.pop();
      // Behind the last address of all there is nothing.
      if (top.end < last) mark(top.end, open.at(-1)?.index ?? GAP);
    }
  };
  let before: Cidr | undefined;
  for (const { cidr, index } of sorted) {
    if (before && byStart(before, cidr) === 0) continue;
    before = cidr;
    close(cidr.first);
    open.push({ end: cidr.first + (1n << BigInt(bits - cidr.prefix)), index });
    mark(cidr.first, index);
  }
  close(last);
  const packed = starts.flatMap((start) => wordsOf(start, bits / 32));
  return { starts: Uint32Array.from(packed), ranges: Int32Array.from(indexes) };
}

function wordsOf(value: bigint, words: number): number[] {
  return Array.from({ length: words }, (_, at) => Number((value >> BigInt(32 * (words - 1 - at))) & 0xffff_ffffn));
}

/** A range before those within it; equal ones stay in their order. */
function byStart(a: Cidr, b: Cidr): number {
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.prefix - b.prefix;
}
