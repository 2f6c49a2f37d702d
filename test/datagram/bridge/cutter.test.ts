import { expect, test } from "bun:test";
import fc from "fast-check";
import { Cutter } from "../../../src/datagram/bridge/cutter.ts";

type Cut = "size" | "lines";

/** What becomes of `bytes` that come in chunks which end at `ends`. */
function cut(bytes: Uint8Array, ends: readonly number[], options: { cut: Cut; datagramSize: number; whole: boolean }) {
  const datagrams: string[] = [];
  const cutter = new Cutter(options, (datagram) => datagrams.push(Buffer.from(datagram).toString("latin1")));
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    // A chunk is on loan: what it holds is gone afterwards.
    const chunk = bytes.slice(from, end);
    cutter.take(chunk);
    chunk.fill(0);
    from = end;
  }
  cutter.flush();
  return datagrams;
}

const text = (value: string) => new TextEncoder().encode(value);

test("lines keep their newline, a last one without goes at the end, and empty ones are datagrams", () => {
  const lines = { cut: "lines", datagramSize: 1_400, whole: false } as const;
  expect(cut(text("one\ntwo\n\nthree"), [], lines)).toEqual(["one\n", "two\n", "\n", "three"]);
});

test("a line that is longer than a datagram is several", () => {
  const lines = { cut: "lines", datagramSize: 4, whole: false } as const;
  expect(cut(text("123456789\nab\n"), [], lines)).toEqual(["1234", "5678", "9\n", "ab\n"]);
  expect(cut(text("123\n4"), [], lines)).toEqual(["123\n", "4"]);
});

test("of a file every datagram but the last is whole", () => {
  const whole = { cut: "size", datagramSize: 4, whole: true } as const;
  expect(cut(text("1234567890"), [3, 5], whole)).toEqual(["1234", "5678", "90"]);
});

test("of a connection nothing is held back", () => {
  const stream = { cut: "size", datagramSize: 4, whole: false } as const;
  expect(cut(text("1234567890"), [3, 5], stream)).toEqual(["123", "45", "6789", "0"]);
});

test("however the stream is chunked, its bytes are all there, in order, in datagrams that are not too large", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(10, 65, 66, 0), { maxLength: 300 }),
      fc.array(fc.nat(300), { maxLength: 20 }),
      fc.integer({ min: 1, max: 50 }),
      fc.constantFrom<Cut>("size", "lines"),
      fc.boolean(),
      (values, cuts, datagramSize, how, whole) => {
        const bytes = Uint8Array.from(values);
        const ends = cuts.map((at) => Math.min(at, bytes.length)).sort((a, b) => a - b);
        const options = { cut: how, datagramSize, whole };
        const datagrams = cut(bytes, ends, options);
        expect(datagrams.join("")).toBe(Buffer.from(bytes).toString("latin1"));
        for (const each of datagrams) expect(each.length).toBeWithin(1, datagramSize + 1);
        if (how === "lines" || whole) expect(datagrams).toEqual(cut(bytes, [], options));
      },
    ),
  );
});
