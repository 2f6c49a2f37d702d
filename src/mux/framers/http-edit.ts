/** Changes to the head of a message: lines are taken out of it, and put in at its end. All others stay as they were. */
import { COLON, LF, lowerCase } from "./http-bytes.ts";

/** Bytes that do not go on; they count from the start of the message. */
export interface Cut {
  readonly from: number;
  readonly to: number;
}

/**
 * The lines whose names, in lower case, are among `names`: of a header section that is good, from `from` up to its empty
 * line at `to`.
 */
export function linesNamed(bytes: Uint8Array, start: number, from: number, to: number, names: Set<string>): Cut[] {
  const cuts: Cut[] = [];
  for (let line = start + from; line < start + to; ) {
    const colon = bytes.indexOf(COLON, line);
    const end = bytes.indexOf(LF, colon) + 1;
    if (names.has(lowerCase(bytes, line, colon))) cuts.push({ from: line - start, to: end - start });
    line = end;
  }
  return cuts;
}

/** A copy of `message` without the `cuts`, which do not overlap, and with `lines` at `at`, which is in none of them. */
export function edited(message: Uint8Array, cuts: readonly Cut[], at: number, lines: Uint8Array): Uint8Array {
  const ordered = cuts.length > 1 ? cuts.toSorted((one, other) => one.from - other.from) : cuts;
  let length = message.length + lines.length;
  for (const { from, to } of ordered) length -= to - from;
  const out = new Uint8Array(length);
  let read = 0;
  let written = 0;
  for (const { from, to } of ordered) {
    if (read <= at && at < from) {
      written = copy(message, read, at, out, written);
      written = copy(lines, 0, lines.length, out, written);
      read = at;
    }
    written = copy(message, read, from, out, written);
    read = to;
  }
  if (read <= at) {
    written = copy(message, read, at, out, written);
    written = copy(lines, 0, lines.length, out, written);
    read = at;
  }
  copy(message, read, message.length, out, written);
  return out;
}

/** What makes a view worth its price; measured under JavaScriptCore. */
const MANY = 256;

/** Gives where in `out` it ends. */
function copy(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
  if (to - from > MANY) out.set(bytes.subarray(from, to), at);
  else for (let n = 0; n < to - from; n++) out[at + n] = bytes[from + n] as number;
  return at + to - from;
}
