/** Captures of others: links, byte orders, and what networks do to segments. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { UsageError } from "../../../src/net/errors.ts";
import { readPcap } from "../../../src/observe/replay/read-pcap.ts";
import { readRecording } from "../../../src/observe/replay/read-recording.ts";
import type { RecordedSession } from "../../../src/observe/replay/recording.ts";
import { bytes, InspectWorld } from "../inspect/world.ts";
import {
  bigEndian,
  bytesOfPayload,
  capture,
  join,
  onLink,
  type Pcap,
  RECORD,
  split,
  stream,
  summary,
  WHOLE,
} from "./pcap-file.ts";
import { text } from "./world.ts";

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
