/** Compares the answers of a target with those that were recorded, as they come. */
import type { RecordedSession } from "./recording.ts";

export class Comparison {
  /** Bytes that came. */
  received = 0;
  /** Bytes that were recorded, including those that are missing between others. */
  readonly expected: number;
  readonly #pieces: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
  /** Nothing comes behind what was recorded. */
  readonly #ends: boolean;
  #first: number | undefined;
  /** The first piece that has not come as a whole. */
  #piece = 0;

  constructor({ events, cut }: RecordedSession) {
    const answers = events.filter((event) => event.kind !== "reset" && event.direction === "downstream");
    this.#pieces = answers.flatMap((event) => (event.kind === "data" ? [event] : []));
    const last = answers.at(-1);
    this.#ends = !cut && last?.kind === "end";
    this.expected = answers.reduce((end, event) => Math.max(end, endOf(event)), 0);
  }

  take(chunk: Uint8Array): void {
    const from = this.received;
    this.received += chunk.length;
    for (; this.#first === undefined; this.#piece++) {
      const piece = this.#pieces[this.#piece];
      if (!piece || piece.offset >= this.received) return;
      this.#first = differenceOf(piece.bytes, piece.offset, chunk, from);
      if (piece.offset + piece.bytes.length > this.received) return;
    }
  }

  /** The offset of the first byte that is another one, missing or too much, once nothing more comes. */
  get difference(): number | undefined {
    if (this.#first !== undefined) return this.#first;
    if (this.received < this.expected) return this.received;
    return this.#ends && this.received > this.expected ? this.expected : undefined;
  }
}

function endOf(event: RecordedSession["events"][number]): number {
  if (event.kind === "reset") return 0;
  return event.kind === "data" ? event.offset + event.bytes.length : event.offset;
}

/** Where two parts of a stream differ first, as far as they overlap. */
function differenceOf(a: Uint8Array, fromA: number, b: Uint8Array, fromB: number): number | undefined {
  const end = Math.min(fromA + a.length, fromB + b.length);
  for (let at = Math.max(fromA, fromB); at < end; at++) {
    if (a[at - fromA] !== b[at - fromB]) return at;
  }
  return undefined;
}
