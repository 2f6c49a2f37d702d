/** The files that recordings go to: when they are full, when they were there before, when they cannot be written. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Direction } from "../../../src/filter/step.ts";
import { readPcap } from "../../../src/observe/replay/read-pcap.ts";
import { bytes, InspectWorld, play, summary } from "./world.ts";

describe("rotation", () => {
  test("keeps as many older files as it is told, with nothing lost between those that are there", () => {
    const world = new InspectWorld({ format: "jsonl", maxSize: 4_096, keep: 2 });
    const session = world.session();
    for (let index = 0; index < 100; index++) session.saw("upstream", bytes(String(index).padStart(4)));
    expect(world.files.names).toEqual(["record", "record.1", "record.2"]);
    const offsets = ["record.2", "record.1", "record"].flatMap((path) => {
      expect(world.files.read(path).length).toBeLessThanOrEqual(4_096);
      return world.lines(path).map((line) => JSON.parse(line).offset as number);
    });
    expect(offsets).toEqual(offsets.map((_, index) => 4 * 99 - 4 * (offsets.length - 1 - index)));
  });

  test("without older files begins anew", () => {
    const world = new InspectWorld({ format: "jsonl", maxSize: 4_096, keep: 0 });
    const session = world.session();
    for (let index = 0; index < 100; index++) session.saw("upstream", bytes("abcd"));
    expect(world.files.names).toEqual(["record"]);
    expect(world.files.read("record").length).toBeLessThanOrEqual(4_096);
  });

  test("leaves a record whole that is larger than a file", () => {
    const world = new InspectWorld({ format: "hex", maxSize: 4_096, keep: 1 });
    play(world.session(), [["upstream", new Uint8Array(10_000)]]);
    expect(world.files.names).toEqual(["record", "record.1"]);
    expect(world.lines("record.1")).toHaveLength(1 + Math.ceil(10_000 / 16));
  });

  test("of a capture begins each file with its header, and goes on with the sequence numbers", () => {
    const direction = fc.constantFrom<Direction>("upstream", "downstream");
    const chunks = fc.array(fc.tuple(direction, fc.uint8Array({ minLength: 1, maxLength: 500 })), { maxLength: 40 });
    fc.assert(
      fc.property(chunks, (given) => {
        const world = new InspectWorld({ format: "pcap", maxSize: 4_096, keep: 100 });
        play(world.session(), given);
        const files = [...world.files.names].sort((a, b) => age(b) - age(a)).map((name) => world.files.read(name));
        const whole = new InspectWorld({ format: "pcap", maxSize: 0 });
        play(whole.session(), given);
        const header = whole.files.read("record").slice(0, 24);
        for (const file of files) expect(file.slice(0, 24)).toEqual(header);
        const packets = files.flatMap((file) => [...file.subarray(24)]);
        expect(packets).toEqual([...whole.files.read("record").subarray(24)]);
      }),
    );
  });
});

/** How many files are newer. */
function age(name: string): number {
  return Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
}

describe("a file from before", () => {
  test("is added to", () => {
    const world = new InspectWorld({ format: "jsonl" });
    world.files.openFile("record").write(bytes('{"type":"old"}\n'));
    world.session();
    expect(summary(world)).toEqual(["old", "open"]);
  });

  test("is put aside by a capture, which cannot begin in the middle", () => {
    const world = new InspectWorld({ format: "pcap", keep: 3 });
    world.files.openFile("record").write(bytes("anything"));
    play(world.session(), [["upstream", bytes("abc")]]);
    expect(world.text("record.1")).toBe("anything");
    expect(readPcap(world.files.read("record")).sessions).toHaveLength(1);
  });
});

