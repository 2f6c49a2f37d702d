/** The framed form: what is written is read again, however it is cut, and anything else is refused with its place. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { DIRECTIONS } from "../../src/filter/step.ts";
import { UsageError } from "../../src/net/errors.ts";
import { type Frame, FrameReader } from "../../src/observe/frame-reader.ts";
import { FrameBench, FrameWriter } from "../../src/observe/framed.ts";
import { pattern } from "../contract/probe.ts";
import { joined, same } from "./bytes.ts";

const WRITER = new FrameWriter({ proxy: "web", id: 7, client: "127.0.0.1:5000" }, () => 1_767_225_600_000);
const ORIGIN = { time: "2026-01-01T00:00:00.000Z", proxy: "web", session: 7, client: "127.0.0.1:5000" };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);

function framesOf(stream: Uint8Array, sizes: readonly number[] = []): { frames: Frame[]; pending: number } {
  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  let at = 0;
  for (const size of [...sizes, stream.length]) {
    const chunk = stream.slice(at, at + size);
    reader.push(chunk);
    chunk.fill(0xdb);
    at += size;
  }
  return { frames, pending: reader.pending };
}

test("a read, a FIN and the end of the session are lines of JSON", () => {
  expect(text(WRITER.data("upstream", 120, 5, 20))).toBe(
    '{"time":"2026-01-01T00:00:00.000Z","proxy":"web","session":7,"client":"127.0.0.1:5000",' +
      '"direction":"upstream","offset":120,"length":5,"gap":20}\n',
  );
  expect(text(WRITER.data("downstream", 0, 5, 0))).toEndWith('"direction":"downstream","offset":0,"length":5}\n');
  expect(text(WRITER.end("upstream", 125, 0))).toEndWith(
    '"direction":"upstream","event":"end","offset":125,"length":0}\n',
  );
  expect(text(WRITER.close("client_closed"))).toEndWith('"event":"close","reason":"client_closed","length":0}\n');
});

test("what is written is read, however it is cut", () => {
  const frame = fc.record({
    event: fc.constantFrom("data", "end", "close"),
    direction: fc.constantFrom(...DIRECTIONS),
    offset: fc.maxSafeNat(),
    length: fc.integer({ min: 0, max: 300 }),
    gap: fc.maxSafeNat(),
  });
  const names = fc.record({ proxy: fc.string(), client: fc.string(), id: fc.maxSafeNat() });
  fc.assert(
    fc.property(names, fc.array(frame), fc.array(fc.integer({ min: 1, max: 200 })), (info, plan, cuts) => {
      const writer = new FrameWriter(info, () => 1_767_225_600_000);
      const origin = { time: ORIGIN.time, proxy: info.proxy, session: info.id, client: info.client };
      const parts: Uint8Array[] = [];
      const expected: unknown[] = [];
      for (const { event, direction, offset, length, gap } of plan) {
        if (event === "data") {
          parts.push(writer.data(direction, offset, length, gap), pattern(offset, length));
          expected.push({ ...origin, event, direction, offset, length, gap, bytes: pattern(offset, length) });
        } else if (event === "end") {
          parts.push(writer.end(direction, offset, gap));
          expected.push({ ...origin, event, direction, offset, length: 0, gap, bytes: new Uint8Array(0) });
        } else {
          parts.push(writer.close("target_reset"));
          expected.push({ ...origin, event, reason: "target_reset", length: 0, bytes: new Uint8Array(0) });
        }
      }
      const { frames, pending } = framesOf(joined(parts), cuts);
      expect(frames as unknown[]).toEqual(expected);
      expect(pending).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("a line is never longer than a writer says", () => {
  const { longest } = WRITER;
  for (const line of [WRITER.end("downstream", 2 ** 53 - 1, 2 ** 53 - 1), WRITER.close("connect_unreachable")]) {
    expect(line.length).toBeLessThanOrEqual(longest);
  }
  expect(longest).toBeLessThan(300);
});

test("a frame that is cut short is not told, and its bytes are pending", () => {
  const stream = joined([WRITER.data("upstream", 0, 5, 0), bytes("hel")]);
  expect(framesOf(stream)).toEqual({ frames: [], pending: stream.length });
  expect(framesOf(stream.subarray(0, 20))).toEqual({ frames: [], pending: 20 });
});

test("keys and lines of later versions are no harm", () => {
  const { frames } = framesOf(
    bytes(`${JSON.stringify({ ...ORIGIN, direction: "upstream", offset: 0, length: 0, x: 1 })}\n`),
  );
  expect(frames).toHaveLength(1);
});

describe("refuses", () => {
  const LINE = { ...ORIGIN, direction: "upstream", offset: 0, length: 0 };
  test.each([
    ["hello\n", "it does not begin with a line of JSON"],
    ["7\n", "it does not begin with a line of JSON"],
    ["null\n", "it does not begin with a line of JSON"],
    [`${JSON.stringify({ ...LINE, length: -1 })}\n`, '"length": '],
    [`${JSON.stringify({ ...LINE, length: 2 ** 40 })}\n`, '"length": '],
    [`${JSON.stringify({ ...LINE, offset: "x" })}\n`, '"offset": '],
    [`${JSON.stringify({ ...LINE, direction: "up" })}\n`, '"direction": '],
    [`${JSON.stringify({ ...LINE, event: "toString" })}\n`, 'there is no event "toString"'],
    [`${JSON.stringify({ ...LINE, event: 7 })}\n`, "there is no event 7"],
    [`${JSON.stringify({ ...LINE, event: "end", length: 1 })}\n`, '"length": '],
    [`${JSON.stringify({ ...LINE, event: "close" })}\n`, '"reason": '],
    ["x".repeat(70_000), "its line is too long"],
  ])("%p", (words, why) => {
    const good = joined([WRITER.data("upstream", 0, 3, 0), bytes("abc")]);
    const error = thrownBy(() => framesOf(joined([good, bytes(words)]), [good.length]));
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ code: "EFRAME" });
    expect((error as Error).message).toStartWith(`Cannot read the frame at byte ${good.length}: ${why}`);
  });
});

test("the bench gives both parts in one piece, again and again", () => {
  const bench = new FrameBench();
  for (const size of [5, 100, 3]) {
    expect(same(bench.join(bytes("head"), pattern(0, size)), joined([bytes("head"), pattern(0, size)]))).toBe(true);
  }
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}
