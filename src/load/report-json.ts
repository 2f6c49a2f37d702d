/** The report for programs. What is in it stays; there may be more one day. */
import { formatAddress } from "../net/address.ts";
import type { Outcome } from "./report-text.ts";
import type { Distribution, Result } from "./result.ts";

/** Times are in milliseconds unless their name says otherwise, sizes in bytes. */
export function jsonReport(engine: { readonly mode: string }, outcomes: readonly Outcome[]): unknown {
  return {
    ok: outcomes.every(({ verdicts }) => verdicts.every(({ met }) => met)),
    engine: engine.mode,
    scenarios: outcomes.map(({ result, verdicts }) => ({
      ...settings(result),
      ...figures(result),
      assertions: verdicts.map(({ assertion, actual, met }) => ({ condition: assertion.text, actual, met })),
    })),
  };
}

function settings({ scenario, measured }: Result) {
  return {
    name: scenario.name,
    target: formatAddress(scenario.target),
    connections: scenario.connections,
    message_size: scenario.messageSize,
    rate_wanted: scenario.rate,
    reconnect: scenario.reconnect,
    verify: scenario.verify,
    duration_ms: measured,
    warmup_ms: scenario.warmup,
    ramp_ms: scenario.ramp,
  };
}

function figures(result: Result) {
  return {
    requests: result.requests,
    requests_per_second: round(result.rate),
    bytes: result.bytes,
    failed: result.failures,
    error_percent: round(result.errorPercent),
    errors: result.errors,
    latency_ms: times(result.latencies),
    from_sending_ms: result.services && times(result.services),
    latency_hdr_us: result.encoded,
    seconds: result.seconds,
  };
}

function times({ p999, p9999, ...rest }: Distribution) {
  return { ...rest, "p99.9": p999, "p99.99": p9999, mean: round(rest.mean) };
}

function round(value: number): number {
  return Number(value.toFixed(4));
}
