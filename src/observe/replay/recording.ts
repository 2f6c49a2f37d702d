/** What a recording holds, whatever its format: the streams of sessions, in the order and at the times they had. */
import type { Direction } from "../../filter/step.ts";
import { UsageError } from "../../net/errors.ts";

export interface Recording {
  /** In the order in which they began. */
  readonly sessions: readonly RecordedSession[];
  /** What is wrong with the recording without being in the way, in words. */
  readonly notes: readonly string[];
}

export interface RecordedSession {
  /** Its number among the sessions of weir, or, in a capture, among the TCP connections, from 0 on. */
  readonly id: string;
  readonly client: string;
  /** When it began and when it was last heard of; milliseconds since the recording began, as all times here. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly RecordedEvent[];
  /** What followed is not in the recording, or cannot be made use of without what is missing. */
  readonly cut: boolean;
  /** Why it cannot be replayed. */
  readonly unusable: string | undefined;
}

/** `offset`: bytes of the direction before it. Bytes that are missing in the recording are so between offsets. */
export type RecordedEvent =
  | {
      readonly kind: "data";
      readonly direction: Direction;
      readonly at: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** The FIN of a direction. */
  | { readonly kind: "end"; readonly direction: Direction; readonly at: number; readonly offset: number }
  /** The client broke the connection off. */
  | { readonly kind: "reset"; readonly at: number };

export const UNKNOWN_BEGINNING = "its beginning is not in the recording";

/** Puts a session together. Times are milliseconds since 1970 until the recording is complete. */
export class SessionBuilder {
  readonly #id: string;
  readonly #client: string;
  readonly #from: number;
  readonly #events: RecordedEvent[] = [];
  readonly #position: Record<Direction, number> = { upstream: 0, downstream: 0 };
  #to: number;
  #cut = false;
  #unusable: string | undefined;

  constructor(id: string, client: string, at: number) {
    this.#id = id;
    this.#client = client;
    this.#from = at;
    this.#to = at;
  }

  data(direction: Direction, offset: number, bytes: Uint8Array, at: number): void {
    if (!this.#reaches(direction, offset, at)) return;
    this.#events.push({ kind: "data", direction, at, offset, bytes });
    this.#position[direction] = offset + bytes.length;
  }

  end(direction: Direction, offset: number, at: number): void {
    if (this.#reaches(direction, offset, at)) this.#events.push({ kind: "end", direction, at, offset });
  }

  /** The bytes before `offset` that did not come are not in the recording. */
  skip(direction: Direction, offset: number, at: number): void {
    if (this.#reaches(direction, offset, at)) this.#position[direction] = offset;
  }

  /** Nothing more of it was recorded. */
  truncate(): void {
    this.#cut = true;
  }

  /** `reset`: by the client, in the middle. */
  close(at: number, reset: boolean): void {
    this.#to = Math.max(this.#to, at);
    if (reset && !this.#cut) this.#events.push({ kind: "reset", at });
  }

  /** It cannot be replayed. */
  refuse(why: string): void {
    this.#unusable ??= why;
  }

  /** `epoch`: when the recording began. */
  build(epoch: number): RecordedSession {
    const events = this.#events.map((event) => ({ ...event, at: event.at - epoch }));
    // A segment that waited for an earlier one may have come to its turn late.
    events.sort((a, b) => a.at - b.at);
    return {
      id: this.#id,
      client: this.#client,
      from: this.#from - epoch,
      to: this.#to - epoch,
      events,
      cut: this.#cut,
      unusable: this.#unusable,
    };
  }

  get from(): number {
    return this.#from;
  }

  /** False: the event is of no use, as what the client had sent before it is not known. */
  #reaches(direction: Direction, offset: number, at: number): boolean {
    this.#to = Math.max(this.#to, at);
    if (this.#cut) return false;
    const missing = offset > this.#position[direction];
    if (!missing || direction === "downstream") return true;
    if (this.#position.upstream === 0) this.refuse(UNKNOWN_BEGINNING);
    this.#cut = true;
    return false;
  }
}

/** A recording of the sessions that were found. */
export function recordingOf(builders: readonly SessionBuilder[], notes: readonly string[]): Recording {
  const epoch = builders.reduce((first, { from }) => Math.min(first, from), Number.POSITIVE_INFINITY);
  const sessions = builders.map((builder) => builder.build(epoch));
  return { sessions: sessions.sort((a, b) => a.from - b.from), notes };
}

/** @throws {UsageError} `ERECORDING` */
export function unreadable(where: string, why: string): never {
  throw new UsageError("ERECORDING", `Cannot read the recording${where}: ${why}`);
}
