/** Captures of others: links, byte orders, and what networks do to segments. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Direction } from "../../../src/filter/step.ts";
import { UsageError } from "../../../src/net/errors.ts";
import { readPcap } from "../../../src/observe/replay/read-pcap.ts";
import { readRecording } from "../../../src/observe/replay/read-recording.ts";
import type { RecordedSession } from "../../../src/observe/replay/recording.ts";
import { bytes, InspectWorld, play } from "../inspect/world.ts";
import { text } from "./world.ts";

/** A file of a capture, to be taken apart and put together otherwise. */
interface Pcap {
  readonly header: Uint8Array;
  readonly records: readonly Uint8Array[];
}

const HEADER = 24;
const RECORD = 16;

function split(capture: Uint8Array): Pcap {
  const records: Uint8Array[] = [];
  for (let at = HEADER; at < capture.length; ) {
    const end = at + RECORD + new DataView(capture.buffer, capture.byteOffset + at).getUint32(8, true);
    records.push(capture.slice(at, end));
    at = end;
  }
  return { header: capture.slice(0, HEADER), records };
}

function join({ header, records }: Pcap): Uint8Array {
  return Uint8Array.from([header, ...records].flatMap((part) => [...part]));
}

/** The capture of a session in which both say something twice. */
function capture(id = 7): Pcap {
  const world = new InspectWorld({ format: "pcap" });
  play(world.session({ id }), [
    ["upstream", bytes("one ")],
    ["downstream", bytes("1 ")],
    ["upstream", bytes("two")],
    ["downstream", bytes("2")],
  ]);
  return split(world.files.read("record"));
}

function stream({ events }: RecordedSession, direction: Direction): string {
  return text(
    events.flatMap((event) => (event.kind === "data" && event.direction === direction ? [...event.bytes] : [])),
  );
}

/** What one session of a capture says, and how it ends. */
function summary(pcap: Pcap): string[] {
  return readPcap(join(pcap)).sessions.map((session) => {
    const ends = session.events.flatMap((event) => (event.kind === "data" ? [] : [event.kind]));
    const odd = [session.cut ? "cut" : "", session.unusable ?? ""];
    return [stream(session, "upstream"), stream(session, "downstream"), ...ends, ...odd]
      .filter((each) => each)
      .join("|");
  });
}

const WHOLE = ["one two|1 2|end|end"];

/** With so many bytes before each packet, as captured on a link of another type. */
function onLink(link: number, before: readonly number[]): Pcap {
  const { header, records } = capture();
  new DataView(header.buffer).setUint32(20, link, true);
  const framed = records.map((record) => {
    const longer = Uint8Array.from([...record.subarray(0, RECORD), ...before, ...record.subarray(RECORD), 0, 0]);
    new DataView(longer.buffer).setUint32(8, longer.length - RECORD, true);
    return longer;
  });
  return { header, records: framed };
}

/** As a machine of the other byte order would have written it, with microseconds. */
function bigEndian({ header, records }: Pcap): Pcap {
  const swap = (part: Uint8Array, words: number) => {
    const view = new DataView(part.buffer);
    for (let at = 0; at < 4 * words; at += 4) view.setUint32(at, view.getUint32(at, true));
  };
  swap(header, 6);
  new DataView(header.buffer).setUint32(0, 0xa1b2c3d4);
  for (const record of records) {
    swap(record, 4);
    const view = new DataView(record.buffer);
    view.setUint32(4, view.getUint32(4) / 1_000);
  }
  return { header, records };
}

