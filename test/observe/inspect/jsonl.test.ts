/** JSON lines: what stands in them, and that the bytes come back as they were. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { fromBase64, toBase64 } from "../../../src/observe/base64.ts";
import { bytes, InspectWorld, play } from "./world.ts";

const WHOSE = { session: 7, client: "127.0.0.1:50000", target: "127.0.0.1:80" };

function records(world: InspectWorld): Record<string, unknown>[] {
  return world.lines().map((line) => JSON.parse(line));
}

test("a session is one line for each thing that happens", () => {
  const world = new InspectWorld({ format: "jsonl" });
  const session = world.session();
  session.saw("upstream", bytes("hi\r\n"));
  session.saw("downstream", Uint8Array.of(0, 1, 255));
  session.saw("upstream", bytes("ü"));
  session.ended("upstream");
  session.ended("upstream");
  session.closed({ reason: "target_reset", error: "ECONNRESET" });
  session.closed({ reason: "shutdown", error: null });
  session.saw("upstream", bytes("late"));
  const found = records(world).map(({ time, ...rest }) => {
    expect(time).toMatch(/^2026-01-01T00:00:00\.\d{6}Z$/);
    return rest;
  });
  expect(found).toEqual([
    { type: "open", ...WHOSE, proxy: "web", local: "127.0.0.1:8080" },
    { type: "data", ...WHOSE, direction: "upstream", offset: 0, length: 4, text: "hi\r\n" },
    { type: "data", ...WHOSE, direction: "downstream", offset: 0, length: 3, data: "AAH/" },
    { type: "data", ...WHOSE, direction: "upstream", offset: 4, length: 2, text: "ü" },
    { type: "end", ...WHOSE, direction: "upstream", offset: 6 },
    { type: "close", ...WHOSE, reason: "target_reset", error: "ECONNRESET", upstream: 6, downstream: 3 },
  ]);
});

test("times rise by microseconds", () => {
  const world = new InspectWorld({ format: "jsonl" });
  play(world.session(), [["upstream", bytes("a")]]);
  const times = records(world).map(({ time }) => String(time));
  expect(times).toEqual([...times].sort());
  expect(new Set(times.map((time) => time.slice(-4))).size).toBeGreaterThan(1);
});

describe("bytes", () => {
  test.each<[string, Uint8Array]>([
    ["a control character", bytes("a\u0000")],
    ["an escape sequence", bytes("\u001b[31m")],
    ["a control character beyond ASCII", bytes("\u0085")],
    ["half a character", Uint8Array.of(0xc3)],
    ["Latin-1", Uint8Array.of(0x66, 0xfc, 0x72)],
  ])("that hold %s are base64", (_, chunk) => {
    const world = new InspectWorld({ format: "jsonl" });
    world.session().saw("upstream", chunk);
    const [, record] = records(world);
    expect(record).not.toHaveProperty("text");
    expect(fromBase64(String(record?.["data"]))).toEqual(chunk);
  });

  test("are all there, whatever they are and however they are cut", () => {
    const chunk = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.string({ unit: "binary", minLength: 1 }).map(bytes),
      fc.constant(bytes("\ufeffmark")),
    );
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const world = new InspectWorld({ format: "jsonl" });
        play(
          world.session(),
          chunks.map((each) => ["upstream", each] as const),
        );
        const found = records(world).filter(({ type }) => type === "data");
        const read = found.map(({ text, data }) =>
          text === undefined ? fromBase64(String(data)) : bytes(String(text)),
        );
        expect(read).toEqual(chunks);
        expect(found.map(({ length }) => length)).toEqual(chunks.map(({ length }) => length));
      }),
    );
  });
});

test("base64 of long pieces comes back, and what is none is refused", () => {
  const long = Uint8Array.from({ length: 100_003 }, (_, index) => index * 7);
  expect(fromBase64(toBase64(long))).toEqual(long);
  for (const text of ["A", "AA=", "A===", "AA==AA==", "A A=", "AAA-"]) expect(fromBase64(text)).toBeUndefined();
});
