/**
 * A capture for Wireshark, tshark and tcpdump: libpcap's classic format with nanoseconds and no link layer
 * (draft-ietf-opsawg-pcap). weir sees streams and no packets, so these are made up: one TCP connection between the client
 * and weir, in which nothing is lost and each segment is acknowledged at once. Bytes that are not in the file, because
 * of max_bytes or a full disk, are a gap in the sequence numbers.
 */
import type { Direction } from "../../filter/step.ts";
import type { Chunk } from "../../net/runtime.ts";
import { concatenate } from "../bytes.ts";
import { endsOf } from "./ends.ts";
import { type End, FLAG, PAYLOAD_MAX, packetLength, type Segment, writePacket } from "./packet.ts";
import { type Ending, type Format, opposite, type Positions, type SessionInfo, type Transcript } from "./transcript.ts";

const MAGIC_NANOSECONDS = 0xa1b23c4d;
const LINKTYPE_RAW = 101;
const SNAPLEN = 262_144;
const RECORD_HEADER = 16;

export const pcap: Format = {
  header: fileHeader(),
  transcript: (session, seen) => new PcapTranscript(session, seen),
};

function fileHeader(): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC_NANOSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPLEN, true);
  view.setUint32(20, LINKTYPE_RAW, true);
  return bytes;
}

/** A segment, as far as it is not what it always is, and how much of its payload is captured, unless that is all. */
type Captured = Partial<Segment> & { readonly direction: Direction; readonly captured?: number };

class PcapTranscript implements Transcript {
  readonly #ends: Readonly<Record<Direction, End>>;
  /** The sequence numbers of the SYNs. */
  readonly #initial: Readonly<Positions>;
  readonly #seen: Readonly<Positions>;
  readonly #finished: Record<Direction, boolean> = { upstream: false, downstream: false };

  constructor(session: SessionInfo, seen: Readonly<Positions>) {
    const { client, weir } = endsOf(session);
    this.#ends = { upstream: client, downstream: weir };
    this.#initial = initialSequences(session.id);
    this.#seen = seen;
  }

  opened(at: number): Uint8Array {
    const { upstream, downstream } = this.#initial;
    const [sequence, acknowledgement] = [upstream + 1, downstream + 1];
    return this.#packets(at, [
      { direction: "upstream", flags: FLAG.syn, sequence: upstream, acknowledgement: 0, options: MSS },
      {
        direction: "downstream",
        flags: FLAG.syn | FLAG.ack,
        sequence: downstream,
        acknowledgement: sequence,
        options: MSS,
      },
      { direction: "upstream", sequence, acknowledgement },
    ]);
  }

  data(direction: Direction, chunk: Chunk, at: number): Uint8Array {
    const packets: Captured[] = [];
    for (let from = 0; from < chunk.length; from += PAYLOAD_MAX) {
      const payload = chunk.subarray(from, from + PAYLOAD_MAX);
      const flags = FLAG.ack | (from + payload.length === chunk.length ? FLAG.psh : 0);
      packets.push({ direction, flags, sequence: this.#next(direction, from), payload });
      packets.push(this.#acknowledgement(direction, from + payload.length));
    }
    return this.#packets(at, packets);
  }

  /** The gap in the sequence numbers tells. */
  gap(): Uint8Array {
    return new Uint8Array(0);
  }

  /** A packet of which no more than its headers is captured. */
  truncated(direction: Direction, length: number, at: number): Uint8Array {
    return this.#packets(at, [{ direction, payload: new Uint8Array(Math.min(length, PAYLOAD_MAX)), captured: 0 }]);
  }

  ended(direction: Direction, at: number): Uint8Array {
    const fin: Captured = { direction, flags: FLAG.fin | FLAG.ack, sequence: this.#next(direction) };
    this.#finished[direction] = true;
    return this.#packets(at, [fin, this.#acknowledgement(direction)]);
  }

  closed({ reason }: Ending, at: number): Uint8Array {
    const { upstream, downstream } = this.#finished;
    if (upstream && downstream) return new Uint8Array(0);
    const direction = reason === "client_reset" ? "upstream" : "downstream";
    return this.#packets(at, [{ direction, flags: FLAG.rst | FLAG.ack }]);
  }

  /** What whoever receives `direction` says when it has `more` bytes of it than were seen. */
  #acknowledgement(direction: Direction, more = 0): Captured {
    return { direction: opposite(direction), acknowledgement: this.#next(direction, more) };
  }

  /** The sequence number of the byte `more` bytes behind those that were seen. SYN and FIN count for one each. */
  #next(direction: Direction, more = 0): number {
    const fin = this.#finished[direction] ? 1 : 0;
    return this.#initial[direction] + 1 + this.#seen[direction] + more + fin;
  }

  #packets(at: number, parts: readonly Captured[]): Uint8Array {
    return concatenate(parts.map((part) => record(at, this.#segment(part), part.captured)));
  }

  #segment({ direction, ...given }: Captured): Segment {
    return {
      from: this.#ends[direction],
      to: this.#ends[opposite(direction)],
      sequence: this.#next(direction),
      acknowledgement: this.#next(opposite(direction)),
      flags: FLAG.ack,
      options: NOTHING,
      payload: NOTHING,
      ...given,
    };
  }
}

/** A packet with what the file says about it; of its payload the first `captured` bytes. */
function record(at: number, segment: Segment, captured = segment.payload.length): Uint8Array {
  const length = packetLength(segment);
  const bytes = new Uint8Array(RECORD_HEADER + length);
  const kept = length - segment.payload.length + captured;
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(at / 1_000_000), true);
  view.setUint32(4, (at % 1_000_000) * 1_000, true);
  view.setUint32(8, kept, true);
  view.setUint32(12, length, true);
  writePacket(bytes.subarray(RECORD_HEADER), segment);
  return bytes.subarray(0, RECORD_HEADER + kept);
}

const NOTHING = new Uint8Array(0);

/** The option "maximum segment size" (RFC 9293 section 3.7.1). */
const MSS = Uint8Array.of(2, 4, PAYLOAD_MAX >> 8, PAYLOAD_MAX & 255);

/**
 * Far apart for sessions that follow each other: a client may come again from the same port, and its next connection
 * must not look like more of the last one.
 */
export function initialSequences(session: number): Positions {
  const upstream = Math.imul(session, 0x9e3779b1) >>> 0;
  return { upstream, downstream: ~upstream >>> 0 };
}
