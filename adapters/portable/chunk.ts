/** Chunks of Node, whose Buffers are not quite what they extend. */
import type { Chunk } from "../../src/net/runtime.ts";

/** The same bytes as the seam has them: of a Buffer `slice` would be no copy. */
export function plainChunk(buffer: Uint8Array): Chunk {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
