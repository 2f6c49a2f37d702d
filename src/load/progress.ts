/** The line that shows how far a load is, while it runs. */
import { formatCount, formatPercent, formatTime } from "./quantities.ts";
import type { Result } from "./result.ts";

const BAR = 24;

/** `elapsed`: milliseconds since the load began. `place`: which scenario of how many. At most `columns` wide. */
export function progressLine(
  { scenario, requests, errorPercent, seconds }: Result,
  elapsed: number,
  place: { readonly number: number; readonly of: number },
  columns: number,
): string {
  const whole = scenario.ramp + scenario.warmup + scenario.duration;
  const share = Math.min(1, elapsed / whole);
  const full = Math.round(BAR * share);
  const last = seconds.findLast((each) => each.requests > 0);
  const figures = last ? `${formatCount(last.requests)}/s, p99 ${formatTime(last.p99)}` : "beginning";
  const text = [
    `[${"=".repeat(full)}${" ".repeat(BAR - full)}]`,
    `${place.number}/${place.of} ${scenario.name}`,
    figures,
    ...(requests > 0 && errorPercent > 0 ? [`errors ${formatPercent(errorPercent)}`] : []),
    `${Math.max(0, Math.round((whole - elapsed) / 1_000))}s left`,
  ].join("  ");
  return text.slice(0, Math.max(0, columns - 1));
}
