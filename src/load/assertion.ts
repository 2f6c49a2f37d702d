/** Conditions that a load has to meet: `p99<5ms`, `errors<=0.1%`, `rate>=10000`. */
import { nearest } from "../config/nearest.ts";
import { UsageError } from "../net/errors.ts";
import { formatCount, formatPercent, formatTime } from "./quantities.ts";
import type { Result } from "./result.ts";

/** Plain data, as it was written. */
export interface Assertion {
  readonly text: string;
  readonly metric: string;
  readonly comparison: "<" | "<=" | ">" | ">=";
  /** Milliseconds, percent, requests or requests a second. */
  readonly limit: number;
  readonly unit: "ms" | "%" | "";
}

export interface Verdict {
  readonly assertion: Assertion;
  readonly actual: number;
  readonly met: boolean;
}

const METRICS = ["p50", "p90", "p95", "p99", "p99.9", "p99.99", "mean", "max", "rate", "requests", "errors"];
const QUANTITIES = { ms: formatTime, "%": formatPercent, "": formatCount } as const;
const MS: Readonly<Record<string, number>> = { us: 0.001, µs: 0.001, ms: 1, s: 1_000, m: 60_000 };

/**
 * Reads a condition: a percentile (`p99`, any number up to `p100`), `mean` or `max` and a time; `rate` and requests a second;
 * `requests` and how many; `errors` and how many, or with `%` their share.
 *
 * @example parseAssertion("p99<5ms") // { metric: "p99", comparison: "<", limit: 5, unit: "ms", … }
 * @throws {UsageError} `EASSERT`, naming the text, what is wrong with it and what to write instead.
 */
export function parseAssertion(text: string): Assertion {
  const fail = (why: string): never => {
    throw new UsageError("EASSERT", `Cannot parse the condition "${text}": ${why}`);
  };
  const form = /^\s*([a-z][a-z0-9.]*)\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*([a-zµ]*|%)\s*$/i;
  const [, name = "", comparison, number, unit = ""] = form.exec(text) ?? fail('write one such as "p99<5ms"');
  const metric = name.toLowerCase();
  const percent = /^p(\d+(?:\.\d+)?)$/.exec(metric)?.[1];
  if (percent === undefined && !METRICS.includes(metric)) {
    const meant = nearest(metric, METRICS);
    fail(`there is no "${name}"; ${meant ? `did you mean "${meant}"?` : `use ${METRICS.join(", ")}`}`);
  }
  if (percent !== undefined && Number(percent) > 100) fail(`"${name}" is more than p100`);
  const common = { text: text.trim(), metric, comparison: comparison as Assertion["comparison"] };
  if (percent !== undefined || metric === "mean" || metric === "max") {
    const factor = MS[unit.toLowerCase()] ?? fail(`"${number}${unit}" is no time; write ${number}ms, or us, s, m`);
    return { ...common, limit: Number(number) * factor, unit: "ms" };
  }
  if (unit === "%" && metric === "errors") return { ...common, limit: Number(number), unit: "%" };
  if (unit !== "") fail(`"${unit}" means nothing behind ${metric}; write a number alone`);
  return { ...common, limit: Number(number), unit: "" };
}

/** Whether a result meets it. One without a single reply meets nothing that is said of times. */
export function judge(assertion: Assertion, result: Result): Verdict {
  const { metric, comparison, limit, unit } = assertion;
  const actual = measured(result, metric, unit);
  const met = { "<": actual < limit, "<=": actual <= limit, ">": actual > limit, ">=": actual >= limit }[comparison];
  return { assertion, actual, met: met && !(unit === "ms" && result.requests === 0) };
}

/** `p99<5ms, measured 7.20ms` */
export function verdictLine({ assertion, actual }: Verdict): string {
  return `${assertion.text}, measured ${QUANTITIES[assertion.unit](actual)}`;
}

function measured(result: Result, metric: string, unit: Assertion["unit"]): number {
  switch (metric) {
    case "rate":
      return result.rate;
    case "requests":
      return result.requests;
    case "errors":
      return unit === "%" ? result.errorPercent : result.failures;
    case "mean":
    case "max":
      return result.latencies[metric];
    default:
      return result.percentile(Number(metric.slice(1)));
  }
}
