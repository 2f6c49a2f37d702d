/** Captures that are taken apart and put together otherwise. */
import type { Direction } from "../../../src/filter/step.ts";
import { readPcap } from "../../../src/observe/replay/read-pcap.ts";
import type { RecordedSession } from "../../../src/observe/replay/recording.ts";
import { bytes, InspectWorld, play } from "../inspect/world.ts";
import { text } from "./world.ts";

/** A file of a capture, record by record. */
export interface Pcap {
  readonly header: Uint8Array;
  readonly records: readonly Uint8Array[];
}

const HEADER = 24;
export const RECORD = 16;

export function split(capture: Uint8Array): Pcap {
  const records: Uint8Array[] = [];
  for (let at = HEADER; at < capture.length; ) {
    const end = at + RECORD + new DataView(capture.buffer, capture.byteOffset + at).getUint32(8, true);
    records.push(capture.slice(at, end));
    at = end;
  }
  return { header: capture.slice(0, HEADER), records };
}

export function join({ header, records }: Pcap): Uint8Array {
  return Uint8Array.from([header, ...records].flatMap((part) => [...part]));
}

/** The capture of a session in which both say something twice. */
export function capture(id = 7): Pcap {
  const world = new InspectWorld({ format: "pcap" });
  play(world.session({ id }), [
    ["upstream", bytes("one ")],
    ["downstream", bytes("1 ")],
    ["upstream", bytes("two")],
    ["downstream", bytes("2")],
  ]);
  return split(world.files.read("record"));
}

export function stream({ events }: RecordedSession, direction: Direction): string {
  return text(
    events.flatMap((event) => (event.kind === "data" && event.direction === direction ? [...event.bytes] : [])),
  );
}

/** What one session of a capture says, and how it ends. */
export function summary(pcap: Pcap): string[] {
  return readPcap(join(pcap)).sessions.map((session) => {
    const ends = session.events.flatMap((event) => (event.kind === "data" ? [] : [event.kind]));
    const odd = [session.cut ? "cut" : "", session.unusable ?? ""];
    return [stream(session, "upstream"), stream(session, "downstream"), ...ends, ...odd]
      .filter((each) => each)
      .join("|");
  });
}

export const WHOLE = ["one two|1 2|end|end"];

/** With so many bytes before each packet, as captured on a link of another type. */
export function onLink(link: number, before: readonly number[]): Pcap {
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
export function bigEndian({ header, records }: Pcap): Pcap {
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

/** Replaces the payload of one segment by a longer one that begins earlier. */
export function bytesOfPayload(
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
