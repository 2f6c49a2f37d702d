/** How sessions are written down, whatever the format. */
import type { Direction } from "../../filter/step.ts";
import type { Reason } from "../../metrics/reason.ts";
import type { Address } from "../../net/address.ts";
import type { Chunk } from "../../net/runtime.ts";

/** Whose bytes they are. */
export interface SessionInfo {
  /** Unique among the sessions of this process. */
  readonly id: number;
  readonly proxy: string;
  /** Who connects, which a PROXY header may have told. */
  readonly client: Address;
  /** weir's own end of the client's connection. */
  readonly local: Address;
  /** The target's name, as logs have it. */
  readonly target: string;
}

/** How a session ended. */
export interface Ending {
  readonly reason: Reason;
  /** The code of the error behind it. */
  readonly error: string | null;
}

/** Bytes of a session so far, in each direction. */
export type Positions = Record<Direction, number>;

export interface Format {
  /** What each file begins with. */
  readonly header: Uint8Array;
  /** `seen`: kept up to date by whoever calls the transcript; bytes that are shown to it are not in it yet. */
  transcript(session: SessionInfo, seen: Readonly<Positions>): Transcript;
}

/** One session: what is to be written about each thing that happens. Times are microseconds since 1970 UTC. */
export interface Transcript {
  opened(at: number): Uint8Array;
  data(direction: Direction, chunk: Chunk, at: number): Uint8Array;
  /** `length` bytes from `offset` on were lost on their way to the file. */
  gap(direction: Direction, offset: number, length: number, at: number): Uint8Array;
  /** From here on no byte of the session is recorded; the next `length` were about to be. */
  truncated(direction: Direction, length: number, at: number): Uint8Array;
  /** The FIN of a direction. */
  ended(direction: Direction, at: number): Uint8Array;
  closed(ending: Ending, at: number): Uint8Array;
}

export function opposite(direction: Direction): Direction {
  return direction === "upstream" ? "downstream" : "upstream";
}

const encoder = new TextEncoder();

/** The bytes of lines, each with its line feed. */
export function encodeLines(...lines: readonly string[]): Uint8Array {
  return encoder.encode(lines.map((line) => `${line}\n`).join(""));
}