describe("a capture is read", () => {
  const macs = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  test.each<[string, Pcap]>([
    ["without a link layer", capture()],
    ["from Ethernet, with padding behind its packets", onLink(1, [...macs, 0x08, 0x00])],
    ["from Ethernet with VLAN tags", onLink(1, [...macs, 0x88, 0xa8, 0, 1, 0x81, 0x00, 0, 2, 0x08, 0x00])],
    ["from the loopback of BSD", onLink(0, [2, 0, 0, 0])],
    ["from any interface of Linux", onLink(113, Array(16).fill(0))],
    ["from any interface of a newer Linux", onLink(276, Array(20).fill(0))],
    ["of the other byte order, with microseconds", bigEndian(capture())],
  ])("%s", (_, pcap) => expect(summary(pcap)).toEqual(WHOLE));

  test("with the times of its packets", () => {
    const [session] = readPcap(join(capture())).sessions;
    const [coarse] = readPcap(join(bigEndian(capture()))).sessions;
    const times = session?.events.map(({ at }) => at) ?? [];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeGreaterThan(1);
    expect(coarse?.events.map(({ at }) => at)).toEqual(times.map((at) => expect.closeTo(at, 2)));
  });
});

describe("segments", () => {
  test("in any order, and any of them twice, make the same streams", () => {
    const { header, records } = capture();
    // The SYN tells who is the client.
    const [syn, ...others] = records as [Uint8Array, ...Uint8Array[]];
    const shuffled = fc.shuffledSubarray(others, { minLength: others.length });
    fc.assert(
      fc.property(shuffled, fc.subarray(others), (first, again) => {
        const [found] = readPcap(join({ header, records: [syn, ...first, ...again] })).sessions as [RecordedSession];
        expect([stream(found, "upstream"), stream(found, "downstream")]).toEqual(["one two", "1 2"]);
        expect(found.cut).toBe(false);
      }),
    );
  });

  test("that overlap are taken once", () => {
    const { header, records } = capture();
    const longer = bytesOfPayload(records, "two", bytes("two"), -4, bytes("ONE two"));
    expect(summary({ header, records: longer })).toEqual(WHOLE);
  });

  test("that are missing cut the session off where the client said them", () => {
    const { header, records } = capture();
    const without = (payload: string) => records.filter((record) => !text([...record]).endsWith(payload));
    expect(summary({ header, records: without("two") })).toEqual(["one |1 2|end|cut"]);
    expect(summary({ header, records: without("one ") })).toEqual([
      "1 2|end|cut|its beginning is not in the recording",
    ]);
    expect(summary({ header, records: without("1 ") })).toEqual(["one two|2|end|end"]);
  });

  test("that wait for a missing one keep their time", () => {
    const { header, records } = capture();
    const without = records.filter((record) => !text([...record]).endsWith("1 "));
    const times = readPcap(join({ header, records: without })).sessions[0]?.events.map(({ at }) => at) ?? [];
    expect(times).toHaveLength(5);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  test("that were captured in part, or in fragments, are missing from there on", () => {
    const { header, records } = capture();
    const at = records.findIndex((record) => text([...record]).endsWith("two"));
    const snapped = (records[at] as Uint8Array).slice(0, -2);
    new DataView(snapped.buffer).setUint32(8, snapped.length - RECORD, true);
    const fragment = (records[at] as Uint8Array).slice();
    fragment[RECORD + 6] = 0x20;
    const [, answer] = records.slice(at + 1);
    expect(text([...(answer ?? [])])).toEndWith("2");
    expect(summary({ header, records: [...records.slice(0, at), snapped, answer as Uint8Array] })).toEqual([
      "one t|1 |cut",
    ]);
    expect(summary({ header, records: records.with(at, fragment) })).toEqual(["one |1 2|end|cut"]);
  });

  test("behind an RST are nobody's", () => {
    const world = new InspectWorld({ format: "pcap" });
    const session = world.session();
    for (const word of ["a", "b"]) session.saw("upstream", bytes(word));
    session.closed({ reason: "client_reset", error: null });
    const { header, records } = split(world.files.read("record"));
    const late = records.findIndex((record) => text([...record]).endsWith("b"));
    const order = [...records.toSpliced(late, 1), records[late] as Uint8Array];
    expect(summary({ header, records: order })).toEqual(["a|reset"]);
  });

  test("of one connection without its beginning are left out", () => {
    const { header, records } = capture();
    expect(summary({ header, records: records.slice(3) })).toEqual(["its beginning is not in the recording"]);
  });

  test("tell who the client is even if the SYN is missing", () => {
    const { header, records } = capture();
    expect(summary({ header, records: records.slice(1) })).toEqual(WHOLE);
    expect(readPcap(join({ header, records: records.slice(1) })).sessions[0]?.client).toBe("127.0.0.1:50000");
  });

  test("of the same ends, but another SYN, are another connection", () => {
    const [a, b] = [capture(1), capture(2)];
    expect(summary({ header: a.header, records: [...a.records, ...b.records] })).toEqual([...WHOLE, ...WHOLE]);
    const ids = readPcap(join({ header: a.header, records: [...a.records, ...b.records] })).sessions;
    expect(ids.map(({ id }) => id)).toEqual(["0", "1"]);
  });

  test("with RST end a session, by the client or not", () => {
    for (const [reason, expected] of [
      ["client_reset", "hi|reset"],
      ["target_reset", "hi"],
    ] as const) {
      const world = new InspectWorld({ format: "pcap" });
      const session = world.session();
      session.saw("upstream", bytes("hi"));
      session.closed({ reason, error: null });
      expect(summary(split(world.files.read("record")))).toEqual([expected]);
    }
  });
});

/** Replaces the payload of one segment by a longer one that begins earlier. */
function bytesOfPayload(
  records: readonly Uint8Array[],
  payload: string,
  old: Uint8Array,
  earlier: number,
  fresh: Uint8Array,
): Uint8Array[] {
  return records.map((record) => {
    if (!text([...record]).endsWith(payload)) return record;
    const longer = Uint8Array.from([...record.subarray(0, record.length - old.length), ...fresh]);
    const view = new DataView(longer.buffer);
    view.setUint32(8, longer.length - RECORD, true);
    view.setUint16(RECORD + 2, longer.length - RECORD);
    view.setUint32(RECORD + 24, view.getUint32(RECORD + 24) + earlier);
    return longer;
  });
}

describe("a file that is none, or not whole", () => {
  const fails = (file: Uint8Array, why: string) => {
    expect(() => readRecording(file)).toThrow(new UsageError("ERECORDING", `Cannot read the recording: ${why}`));
  };

  test("is refused, with what to do", () => {
    fails(new Uint8Array(0), "it is empty");
    fails(bytes("hello"), "it is neither JSON lines nor frames nor pcap");
    fails(Uint8Array.of(0x0a, 0x0d, 0x0d, 0x0a, 1), 'it is pcapng; make pcap of it with "editcap -F nsecpcap IN OUT"');
    fails(join(capture()).subarray(0, 20), "its header is cut short");
    fails(join(onLink(105, [])), "it was captured on a link of type 105, which is not known here");
  });

  test("loses its last packet, and says so", () => {
    const { sessions, notes } = readRecording(join(capture()).subarray(0, -1));
    expect(sessions).toHaveLength(1);
    expect(notes).toEqual(["the last packet is cut short and was left out"]);
  });

  test("never is more than refused, whatever its packets hold", () => {
    const { header } = capture();
    const packet = fc.uint8Array({ maxLength: 120 }).map((noise) => {
      const record = Uint8Array.from([...new Uint8Array(RECORD), ...noise]);
      if (noise.length > 0) record[RECORD] = ((noise[0] ?? 0) % 2 === 0 ? 0x40 : 0x60) | ((noise[0] ?? 0) & 15);
      new DataView(record.buffer).setUint32(8, noise.length, true);
      return record;
    });
    fc.assert(
      fc.property(fc.array(packet), (records) => {
        expect(readPcap(join({ header, records })).notes).toEqual([]);
      }),
    );
  });
});
