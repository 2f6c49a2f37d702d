/** Ways to an observer: what a feed needs of a stream, of datagrams and of a file. */
import type { FileError, SocketError } from "../net/errors.ts";
import type { Chunk, StreamSocket } from "../net/runtime.ts";

/** Why there is no way, or no longer. */
export type SinkError = SocketError | FileError;

/**
 * "full": taken, but there is to be no more until `drained`. "lost": nobody can take it, and the next one may be taken.
 * "failed": not taken, and `closed` was told.
 */
export type Taken = "more" | "full" | "lost" | "failed";

/** An open way to an observer. */
export interface Sink {
  /** Takes all of `chunk`, which is on loan, or nothing. */
  write(chunk: Chunk): Taken;
  /** Nothing more follows. True: it is over with that; false: `closed` tells. */
  finish(): boolean;
  /** Ends it at once, and nothing is told any more. */
  cut(): void;
  /** Bytes taken of which it is not known that they have arrived, as far as that can be known. */
  readonly underway: number;
  /** What is behind it, if it is a stream. */
  readonly stream: StreamSocket | undefined;
}

/** Who has asked for a sink; `opened` and `failed` may come from inside of `open`. */
export interface SinkOwner {
  opened(sink: Sink): void;
  /** There is no way now. */
  failed(error: SinkError): void;
  /** There is room again, after "full". */
  drained(): void;
  /** It is over; without error, as it should be. */
  closed(error: SinkError | undefined): void;
}

/** Where an observer is, for all sessions of one thread. */
export interface Destination {
  /** Bytes of one write at most; each is kept together. */
  readonly piece: number;
  /** Writes may be joined and cut, and nobody will notice. */
  readonly isStream: boolean;
  /** `session`: its number. Gives a way to give the attempt up; nothing is told after that. */
  open(owner: SinkOwner, session: number): () => void;
  /** Every sink is closed, and there will be no other. */
  close(): void;
}
