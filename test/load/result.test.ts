/** Latencies on their way from a thread to the report. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { Recorder } from "../../src/load/recorder.ts";
import { Result } from "../../src/load/result.ts";
import type { Sample } from "../../src/load/sample.ts";
import { scenarioOf } from "../../src/load/scenario.ts";

const target = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;

function sample(more: Partial<Sample>): Sample {
  const nothing = { requests: 0, late: 0, bytes: 0, errors: {}, connections: 0, latencies: [], services: [] };
  return { second: 0, ...nothing, ...more };
}

/** As a thread would tell it. */
function measured(values: readonly number[]): Sample {
  const recorder = new Recorder();
  for (const ms of values) recorder.record(ms);
  return sample({ requests: values.length, latencies: recorder.take() });
}

test("percentiles are those of the values, to three digits", () => {
  const ms = fc.double({ min: 0, max: 4_000_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(ms, { minLength: 1, maxLength: 200 }), fc.integer({ min: 0, max: 100 }), (values, percent) => {
      const result = new Result(scenarioOf("x", { target }));
      result.add(measured(values));
      const sorted = [...values].sort((a, b) => a - b);
      const rank = Math.max(1, Math.ceil((percent / 100) * values.length));
      const exact = sorted[rank - 1] as number;
      const found = result.percentile(percent);
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.max(0.001, exact * 0.001));
    }),
  );
});

test("what threads tell of the same second is added up", () => {
  const result = new Result(scenarioOf("x", { target, duration: 2_000, connections: 3 }));
  result.add(sample({ requests: 10, bytes: 100, connections: 1, errors: { timeout: 1 }, latencies: [1_000, 10] }));
  result.add(
    sample({ requests: 30, bytes: 300, connections: 2, errors: { timeout: 2, closed: 1 }, latencies: [3_000, 30] }),
  );
  result.add(sample({ second: 1, requests: 4, late: 2, bytes: 40, latencies: [9_000, 4] }));
  expect(result.requests).toBe(44);
  expect(result.bytes).toBe(440);
  expect(result.errors).toEqual({ timeout: 3, closed: 1 });
  expect(result.errorPercent).toBeCloseTo((100 * 4) / 48);
  // Those after the end are no part of the rate.
  expect(result.rate).toBe(21);
  expect(result.seconds.map(({ requests, errors, connections }) => [requests, errors, connections])).toEqual([
    [40, 4, 3],
    [4, 0, 0],
  ]);
  expect(result.seconds.map(({ p50 }) => Math.round(p50))).toEqual([3, 9]);
});

describe("the histogram in the report", () => {
  test("is one that others read", () => {
    const result = new Result(scenarioOf("x", { target }));
    result.add(measured(Array.from({ length: 1_000 }, (_, n) => (n + 1) / 10)));
    const read = decodeFromCompressedBase64(result.encoded);
    expect(read.totalCount).toBe(1_000);
    expect(read.getValueAtPercentile(99) / 1_000).toBeCloseTo(99, 0);
  });
});

test("without a reply there is nothing, and no division by it", () => {
  const result = new Result(scenarioOf("x", { target }));
  expect(result.latencies).toEqual({ min: 0, mean: 0, max: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0, p9999: 0 });
  expect([result.rate, result.errorPercent, result.failures]).toEqual([0, 0, 0]);
});

test("a latency beyond all measure counts as the longest there is", () => {
  const result = new Result(scenarioOf("x", { target }));
  result.add(measured([1e12, -5]));
  expect(result.latencies.max).toBeGreaterThan(4_290_000);
  expect(result.latencies.min).toBe(0);
});
