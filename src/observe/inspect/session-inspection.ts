/** One session that is looked at: counts its bytes, cuts off what is too much, and makes up for what was lost. */

import { type Direction, Step } from "../../filter/step.ts";
import type { Chunk } from "../../net/runtime.ts";
import { concatenate } from "../bytes.ts";
import type { InspectConfig } from "./inspect-config.ts";
import type { Ending, Format, Positions, SessionInfo, Transcript } from "./transcript.ts";

/** What it needs from its inspector. */
export interface InspectionOwner {
  /** Microseconds since 1970 UTC. */
  now(): number;
  /** False: the record is lost. */
  write(record: Uint8Array): boolean;
  /** Bytes of the session were lost. */
  lost(bytes: number): void;
  /** Nothing more is written. */
  over(): void;
}

/** Bytes that were lost and whose loss is not in the file yet. */
interface Gap {
  readonly direction: Direction;
  readonly offset: number;
  length: number;
}

export class SessionInspection {
  /** For the path from the client to the target: the first there, as it sees what the client sends. */
  readonly upstream: InspectStep;
  /** For the path back: the last there, as it sees what the client gets. */
  readonly downstream: InspectStep;
  readonly #config: InspectConfig;
  readonly #owner: InspectionOwner;
  readonly #transcript: Transcript;
  readonly #seen: Positions = { upstream: 0, downstream: 0 };
  readonly #ended: Record<Direction, boolean> = { upstream: false, downstream: false };
  /** What the next record has to be preceded by, because it could not be written. */
  #owed: (Uint8Array | Gap)[] = [];
  #recorded = 0;
  #truncated = false;
  #closed = false;

  constructor(config: InspectConfig, format: Format, info: SessionInfo, owner: InspectionOwner) {
    this.#config = config;
    this.#owner = owner;
    this.#transcript = format.transcript(info, this.#seen);
    this.upstream = new InspectStep(this, "upstream");
    this.downstream = new InspectStep(this, "downstream");
    this.#note(this.#transcript.opened(owner.now()));
  }

  /** Bytes have passed: for whoever is no step. */
  saw(direction: Direction, chunk: Chunk): void {
    const { maxBytes, direction: wanted } = this.#config;
    if (this.#closed || (wanted !== "both" && wanted !== direction)) return;
    const room = maxBytes === 0 ? chunk.length : maxBytes - this.#recorded;
    const fitting = this.#truncated ? NOTHING : chunk.subarray(0, room);
    if (fitting.length > 0) this.#record(direction, fitting);
    if (fitting.length < chunk.length) this.#truncate(direction, chunk.length - fitting.length);
  }

  /** The FIN of a direction has passed. */
  ended(direction: Direction): void {
    if (this.#closed || this.#ended[direction]) return;
    this.#ended[direction] = true;
    this.#note(this.#transcript.ended(direction, this.#owner.now()));
  }

  /** The session is over, exactly once. */
  closed(ending: Ending): void {
    if (this.#closed) return;
    this.#note(this.#transcript.closed(ending, this.#owner.now()));
    this.#closed = true;
    this.#owner.over();
  }

  #record(direction: Direction, chunk: Chunk): void {
    if (!this.#write(this.#transcript.data(direction, chunk, this.#owner.now()))) this.#lose(direction, chunk.length);
    this.#recorded += chunk.length;
    this.#seen[direction] += chunk.length;
  }

  #truncate(direction: Direction, length: number): void {
    if (!this.#truncated) this.#note(this.#transcript.truncated(direction, length, this.#owner.now()));
    this.#truncated = true;
    this.#seen[direction] += length;
  }

  #lose(direction: Direction, length: number): void {
    const known = this.#owed.find((each): each is Gap => "offset" in each && each.direction === direction);
    if (known) known.length += length;
    else this.#owed.push({ direction, offset: this.#seen[direction], length });
    this.#owner.lost(length);
  }

  /** What is not data is written later if it cannot be now: a session has no more than a few of them. */
  #note(record: Uint8Array): void {
    if (!this.#write(record)) this.#owed.push(record);
  }

  #write(record: Uint8Array): boolean {
    const at = this.#owner.now();
    const owed = this.#owed.map((each) => {
      return "offset" in each ? this.#transcript.gap(each.direction, each.offset, each.length, at) : each;
    });
    const all = owed.length > 0 ? concatenate([...owed, record]) : record;
    if (all.length === 0) return true;
    const written = this.#owner.write(all);
    if (written) this.#owed = [];
    return written;
  }
}

const NOTHING: Chunk = new Uint8Array(0);

/** Records what passes, and passes it on. */
export class InspectStep extends Step {
  readonly #session: SessionInspection;
  readonly #direction: Direction;

  constructor(session: SessionInspection, direction: Direction) {
    super();
    this.#session = session;
    this.#direction = direction;
  }

  override write(chunk: Chunk): boolean {
    this.#session.saw(this.#direction, chunk);
    return this.next.write(chunk);
  }

  override end(): void {
    this.#session.ended(this.#direction);
    this.next.end();
  }
}
