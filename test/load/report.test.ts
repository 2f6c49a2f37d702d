/** Figures, plots and tables as people see them. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { judge, parseAssertion } from "../../src/load/assertion.ts";
import { svgPlot, ticks } from "../../src/load/plot.ts";
import { progressLine } from "../../src/load/progress.ts";
import { formatCount, formatPercent, formatSize, formatTime } from "../../src/load/quantities.ts";
import { htmlReport } from "../../src/load/report-html.ts";
import { textReport } from "../../src/load/report-text.ts";
import { Result } from "../../src/load/result.ts";
import { type Settings, scenarioOf } from "../../src/load/scenario.ts";

function result(settings: Settings = {}): Result {
  const target = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
  return new Result(scenarioOf("baseline", { target, duration: 1_000, ...settings }));
}

test.each([
  [formatTime(0), "0"],
  [formatTime(0.0004), "0us"],
  [formatTime(0.123), "123us"],
  [formatTime(0.9994), "999us"],
  [formatTime(0.9996), "1.00ms"],
  [formatTime(12.34), "12.3ms"],
  [formatTime(999.4), "999ms"],
  [formatTime(999.6), "1.00s"],
  [formatTime(75_000), "75.0s"],
  [formatCount(999.6), "1,000"],
  [formatCount(1_234_567), "1,234,567"],
  [formatPercent(0), "0%"],
  [formatPercent(0.001), "<0.01%"],
  [formatPercent(12.345), "12.35%"],
  [formatPercent(99.999), ">99.99%"],
  [formatPercent(100), "100%"],
  [formatSize(100), "100 B"],
  [formatSize(1_024), "1 KiB"],
  [formatSize(1_025), "1025 B"],
  [formatSize(3 * 2 ** 20), "3 MiB"],
])("%p", (written, expected) => expect(written).toBe(expected));

describe("the table", () => {
  test("is aligned, and says below it what is to be said of single scenarios", () => {
    const one = result({ rate: 100, connections: 5 });
    const sample = { second: 0, late: 0, bytes: 0, connections: 5, services: [900, 90] };
    one.add({ ...sample, requests: 90, errors: { timeout: 8, ECONNRESET: 2 }, latencies: [1_000, 90] });
    one.measured = 500;
    const verdicts = ["errors<5%", "p50<2ms"].map((text) => judge(parseAssertion(text), one));
    expect(
      textReport([
        { result: one, verdicts },
        { result: result(), verdicts: [] },
      ]),
    ).toEqual([
      "scenario  clients   size  requests  requests/s     p50     p95     p99  error %   p99.9  p99.99     max",
      "baseline        5  1 KiB        90         180  1.00ms  1.00ms  1.00ms   10.00%  1.00ms  1.00ms  1.00ms",
      "baseline       10  1 KiB         0           0       -       -       -       0%       -       -       -",
      "baseline: ended after 500ms",
      "baseline: 100/s wanted; latencies count from when a request was due; from when it was sent: p50 900us, p99 900us",
      "baseline: 10 failed: 8 without a reply in time, 2 connection reset by the peer (ECONNRESET)",
      "baseline: NOT MET: errors<5%, measured 10.00%",
      "baseline: met: p50<2ms, measured 1.00ms",
    ]);
  });
});

test("the line that shows how far it is fits into any terminal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.nat(5_000), fc.nat(1_000_000), (columns, elapsed, requests) => {
      const so = result();
      if (requests > 0) {
        const nothing = { late: 0, bytes: 0, errors: { timeout: 3 }, connections: 1, services: [] };
        so.add({ ...nothing, second: 0, requests, latencies: [1_000, requests] });
      }
      expect(progressLine(so, elapsed, { number: 1, of: 2 }, columns).length).toBeLessThanOrEqual(
        Math.max(0, columns - 1),
      );
    }),
  );
  const line = progressLine(result(), 500, { number: 2, of: 7 }, 120);
  expect(line).toBe("[======                  ]  2/7 baseline  beginning  2s left");
});

describe("plots", () => {
  test("have a few round steps, from 0 to what covers all", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (top) => {
        const steps = ticks(top);
        expect(steps[0]).toBe(0);
        expect(steps.length).toBeWithin(3, 9);
        expect(steps.at(-1)).toBeGreaterThanOrEqual(top * 0.999999);
        expect(steps.at(-2)).toBeLessThan(top * 1.000001);
      }),
    );
    expect(ticks(0)).toEqual([0, 1]);
  });

  test("of a single point, and of nothing but zeros, are drawings without nonsense", () => {
    for (const points of [
      [[0, 0]],
      [[0, 5]],
      [
        [0, 0],
        [1, 0],
      ],
    ] as const) {
      const drawn = svgPlot({ title: "x", lines: [{ name: "a", points }], x: { write: String }, y: String });
      expect(drawn).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

test("a page without a single reply says so, and has no plots", () => {
  const failed = result();
  const nothing = { second: 0, requests: 0, late: 0, bytes: 0, connections: 0, latencies: [], services: [] };
  failed.add({ ...nothing, errors: { ECONNREFUSED: 3 } });
  const page = htmlReport({ when: 0, weir: "1" }, [{ result: failed, verdicts: [] }]);
  expect(page).toContain("<p>3 requests failed:</p><ul><li>3 connection refused (ECONNREFUSED)</li></ul>");
  expect(page).not.toContain("<svg");
  expect(page).not.toContain("<script");
});
