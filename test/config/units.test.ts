/** Durations and sizes: what is read, what is refused and with which words. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  formatDuration,
  MAX_DURATION,
  parseBuffer,
  parseCount,
  parseDuration,
  parseDurationOrOff,
  parsePeriod,
  parseSize,
  parseSizeOrOff,
  parseSpeed,
} from "../../src/config/units.ts";
import { UsageError } from "../../src/net/errors.ts";

describe("parseDuration", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["0.0", 0],
    ["250ms", 250],
    ["5s", 5_000],
    ["1.5s", 1_500],
    ["1.001s", 1_001],
    ["4.35s", 4_350],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["24d", 2_073_600_000],
    ["2147483647ms", MAX_DURATION],
  ])("reads %p as %p ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  const form = 'write a number and a unit (ms, s, m, h, d), such as "5s" or "1.5h"';
  test.each([
    ["", form],
    ["s", form],
    ["1m30s", form],
    ["5 s", form],
    [".5s", form],
    ["5s\n", form],
    ["-5s", "it is negative"],
    ["5", 'the unit is missing; write "5s" or "5ms"'],
    ["1.5", 'the unit is missing; write "1.5s" or "1.5ms"'],
    ["5S", 'the unit "S" is unknown; use ms, s, m, h or d'],
    ["5constructor", 'the unit "constructor" is unknown; use ms, s, m, h or d'],
    ["0.4ms", "it is not a whole number of milliseconds"],
    ["0.0000001s", "it is not a whole number of milliseconds"],
    ["25d", 'it is too long; the most is "24d"'],
    ["2147483648ms", 'it is too long; the most is "24d"'],
    [`${"9".repeat(400)}s`, 'it is too long; the most is "24d"'],
  ])("refuses %p and says why", (text, why) => {
    expectUsageError(() => parseDuration(text), "EDURATION", `Cannot parse duration "${text}": ${why}`);
  });

  test("reads back whatever formatDuration writes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  test("throws nothing but UsageError, whatever the text", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), numberAndUnit()), (text) => onlyUsageError(() => parseDuration(text))));
  });

  test("takes off for zero only where asked to", () => {
    expect(parseDurationOrOff("off")).toBe(0);
    expect(parseDurationOrOff("5s")).toBe(5_000);
    expectUsageError(() => parseDuration("off"), "EDURATION", `Cannot parse duration "off": ${form}`);
  });
});

describe("parsePeriod", () => {
  test("takes what parseDuration takes, but zero", () => {
    expect(parsePeriod("1ms")).toBe(1);
    expect(parsePeriod("24d")).toBe(2_073_600_000);
    for (const zero of ["0", "0s", "0.0m"]) {
      const why = 'it is zero; write more, such as "1s"';
      expectUsageError(() => parsePeriod(zero), "EDURATION", `Cannot parse duration "${zero}": ${why}`);
    }
    expectUsageError(() => parsePeriod("-1s"), "EDURATION", 'Cannot parse duration "-1s": it is negative');
  });
});

describe("formatDuration", () => {
  test.each([
    [0, "0s"],
    [1, "1ms"],
    [1_500, "1500ms"],
    [90_000, "90s"],
    [600_000, "10m"],
    [86_400_000, "1d"],
  ])("writes %p in the largest unit without decimals: %p", (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe("parseSize", () => {
  test.each([
    ["0", 0],
    ["512", 512],
    ["512B", 512],
    ["64KB", 64_000],
    ["64KiB", 65_536],
    ["1MB", 1_000_000],
    ["1.5MiB", 1_572_864],
    ["2GB", 2_000_000_000],
    ["1GiB", 1_073_741_824],
  ])("reads %p as %p bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  const units = "use B, KB, MB, GB (thousands) or KiB, MiB, GiB (1024s)";
  test.each([
    ["", 'write a number and a unit, such as "64KiB" or "1MB"'],
    ["64 KiB", 'write a number and a unit, such as "64KiB" or "1MB"'],
    ["-1KB", "it is negative"],
    ["64K", `the unit "K" is unknown; ${units}`],
    ["64kb", `the unit "kb" is unknown; ${units}`],
    ["0.5", "it is not a whole number of bytes"],
    ["99999999GiB", "it is too large"],
  ])("refuses %p and says why", (text, why) => {
    expectUsageError(() => parseSize(text), "ESIZE", `Cannot parse size "${text}": ${why}`);
  });

  test("throws nothing but UsageError, whatever the text", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), numberAndUnit()), (text) => onlyUsageError(() => parseSize(text))));
  });
});

describe("parseBuffer", () => {
  test("takes 1KiB to 1GiB", () => {
    expect(parseBuffer("1KiB")).toBe(1_024);
    expect(parseBuffer("1GiB")).toBe(1_073_741_824);
  });

  test.each([
    ["1023", "it is too small for a buffer; use 1KiB to 1GiB"],
    ["1073741825", "it is too large for a buffer; use 1KiB to 1GiB"],
  ])("refuses %p", (text, why) => {
    expectUsageError(() => parseBuffer(text), "ESIZE", `Cannot parse size "${text}": ${why}`);
  });
});

describe("parseSizeOrOff", () => {
  test("takes sizes from the least on, and off", () => {
    expect(["off", "0", "1KiB"].map((text) => parseSizeOrOff(text, 1_024))).toEqual([0, 0, 1_024]);
  });

  test("refuses less than the least", () => {
    const message = 'Cannot parse size "1023": it is too small; use 1024B or more, or "off"';
    expectUsageError(() => parseSizeOrOff("1023", 1_024), "ESIZE", message);
  });
});

describe("parseSpeed", () => {
  test("takes numbers above 0, and max", () => {
    expect(["1", "0.5", "10", "max"].map(parseSpeed)).toEqual([1, 0.5, 10, 0]);
  });

  test.each(["", "0", "-1", "1e3", "fast", "1x", "Infinity"])("refuses %p", (text) => {
    const message = `Cannot use "${text}" as the speed: write a number above 0, such as 2 or 0.5, or "max"`;
    expectUsageError(() => parseSpeed(text), "ESPEED", message);
  });
});

describe("parseCount", () => {
  test("takes whole numbers up to a million, from where it is told to", () => {
    expect(["0", "7", "1000000"].map((text) => parseCount(text))).toEqual([0, 7, 1_000_000]);
    expect(parseCount("1", 1)).toBe(1);
  });

  test.each(["", "-1", "1.5", "1e3", "1000001", "x", " 1"])("refuses %p", (text) => {
    const message = `expected a whole number from 0 to 1000000, found "${text}"`;
    expectUsageError(() => parseCount(text), "ECOUNT", message);
  });

  test("refuses less than the least", () => {
    expectUsageError(() => parseCount("0", 1), "ECOUNT", 'expected a whole number from 1 to 1000000, found "0"');
  });
});

function numberAndUnit(): fc.Arbitrary<string> {
  const unit = fc.constantFrom("", "ms", "s", "m", "h", "d", "B", "KB", "MiB", "GiB", "x");
  return fc.tuple(fc.double(), unit).map(([amount, suffix]) => `${amount}${suffix}`);
}

function onlyUsageError(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
  }
}

function expectUsageError(run: () => unknown, code: string, message: string): void {
  expect(run).toThrow(expect.objectContaining({ name: "UsageError", code, message }));
}
