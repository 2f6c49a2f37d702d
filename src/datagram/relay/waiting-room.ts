/** Datagrams that came before there was a socket for them: that takes a moment, longer if a name has to be resolved. */
import type { Chunk } from "../../net/runtime.ts";

/** Of one session. */
const DATAGRAMS_MAX = 1_024;
const BYTES_MAX = 1 << 20;

export class WaitingRoom {
  readonly chunks: Uint8Array[] = [];
  #bytes = 0;

  /** Keeps a copy; false: there is no room. */
  take(chunk: Chunk): boolean {
    if (this.chunks.length >= DATAGRAMS_MAX || this.#bytes + chunk.length > BYTES_MAX) return false;
    this.#bytes += chunk.length;
    this.chunks.push(chunk.slice());
    return true;
  }
}
