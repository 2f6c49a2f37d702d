/** Reads captures of weir's own, of tcpdump and of Wireshark: each TCP connection in them is a session. */
import type { Direction } from "../../filter/step.ts";
import { type CapturedSegment, readCapture } from "./packets.ts";
import { Reassembly } from "./reassembly.ts";
import { type Recording, recordingOf, SessionBuilder, UNKNOWN_BEGINNING } from "./recording.ts";

/** @throws {UsageError} `ERECORDING` */
export function readPcap(bytes: Uint8Array): Recording {
  const { segments, notes } = readCapture(bytes);
  const live = new Map<string, Connection>();
  const found: Connection[] = [];
  for (const segment of segments) {
    const key = [segment.source, segment.destination].sort().join(" ");
    let connection = live.get(key);
    if (!connection || connection.isFollowedBy(segment)) {
      // As Wireshark numbers them (tcp.stream).
      connection = new Connection(String(found.length), segment);
      live.set(key, connection);
      found.push(connection);
    }
    connection.take(segment);
  }
  return recordingOf(
    found.map((connection) => connection.assemble()),
    notes,
  );
}

class Connection {
  readonly #id: string;
  readonly #segments: CapturedSegment[] = [];
  /** Who has sent the SYN, as far as is known. */
  #client: string;
  /** The sequence number of its SYN, if that or the answer to it was captured. */
  #initial: number | undefined;

  constructor(id: string, { source }: CapturedSegment) {
    this.#id = id;
    this.#client = source;
  }

  /** Whether a segment is the first of another connection of the same ends. */
  isFollowedBy({ syn, ack, sequence }: CapturedSegment): boolean {
    return syn && !ack && sequence !== this.#initial;
  }

  take(segment: CapturedSegment): void {
    const { syn, ack, source, destination, sequence, acknowledgement } = segment;
    this.#segments.push(segment);
    if (!syn) return;
    this.#client = ack ? destination : source;
    this.#initial = ack ? (acknowledgement - 1) >>> 0 : sequence;
  }

  assemble(): SessionBuilder {
    const builder = new SessionBuilder(this.#id, this.#client, this.#segments[0]?.at ?? 0);
    if (this.#initial === undefined) {
      builder.refuse(UNKNOWN_BEGINNING);
      return builder;
    }
    const streams = {
      upstream: new Reassembly(builder, "upstream", this.#first("upstream")),
      downstream: new Reassembly(builder, "downstream", this.#first("downstream")),
    };
    const end = this.#segments.findIndex(({ rst }) => rst);
    for (const segment of this.#segments.slice(0, end < 0 ? undefined : end)) {
      streams[this.#directionOf(segment)].take(segment);
    }
    for (const stream of Object.values(streams)) stream.flush();
    const reset = this.#segments[end];
    if (reset) builder.close(reset.at, this.#directionOf(reset) === "upstream");
    return builder;
  }

  #directionOf({ source }: CapturedSegment): Direction {
    return source === this.#client ? "upstream" : "downstream";
  }

  /** The sequence number of the first byte of a direction: behind the SYN, or the lowest that is heard of at first. */
  #first(direction: Direction): number {
    const syn = this.#segments.find((segment) => segment.syn && this.#directionOf(segment) === direction);
    if (syn) return (syn.sequence + 1) >>> 0;
    const told = this.#segments.slice(0, BEGINNING).flatMap((segment) => {
      if (this.#directionOf(segment) === direction) return segment.sequence;
      return segment.ack ? segment.acknowledgement : [];
    });
    // Sequence numbers begin anew after 2^32: which is the lower one depends on the way between them.
    return told.reduce((lowest, each) => (((each - lowest) | 0) < 0 ? each : lowest), told[0] ?? 0);
  }
}

/** Segments after which none is older than all of them. */
const BEGINNING = 16;
