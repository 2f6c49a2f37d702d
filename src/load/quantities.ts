/** Figures of a load as people read them. */

/** @example formatTime(0.1234) // "123us" */
export function formatTime(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 0.9995) return `${Math.round(ms * 1_000)}us`;
  if (ms < 999.5) return `${digits(ms)}ms`;
  return `${digits(ms / 1_000)}s`;
}

/** @example formatCount(1_234_567) // "1,234,567" */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** @example formatPercent(0.04567) // "0.05%" */
export function formatPercent(percent: number): string {
  if (percent > 0 && percent < 0.01) return "<0.01%";
  if (percent < 100 && percent > 99.99) return ">99.99%";
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(2)}%`;
}

/** @example formatSize(8_192) // "8 KiB" */
export function formatSize(bytes: number): string {
  for (const [unit, scale] of [
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    if (bytes >= scale && (bytes * 10) % scale === 0) return `${bytes / scale} ${unit}`;
  }
  return `${bytes} B`;
}

/** Three that mean something. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
