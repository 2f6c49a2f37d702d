/** JSON lines and frames, as weir writes them and as they should not be. */
import { describe, expect, test } from "bun:test";
import { UsageError } from "../../../src/net/errors.ts";
import { FrameWriter } from "../../../src/observe/framed.ts";
import { readRecording } from "../../../src/observe/replay/read-recording.ts";
import type { Recording } from "../../../src/observe/replay/recording.ts";
import { bytes, InspectWorld, play } from "../inspect/world.ts";
import { text } from "./world.ts";

/** Sessions as lists of what happens in them. */
function summary({ sessions }: Recording): string[][] {
  return sessions.map(({ events, cut, unusable }) => {
    const acts = events.map((event) => {
      if (event.kind === "reset") return "reset";
      const arrow = event.direction === "upstream" ? ">" : "<";
      return `${arrow}${event.offset} ${event.kind === "data" ? text([...event.bytes]) : "FIN"}`;
    });
    return [...acts, ...(cut ? ["cut"] : []), ...(unusable ? [unusable] : [])];
  });
}

describe("JSON lines", () => {
  test("come back as they were written", () => {
    const world = new InspectWorld({ format: "jsonl" });
    const [a, b] = [world.session({ id: 1 }), world.session({ id: 2 })];
    a.saw("upstream", bytes("one\n"));
    b.saw("upstream", bytes("\0"));
    a.saw("downstream", bytes("1"));
    b.closed({ reason: "client_reset", error: "ECONNRESET" });
    play(a, [["upstream", bytes("two")]]);
    const recording = readRecording(world.files.read("record"));
    expect(summary(recording)).toEqual([
      [">0 one\n", "<0 1", ">4 two", ">7 FIN", "<1 FIN"],
      [">0 \0", "reset"],
    ]);
    expect(recording.sessions.map(({ id, client, from }) => [id, client, from > 0])).toEqual([
      ["1", "127.0.0.1:50000", false],
      ["2", "127.0.0.1:50000", true],
    ]);
  });

  test("hold another session when the same number opens again", () => {
    const world = new InspectWorld({ format: "jsonl" });
    for (const word of ["a", "b"]) world.session().saw("upstream", bytes(word));
    expect(summary(readRecording(world.files.read("record")))).toEqual([[">0 a"], [">0 b"]]);
  });

  test("end for a session where it was cut off, or where the client's bytes were lost", () => {
    const cut = new InspectWorld({ format: "jsonl", maxBytes: 3 });
    const long = cut.session();
    long.saw("upstream", bytes("abcd"));
    long.closed({ reason: "client_reset", error: null });
    expect(summary(readRecording(cut.files.read("record")))).toEqual([[">0 abc", "cut"]]);

    const lost = new InspectWorld({ format: "jsonl" });
    const session = lost.session();
    session.saw("upstream", bytes("a"));
    lost.files.capacity = 0;
    session.saw("upstream", bytes("b"));
    lost.files.capacity = Number.POSITIVE_INFINITY;
    lost.now += 1_000;
    session.saw("downstream", bytes("c"));
    expect(summary(readRecording(lost.files.read("record")))).toEqual([[">0 a", "cut"]]);
  });

  test("go on behind answers that were lost", () => {
    const world = new InspectWorld({ format: "jsonl" });
    const session = world.session();
    world.files.capacity = world.files.read("record").length;
    session.saw("downstream", bytes("abc"));
    world.files.capacity = Number.POSITIVE_INFINITY;
    world.now += 1_000;
    session.saw("downstream", bytes("d"));
    expect(summary(readRecording(world.files.read("record")))).toEqual([["<3 d"]]);
  });

  test("that begin in the middle of a session leave it out", () => {
    const world = new InspectWorld({ format: "jsonl" });
    const session = world.session();
    for (const word of ["a", "b"]) session.saw("upstream", bytes(word));
    const [, , last = ""] = world.lines();
    expect(summary(readRecording(bytes(`${last}\n`)))).toEqual([["cut", "its beginning is not in the recording"]]);
  });

  test("lose a last one that is cut short, and say so", () => {
    const world = new InspectWorld({ format: "jsonl" });
    play(world.session(), [["upstream", bytes("abc")]]);
    const { notes, sessions } = readRecording(world.files.read("record").slice(0, -9));
    expect(notes).toEqual(["the last line is cut short and was left out"]);
    expect(sessions).toHaveLength(1);
  });

  const DATA = { time: "2026-01-01T00:00:00.000Z", type: "data", session: 1, client: "x", offset: 0, length: 1 };
  test.each<[string, string]>([
    ['{"type":', "it is no JSON"],
    [
      '{"type":"nothing"}',
      '"type": Invalid type: Expected ("open" | "data" | "end" | "gap" | "truncated" | "close") but received "nothing"',
    ],
    [
      JSON.stringify({ ...DATA, direction: "up" }),
      '"direction": Invalid type: Expected ("upstream" | "downstream") but received "up"',
    ],
    [JSON.stringify({ ...DATA, direction: "upstream", data: "?" }), '"data" is no base64'],
  ])("that are wrong are named: %s", (line, why) => {
    const file = bytes(`{"time":"2026-01-01T00:00:00Z","type":"open","session":1,"client":"x"}\n\n${line}\n`);
    const error = new UsageError("ERECORDING", `Cannot read the recording (line 3): ${why}`);
    expect(() => readRecording(file)).toThrow(error);
  });
});

describe("frames", () => {
  const writer = new FrameWriter({ proxy: "web", id: 7, client: "10.0.0.9:5000" }, () => 1_767_225_600_000);

  function frames(...parts: readonly (Uint8Array | string)[]): Uint8Array {
    return Uint8Array.from(parts.flatMap((part) => [...(typeof part === "string" ? bytes(part) : part)]));
  }

  test("come back as they were written", () => {
    const file = frames(
      writer.data("upstream", 0, 4, 0),
      "ask\n",
      writer.data("downstream", 0, 6, 0),
      "answer",
      writer.end("upstream", 4, 0),
      writer.close("client_reset"),
      writer.data("upstream", 0, 5, 0),
      "again",
    );
    const recording = readRecording(file);
    expect(summary(recording)).toEqual([[">0 ask\n", "<0 answer", ">4 FIN", "reset"], [">0 again"]]);
    expect(recording.sessions[0]).toMatchObject({ id: "7", client: "10.0.0.9:5000" });
  });

  test("cut a session off where the client's bytes were skipped, and go on behind answers that were", () => {
    const file = frames(
      writer.data("upstream", 0, 1, 0),
      "a",
      writer.data("downstream", 5, 1, 5),
      "b",
      writer.data("downstream", 9, 0, 3),
      writer.data("upstream", 3, 1, 2),
      "c",
      writer.data("downstream", 9, 1, 0),
      "d",
    );
    expect(summary(readRecording(file))).toEqual([[">0 a", "<5 b", "cut"]]);
  });

  test("lose a last one that is cut short, and say so", () => {
    const { notes, sessions } = readRecording(
      frames(writer.data("upstream", 0, 4, 0), "ask\n", writer.end("upstream", 4, 0).slice(0, 9)),
    );
    expect(notes).toEqual(["the last frame is cut short and was left out"]);
    expect(sessions).toHaveLength(1);
  });
});
