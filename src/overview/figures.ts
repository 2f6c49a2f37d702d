/** Figures as people read them in a table: short, and never longer when a figure grows. */
import { formatBytes } from "../metrics/totals.ts";

/** `512B`, `1.5MB`; units of 1,000. */
export function bytes(value: number | null): string {
  return value === null ? "-" : formatBytes(Math.round(value));
}

/** `123456`, `1.2M`. */
export function many(value: number | null): string {
  if (value === null) return "-";
  for (const [unit, scale] of [
    ["T", 1e12],
    ["G", 1e9],
    ["M", 1e6],
  ] as const) {
    if (value >= scale) return `${(value / scale).toFixed(1)}${unit}`;
  }
  return String(Math.round(value));
}

/** Of things that come one by one: `0`, `0.02`, `3.5`, `1200`. */
export function pace(value: number | null): string {
  if (value === null || value >= 10) return many(value);
  if (value >= 0.95) return value.toFixed(1);
  return value > 0 ? value.toFixed(2) : "0";
}

/** `12s`, `3m12s`, `4h05m`, `9d04h`. */
export function age(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)}h${two(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d${two(Math.floor(whole / 3_600) % 24)}h`;
}
