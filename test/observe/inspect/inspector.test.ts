/** What is recorded of a session, and where it goes. */
import { describe, expect, test } from "bun:test";
import { Path } from "../../../src/filter/path.ts";
import { readPcap } from "../../../src/observe/replay/read-pcap.ts";
import { bytes, InspectWorld, play, summary, tcp } from "./world.ts";

describe("steps", () => {
  test("record what passes, and pass it on with its FIN and its back pressure", () => {
    const world = new InspectWorld({ format: "jsonl" });
    const session = world.session();
    const passed: string[] = [];
    let room = false;
    const sink = {
      write: (chunk: Uint8Array) => {
        passed.push(new TextDecoder().decode(chunk));
        return room;
      },
      end: () => passed.push("FIN"),
    };
    let drained = 0;
    const path = new Path({ drain: () => drained++ }, sink, [session.upstream]);
    expect(path.write(bytes("one"))).toBe(false);
    room = true;
    path.drain();
    expect(path.write(bytes("two"))).toBe(true);
    path.end();
    expect(passed).toEqual(["one", "two", "FIN"]);
    expect(drained).toBe(1);
    expect(summary(world)).toEqual(["open", "data upstream 3", "data upstream 3", "end upstream"]);
  });
});

describe("one direction", () => {
  test.each(["upstream", "downstream"] as const)("%s alone is recorded, and both ends", (direction) => {
    const world = new InspectWorld({ format: "jsonl", direction });
    play(world.session(), [
      ["upstream", bytes("ask")],
      ["downstream", bytes("answer")],
    ]);
    const data = direction === "upstream" ? "data upstream 3" : "data downstream 6";
    expect(summary(world)).toEqual(["open", data, "end upstream", "end downstream", "close"]);
  });
});

describe("max_bytes", () => {
  test("counts both directions, and is told once", () => {
    const world = new InspectWorld({ format: "jsonl", maxBytes: 5 });
    play(world.session(), [
      ["upstream", bytes("abc")],
      ["downstream", bytes("defg")],
      ["upstream", bytes("h")],
    ]);
    expect(summary(world)).toEqual([
      "open",
      "data upstream 3",
      "data downstream 2",
      "truncated downstream",
      "end upstream",
      "end downstream",
      "close",
    ]);
    expect(JSON.parse(world.lines().at(-1) ?? "")).toMatchObject({ upstream: 4, downstream: 4 });
  });

  test("is not told of a session that has just as many", () => {
    const world = new InspectWorld({ format: "jsonl", maxBytes: 3 });
    play(world.session(), [["upstream", bytes("abc")]]);
    expect(summary(world)).not.toContain("truncated upstream");
  });

  test("holds for each session by itself", () => {
    const world = new InspectWorld({ format: "jsonl", maxBytes: 3 });
    for (const id of [1, 2]) play(world.session({ id }), [["upstream", bytes("abc")]]);
    expect(summary(world).filter((line) => line === "data upstream 3")).toHaveLength(2);
  });
});

describe("the path", () => {
  test("may name the proxy, for one file of all its sessions", () => {
    const world = new InspectWorld({ format: "jsonl", path: "log/{proxy}.jsonl" });
    expect(world.inspector.filePerSession).toBe(false);
    for (const id of [1, 2]) play(world.session({ id }), []);
    expect(world.files.names).toEqual(["log/web.jsonl"]);
    world.inspector.close();
    expect(world.files.opened).toBe(0);
  });

  test("may name the session, for a file of its own, which is closed with it", () => {
    const world = new InspectWorld({ format: "jsonl", path: "{proxy}-{session}-{client}.jsonl" });
    expect(world.inspector.filePerSession).toBe(true);
    const session = world.session();
    play(world.session({ id: 8, client: tcp("::1", 9) }), []);
    expect(world.files.opened).toBe(1);
    session.closed({ reason: "shutdown", error: null });
    expect(world.files.opened).toBe(0);
    expect(world.files.names).toEqual(["web-7-127.0.0.1_50000.jsonl", "web-8-_1_9.jsonl"]);
  });

  test("may name the time at which the session began", () => {
    const world = new InspectWorld({ format: "jsonl", path: "{time}" });
    world.session();
    expect(world.files.names[0]).toMatch(/^20260101T000000\.\d{6}Z$/);
  });

  test("stays in its directory, whatever a proxy or a socket is called", () => {
    const world = new InspectWorld({ format: "jsonl", path: "log/{proxy}-{session}" });
    world.session({ proxy: "../../etc/pässword" });
    world.session({ proxy: "..", id: 8 });
    world.session({ proxy: "x".repeat(500), id: 9 });
    const long = `log/${"x".repeat(100)}-9`;
    expect(world.files.names).toEqual(["log/_-8", "log/__.._etc_p_ssword-7", long]);
  });

  test("- is standard output, whole records at a time", () => {
    const world = new InspectWorld({ format: "pcap", path: "-" });
    play(world.session(), [["upstream", bytes("abc")]]);
    play(world.session({ id: 8 }), []);
    expect(world.files.names).toEqual([]);
    const all = Uint8Array.from(world.printed.flatMap((record) => [...record]));
    expect(readPcap(all).sessions).toHaveLength(2);
  });
});

test("close waits for the sessions that still go on", () => {
  const world = new InspectWorld({ format: "jsonl" });
  const session = world.session();
  world.inspector.close();
  expect(world.files.opened).toBe(1);
  session.saw("upstream", bytes("abc"));
  session.closed({ reason: "shutdown", error: null });
  expect(world.files.opened).toBe(0);
  expect(summary(world)).toEqual(["open", "data upstream 3", "close"]);
});
