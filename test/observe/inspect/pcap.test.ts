/** Captures: their bytes, read back with weir's own reader; tshark.test.ts has them read by somebody else. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Direction } from "../../../src/filter/step.ts";
import { initialSequences } from "../../../src/observe/inspect/pcap.ts";
import type { SessionInfo } from "../../../src/observe/inspect/transcript.ts";
import { readCapture } from "../../../src/observe/replay/packets.ts";
import { readPcap } from "../../../src/observe/replay/read-pcap.ts";
import type { RecordedSession } from "../../../src/observe/replay/recording.ts";
import { bytes, InspectWorld, play, SESSION, tcp } from "./world.ts";

type Chunks = readonly (readonly [Direction, Uint8Array])[];

function captured(chunks: Chunks, info: Partial<SessionInfo> = {}): Uint8Array {
  const world = new InspectWorld({ format: "pcap" });
  play(world.session(info), chunks);
  return world.files.read("record");
}

/** What the session in a capture says one way. */
function stream({ events }: RecordedSession, direction: Direction): number[] {
  return events.flatMap((event) => (event.kind === "data" && event.direction === direction ? [...event.bytes] : []));
}

function sent(chunks: Chunks, wanted: Direction): number[] {
  return chunks.flatMap(([direction, chunk]) => (direction === wanted ? [...chunk] : []));
}

/** 0 when it is right, with all that it covers (RFC 1071). */
function sum(...parts: readonly Uint8Array[]): number {
  let total = 0;
  for (const part of parts) for (const [at, byte] of part.entries()) total += at % 2 === 0 ? byte << 8 : byte;
  return 0xffff - (total % 0xffff || 0xffff);
}

/** The packets of a capture, with the checksums of their headers as a receiver finds them. */
function packets(capture: Uint8Array): { packet: Uint8Array; wrong: number }[] {
  const view = new DataView(capture.buffer, capture.byteOffset);
  const found: { packet: Uint8Array; wrong: number }[] = [];
  for (let at = 24; at < capture.length; ) {
    const length = view.getUint32(at + 8, true);
    const packet = capture.subarray(at + 16, at + 16 + length);
    const v4 = packet[0] === 0x45;
    const [ip, header] = v4 ? [packet.subarray(12, 20), 20] : [packet.subarray(8, 40), 40];
    const segment = packet.subarray(header);
    const pseudo = Uint8Array.of(0, 6, segment.length >> 8, segment.length & 255);
    found.push({ packet, wrong: sum(ip, pseudo, segment) + (v4 ? sum(packet.subarray(0, 20)) : 0) });
    at += 16 + length;
  }
  return found;
}

const direction = fc.constantFrom<Direction>("upstream", "downstream");
const chunks: fc.Arbitrary<Chunks> = fc.array(fc.tuple(direction, fc.uint8Array({ minLength: 1, maxLength: 200 })));

test("any chunks give the same streams, with checksums that are right", () => {
  const ends = fc.constantFrom<Partial<SessionInfo>>(
    {},
    { client: tcp("2001:db8::1", 1), local: tcp("fe80::1%eth0", 2) },
    { client: tcp("::ffff:10.0.0.1", 1), local: tcp("10.0.0.2", 2) },
    { client: tcp("::1", 1), local: tcp("127.0.0.1", 2) },
  );
  fc.assert(
    fc.property(chunks, ends, fc.nat(), (given, info, id) => {
      const capture = captured(given, { ...info, id });
      expect(packets(capture).every(({ wrong }) => wrong === 0)).toBe(true);
      const { sessions } = readPcap(capture);
      expect(sessions).toHaveLength(1);
      const [session] = sessions as [RecordedSession];
      expect(session).toMatchObject({ cut: false, unusable: undefined });
      for (const way of ["upstream", "downstream"] as const) expect(stream(session, way)).toEqual(sent(given, way));
      const ended = session.events.flatMap((event) => (event.kind === "end" ? [event.direction] : []));
      expect(ended).toEqual(["upstream", "downstream"]);
    }),
  );
});

