/** One direction of a captured TCP connection: puts segments in their order, whatever the network did to them. */
import type { Direction } from "../../filter/step.ts";
import type { CapturedSegment } from "./packets.ts";
import type { SessionBuilder } from "./recording.ts";

interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** How many bytes there were on the wire. */
  readonly length: number;
  readonly fin: boolean;
  readonly at: number;
}

/** Pieces that wait for one before them, at most: a connection that has lost more is beyond repair. */
const WAITING_MAX = 10_000;

export class Reassembly {
  readonly #builder: SessionBuilder;
  readonly #direction: Direction;
  /** The sequence number of the first byte. */
  readonly #first: number;
  /** Bytes that have come, without a gap. */
  #position = 0;
  #finished = false;
  #waiting: Piece[] = [];

  constructor(builder: SessionBuilder, direction: Direction, first: number) {
    this.#builder = builder;
    this.#direction = direction;
    this.#first = first;
  }

  take({ sequence, syn, fin, payload, length, at }: CapturedSegment): void {
    if (length === 0 && !fin) return;
    // Within 2 GiB of what is expected, one way or the other, although sequence numbers begin anew after 4 GiB.
    const ahead = (sequence + (syn ? 1 : 0) - this.#first - this.#position) | 0;
    this.#waiting.push({ offset: this.#position + ahead, bytes: payload, length, fin, at });
    if (ahead > 0 && this.#waiting.length <= WAITING_MAX) return;
    this.#deliver(at, this.#waiting.length > WAITING_MAX);
  }

  /** Nothing more comes: what waits goes without what is before it. */
  flush(): void {
    this.#deliver(undefined, true);
  }

  /** `now`: when what was missing came, so that those who waited for it come to their turn. */
  #deliver(now: number | undefined, leap: boolean): void {
    this.#waiting.sort((a, b) => a.offset - b.offset);
    while (this.#waiting[0] && (leap || this.#waiting[0].offset <= this.#position)) {
      const piece = this.#waiting.shift() as Piece;
      this.#pass(piece, now ?? piece.at);
    }
  }

  /** Without what has come before: retransmissions, and probes of keepalive. */
  #pass({ offset, bytes, length, fin }: Piece, at: number): void {
    if (this.#finished) return;
    const from = Math.max(offset, this.#position);
    const fresh = bytes.subarray(from - offset);
    if (fresh.length > 0) this.#builder.data(this.#direction, from, fresh, at);
    const end = Math.max(offset + length, this.#position);
    if (offset + bytes.length < end) this.#builder.skip(this.#direction, end, at);
    this.#position = end;
    if (!fin) return;
    this.#finished = true;
    this.#builder.end(this.#direction, end, at);
  }
}
