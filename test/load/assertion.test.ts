/** Conditions: what is read, what is said about the rest, and who meets them. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { judge, parseAssertion, verdictLine } from "../../src/load/assertion.ts";
import { Result } from "../../src/load/result.ts";
import { scenarioOf } from "../../src/load/scenario.ts";
import { UsageError } from "../../src/net/errors.ts";

test.each([
  ["p99<5ms", "p99", "<", 5, "ms"],
  ["p99.99 <= 1.5s", "p99.99", "<=", 1_500, "ms"],
  ["P50<250us", "p50", "<", 0.25, "ms"],
  ["mean<1ms", "mean", "<", 1, "ms"],
  ["max<=1m", "max", "<=", 60_000, "ms"],
  ["rate>=10000", "rate", ">=", 10_000, ""],
  ["requests>0", "requests", ">", 0, ""],
  ["errors<0.1%", "errors", "<", 0.1, "%"],
  ["errors<=5", "errors", "<=", 5, ""],
])("reads %p", (text, metric, comparison, limit, unit) => {
  expect(parseAssertion(text)).toEqual({ text, metric, comparison, limit, unit } as ReturnType<typeof parseAssertion>);
});

test.each([
  ["", 'write one such as "p99<5ms"'],
  ["p99=5ms", 'write one such as "p99<5ms"'],
  ["p99<5", '"5" is no time; write 5ms, or us, s, m'],
  ["p99<5parsecs", '"5parsecs" is no time; write 5ms, or us, s, m'],
  ["p101<5ms", '"p101" is more than p100'],
  ["ratee>5", 'there is no "ratee"; did you mean "rate"?'],
  ["zzzzzz>5", 'there is no "zzzzzz"; use p50, p90, p95, p99, p99.9, p99.99, mean, max, rate, requests, errors'],
  ["rate>5%", '"%" means nothing behind rate; write a number alone'],
  ["rate>5ms", '"ms" means nothing behind rate; write a number alone'],
])("refuses %p and says why", (text, why) => {
  const error = new UsageError("EASSERT", `Cannot parse the condition "${text}": ${why}`);
  expect(() => parseAssertion(text)).toThrow(error);
});

test("throws nothing but UsageError, whatever the text", () => {
  const piece = fc.constantFrom("p99", "p", "<", "<=", ">", "5", ".", "ms", "%", "errors", " ", "constructor");
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: piece })), (text) => {
      try {
        parseAssertion(text);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ["p99<5ms", false, "p99<5ms, measured 9.01ms"],
  ["p50<5ms", true, "p50<5ms, measured 1.00ms"],
  ["p99.9<=9.01ms", true, "p99.9<=9.01ms, measured 9.01ms"],
  ["rate>=100", true, "rate>=100, measured 100"],
  ["rate>100", false, "rate>100, measured 100"],
  ["errors<=0", false, "errors<=0, measured 25"],
  ["errors<20%", false, "errors<20%, measured 20.00%"],
  ["errors<=20%", true, "errors<=20%, measured 20.00%"],
])("%p is judged by what was measured", (text, met, line) => {
  const target = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
  const result = new Result(scenarioOf("x", { target, duration: 1_000 }));
  const latencies = [1_000, 98, 9_000, 2];
  result.add({
    second: 0,
    requests: 100,
    late: 0,
    bytes: 0,
    errors: { timeout: 25 },
    connections: 1,
    latencies,
    services: [],
  });
  const verdict = judge(parseAssertion(text), result);
  expect(verdict.met).toBe(met);
  expect(verdictLine(verdict)).toBe(line);
});

test("where nothing came back no time was good enough", () => {
  const target = { kind: "tcp", host: "127.0.0.1", port: 1 } as const;
  const result = new Result(scenarioOf("x", { target }));
  expect(judge(parseAssertion("p99<5ms"), result).met).toBe(false);
  expect(judge(parseAssertion("errors<=0"), result).met).toBe(true);
});
