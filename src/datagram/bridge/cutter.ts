/** Cuts a stream into datagrams. */
import type { Chunk } from "../../net/runtime.ts";
import type { BridgeConfig } from "./bridge-config.ts";

const NEWLINE = 10;

export interface CutterOptions extends Pick<BridgeConfig, "cut" | "datagramSize"> {
  /**
   * Every datagram has the whole size, but for the last: right for a file, whose bytes are all there. Of a connection
   * nothing is held back, as nobody knows when more will come.
   */
  readonly whole: boolean;
}

export class Cutter {
  readonly #size: number;
  readonly #lines: boolean;
  readonly #holds: boolean;
  readonly #emit: (datagram: Chunk) => void;
  /** What has come of a datagram that is not complete. */
  readonly #held: Uint8Array;
  #length = 0;

  /** `emit` is given each datagram, on loan. */
  constructor({ cut, datagramSize, whole }: CutterOptions, emit: (datagram: Chunk) => void) {
    this.#size = datagramSize;
    this.#lines = cut === "lines";
    this.#holds = whole || this.#lines;
    this.#emit = emit;
    this.#held = new Uint8Array(this.#holds ? datagramSize : 0);
  }

  /** `chunk` is on loan. */
  take(chunk: Chunk): void {
    let at = 0;
    while (at < chunk.length) {
      const end = this.#endOf(chunk, at);
      const complete = end - at + this.#length === this.#size || (this.#lines && chunk[end - 1] === NEWLINE);
      const piece = chunk.subarray(at, end);
      if (this.#length === 0 && (complete || !this.#holds)) this.#emit(piece);
      else {
        this.#held.set(piece, this.#length);
        this.#length += piece.length;
        if (complete) this.flush();
      }
      at = end;
    }
  }

  /** The stream has ended: what is held is the last datagram. */
  flush(): void {
    if (this.#length === 0) return;
    const datagram = this.#held.subarray(0, this.#length);
    this.#length = 0;
    this.#emit(datagram);
  }

  /** Where the datagram ends that goes on at `at`, as far as the chunk shows. */
  #endOf(chunk: Chunk, at: number): number {
    const most = Math.min(chunk.length, at + this.#size - this.#length);
    if (!this.#lines) return most;
    const newline = chunk.indexOf(NEWLINE, at);
    return newline >= 0 && newline < most ? newline + 1 : most;
  }
}
