/** The report for people, as text. */
import { explain } from "../net/errors.ts";
import { type Verdict, verdictLine } from "./assertion.ts";
import { formatCount, formatPercent, formatSize, formatTime } from "./quantities.ts";
import type { Result } from "./result.ts";

export interface Outcome {
  readonly result: Result;
  readonly verdicts: readonly Verdict[];
}

const HEADER = ["scenario", "clients", "size", "requests", "requests/s", "p50", "p95", "p99", "error %"];
const FURTHER = ["p99.9", "p99.99", "max"];

/** A table with a line for each scenario, and behind it what there is to be said of single ones. */
export function textReport(outcomes: readonly Outcome[]): string[] {
  const rows = [[...HEADER, ...FURTHER], ...outcomes.map(({ result }) => row(result))];
  return [...aligned(rows), ...outcomes.flatMap(({ result, verdicts }) => remarks(result, verdicts))];
}

function row(result: Result): string[] {
  const { scenario, requests, rate, errorPercent, latencies } = result;
  const times = ({ p50, p95, p99, p999, p9999, max }: typeof latencies) => [p50, p95, p99, p999, p9999, max];
  const [p50 = "", p95 = "", p99 = "", ...further] = times(latencies).map((ms) =>
    requests > 0 ? formatTime(ms) : "-",
  );
  return [
    scenario.name,
    formatCount(scenario.connections),
    formatSize(scenario.messageSize),
    formatCount(requests),
    formatCount(rate),
    ...[p50, p95, p99],
    formatPercent(errorPercent),
    ...further,
  ];
}

function remarks(result: Result, verdicts: readonly Verdict[]): string[] {
  const { scenario, errors, failures, services, measured } = result;
  const lines: string[] = [];
  if (measured < scenario.duration) lines.push(`ended after ${formatTime(measured)}`);
  if (services && result.requests > 0) {
    const { p50, p99 } = services;
    const since = `latencies count from when a request was due; from when it was sent: p50 ${formatTime(p50)}, p99 ${formatTime(p99)}`;
    lines.push(`${formatCount(scenario.rate ?? 0)}/s wanted; ${since}`);
  }
  if (failures > 0) {
    const each = Object.entries(errors).map(([code, count]) => `${formatCount(count)} ${troubleWords(code)}`);
    lines.push(`${formatCount(failures)} failed: ${each.join(", ")}`);
  }
  for (const verdict of verdicts) lines.push(`${verdict.met ? "met" : "NOT MET"}: ${verdictLine(verdict)}`);
  return lines.map((line) => `${scenario.name}: ${line}`);
}

const TROUBLES: Readonly<Record<string, string>> = {
  timeout: "without a reply in time",
  mismatch: "with another reply than was expected",
  closed: "closed by the target",
  unfinished: "unanswered at the end",
};

/** What a failed request is called. */
export function troubleWords(code: string): string {
  return TROUBLES[code] ?? `${explain(code)} (${code})`;
}

/** The first column to the left, all others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
}
