/** Rates: what is read, what is refused and with which words. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseRate } from "../../src/admit/rate.ts";
import { UsageError } from "../../src/net/errors.ts";

test.each([
  ["20/s", 20],
  ["1/s", 1],
  ["0.5/s", 0.5],
  ["600/m", 10],
  ["1/m", 1 / 60],
  ["5000/h", 5_000 / 3_600],
  ["0.1/h", 0.1 / 3_600],
  ["1000000/s", 1_000_000],
  ["60000000/m", 1_000_000],
  ["3600000000/h", 1_000_000],
])("reads %p as %p per second and keeps the text", (text, perSecond) => {
  expect(parseRate(text)).toEqual({ text, perSecond });
});

const form = 'write a number and a unit (s, m, h), such as "20/s" or "600/m"';
const nobody = 'it would let nobody in; write more than 0, such as "20/s" or "0.5/s"';
test.each([
  ["", form],
  ["/s", form],
  ["off", form],
  ["20 /s", form],
  ["20/s\n", form],
  ["20/s/s", form],
  [".5/s", form],
  ["1e3/s", form],
  ["20s", form],
  ["-20/s", 'it is negative; write one such as "20/s"'],
  ["20", 'the unit is missing; write "20/s", "20/m" or "20/h"'],
  ["0.5/", 'the unit is missing; write "0.5/s", "0.5/m" or "0.5/h"'],
  ["20/d", 'the unit "d" is unknown; use s, m or h, as in "20/s"'],
  ["20/S", 'the unit "S" is unknown; use s, m or h, as in "20/s"'],
  ["20/sec", 'the unit "sec" is unknown; use s, m or h, as in "20/s"'],
  ["20/constructor", 'the unit "constructor" is unknown; use s, m or h, as in "20/s"'],
  ["0/s", nobody],
  ["0.00/h", nobody],
  [`0.${"0".repeat(400)}1/s`, nobody],
  ["1000001/s", 'it is too high; the most is "1000000/s"'],
  [`${"9".repeat(400)}/h`, 'it is too high; the most is "1000000/s"'],
])("refuses %p and says why", (text, why) => {
  expect(() => parseRate(text)).toThrow(
    expect.objectContaining({ name: "UsageError", code: "ERATE", message: `Cannot parse rate "${text}": ${why}` }),
  );
});

test("whatever the text, a rate within the bounds comes out or a UsageError", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."0123456789./smhd-") }));
  fc.assert(
    fc.property(text, (each) => {
      try {
        const { perSecond } = parseRate(each);
        expect(perSecond > 0 && perSecond <= 1_000_000).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        expect((error as UsageError).code).toBe("ERATE");
      }
    }),
    { numRuns: 1_000 },
  );
});
