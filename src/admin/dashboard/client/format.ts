/** Figures as people read them. */

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"] as const;

/** Of 1,000 each, as in the log. */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 999.95 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function byteRate(perSecond: number): string {
  return `${bytes(perSecond)}/s`;
}

/** With a comma at each thousand. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Seconds: `8.2 s`, `3 m 20 s`, `5 h 2 m`. */
export function age(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} m`;
}