describe("a file that cannot be written", () => {
  test("costs what is recorded meanwhile, is told once, and is tried again every second", () => {
    const world = new InspectWorld({ format: "jsonl" });
    const session = world.session();
    world.files.capacity = 0;
    session.saw("upstream", bytes("abc"));
    session.saw("upstream", bytes("de"));
    session.saw("downstream", bytes("f"));
    world.now += 1_000;
    session.saw("upstream", bytes("g"));
    world.files.capacity = Number.POSITIVE_INFINITY;
    session.saw("upstream", bytes("too soon"));
    session.ended("upstream");
    world.now += 1_000;
    session.saw("downstream", bytes("hi"));
    expect(world.failures).toEqual(["record ENOSPC"]);
    expect(world.inspector.lost).toBe(3 + 2 + 1 + 1 + 8);
    expect(summary(world)).toEqual([
      "open",
      "gap upstream 14",
      "gap downstream 1",
      "end upstream",
      "data downstream 2",
    ]);
    expect(JSON.parse(world.lines().at(-1) ?? "")).toMatchObject({ offset: 1 });
  });

  test("is begun with the session's opening when it can be written at last", () => {
    const world = new InspectWorld({ format: "pcap" });
    world.files.locked.set("record", "EACCES");
    const session = world.session();
    session.saw("upstream", bytes("abc"));
    expect(world.failures).toEqual(["record EACCES"]);
    world.files.locked.clear();
    world.now += 1_000;
    session.saw("upstream", bytes("def"));
    session.closed({ reason: "shutdown", error: null });
    const [found] = readPcap(world.files.read("record")).sessions;
    expect(found).toMatchObject({ cut: true, client: "127.0.0.1:50000" });
  });

  test("does not put a capture aside that is only half written", () => {
    const world = new InspectWorld({ format: "pcap" });
    const session = world.session();
    session.saw("upstream", bytes("abc"));
    const before = world.files.read("record").length;
    world.files.capacity = before;
    session.saw("upstream", bytes("def"));
    world.files.capacity = Number.POSITIVE_INFINITY;
    world.now += 1_000;
    session.saw("upstream", bytes("ghi"));
    expect(world.files.names).toEqual(["record"]);
    const { sessions, notes } = readPcap(world.files.read("record"));
    expect([sessions.length, sessions[0]?.cut, notes]).toEqual([1, true, []]);
    expect(world.files.read("record").length).toBeGreaterThan(before);
  });

  test("is tried with the next record if its reader was only too slow", () => {
    const world = new InspectWorld({ format: "jsonl" });
    const session = world.session();
    world.files.broken = "EAGAIN";
    session.saw("upstream", bytes("abc"));
    world.files.broken = undefined;
    session.saw("upstream", bytes("d"));
    expect(world.failures).toEqual(["record EAGAIN"]);
    expect(summary(world)).toEqual(["open", "gap upstream 3", "data upstream 1"]);
  });

  test("is told of again when a new one has begun", () => {
    const world = new InspectWorld({ format: "hex", maxSize: 4_096, keep: 1 });
    const session = world.session();
    for (const size of [10, 10_000, 10]) {
      world.files.broken = "EIO";
      session.saw("upstream", new Uint8Array(size));
      world.files.broken = undefined;
      world.now += 1_000;
      session.saw("upstream", new Uint8Array(size));
      world.now += 1_000;
    }
    expect(world.failures).toEqual(["record EIO", "record EIO", "record EIO"]);
  });

  test("is not put aside if there is nothing in it", () => {
    const world = new InspectWorld({ format: "hex", maxSize: 4_096 });
    world.files.broken = "EIO";
    const session = world.session();
    world.files.broken = undefined;
    world.now += 1_000;
    session.saw("upstream", new Uint8Array(10_000));
    expect(world.files.names).toEqual(["record"]);
  });

  test("is told of again when it is another one", () => {
    const world = new InspectWorld({ format: "jsonl", path: "{session}" });
    world.files.capacity = 0;
    for (const id of [1, 2]) play(world.session({ id }), [["upstream", bytes("abc")]]);
    expect(world.failures).toEqual(["1 ENOSPC", "2 ENOSPC"]);
  });
});