test("chunks larger than a packet are cut, and read in one piece", () => {
  const large = Uint8Array.from({ length: 300_001 }, (_, index) => index * 7 + (index >> 8));
  const capture = captured([["downstream", large]]);
  for (const { packet, wrong } of packets(capture)) {
    expect(packet.length).toBeLessThanOrEqual(65_535);
    expect(wrong).toBe(0);
  }
  const [session] = readPcap(capture).sessions as [RecordedSession];
  expect(stream(session, "downstream")).toEqual([...large]);
});

test("each segment is acknowledged at once", () => {
  const segments = [...readCapture(captured([["upstream", new Uint8Array(150_000)]])).segments];
  const full = segments.flatMap((segment, index) =>
    segment.length > 0 ? [[segment, segments[index + 1]] as const] : [],
  );
  expect(full).toHaveLength(3);
  for (const [{ sequence, length, source }, answer] of full) {
    expect(answer).toMatchObject({ acknowledgement: sequence + length, destination: source, length: 0 });
  }
});

test("sequence numbers go on after 2^32", () => {
  const limit = 2 ** 32;
  let id = 0;
  while (initialSequences(id).upstream < limit - 1_000) id++;
  const given: Chunks = Array.from({ length: 30 }, (_, index) => ["upstream", bytes(`${index}`.padStart(100, "x"))]);
  const capture = captured(given, { id });
  const sequences = [...readCapture(capture).segments].map(({ sequence }) => sequence);
  expect(Math.max(...sequences)).toBeGreaterThan(limit - 1_000);
  expect(sequences.some((sequence) => sequence < 5_000)).toBe(true);
  const [session] = readPcap(capture).sessions as [RecordedSession];
  expect(stream(session, "upstream")).toEqual(sent(given, "upstream"));
});

describe("the ends of a connection", () => {
  const endsOf = (info: Partial<SessionInfo>) => {
    const [syn] = readCapture(captured([], info)).segments;
    return [syn?.source, syn?.destination];
  };

  test("are those of the client's socket", () => {
    expect(endsOf({})).toEqual(["127.0.0.1:50000", "127.0.0.1:8080"]);
    expect(endsOf({ client: tcp("::1", 5), local: tcp("::2", 6) })).toEqual([
      "[0:0:0:0:0:0:0:1]:5",
      "[0:0:0:0:0:0:0:2]:6",
    ]);
  });

  test("are made up for unix sockets, another client for each session", () => {
    const unix = { kind: "unix", path: "" } as const;
    const first = endsOf({ client: unix, local: { kind: "unix", path: "/run/x" }, id: 1 });
    expect(first).toEqual(["127.1.0.0:49153", "127.0.0.1:49151"]);
    expect(endsOf({ client: unix, local: unix, id: 16_385 })).toEqual(["127.1.0.1:49153", "127.0.0.1:49151"]);
  });

  test("are made up for a client that was gone before anybody could ask", () => {
    expect(endsOf({ client: tcp("", 0) })[0]).toStartWith("127.1.");
  });
});

describe("a session that does not end well", () => {
  test.each([
    ["client_reset", "127.0.0.1:50000"],
    ["target_reset", "127.0.0.1:8080"],
    ["idle_timeout", "127.0.0.1:8080"],
  ] as const)("%s is an RST from %s", (reason, source) => {
    const world = new InspectWorld({ format: "pcap" });
    const session = world.session();
    session.saw("upstream", bytes("abc"));
    session.closed({ reason, error: null });
    const last = [...readCapture(world.files.read("record")).segments].at(-1);
    expect(last).toMatchObject({ rst: true, source });
  });

  test("has a packet without payload where it is cut off, and a gap behind it", () => {
    const world = new InspectWorld({ format: "pcap", maxBytes: 4 });
    play(world.session(), [
      ["upstream", bytes("abcdef")],
      ["downstream", bytes("ghi")],
    ]);
    const segments = [...readCapture(world.files.read("record")).segments];
    const cut = segments.find(({ payload, length }) => payload.length < length);
    expect(cut).toMatchObject({ length: 2 });
    const first = initialSequences(SESSION.id).upstream + 1;
    expect(segments.findLast(({ fin, source }) => fin && source.endsWith("50000"))?.sequence).toBe(first + 6);
    expect(readPcap(world.files.read("record")).sessions[0]).toMatchObject({ cut: true });
  });
});
