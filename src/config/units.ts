/**
 * Durations and sizes as people write them: `250ms`, `1.5s`, `10m`; `64KiB`, `1MB`, `512`.
 */
import { UsageError } from "../net/errors.ts";
import { RETRIES_MAX } from "./config.ts";

/** The longest duration, milliseconds: timers of all runtimes count in 31 bits. */
export const MAX_DURATION = 2_147_483_647;

/** Bounds of a buffer, bytes. */
const MIN_BUFFER = 1_024;
const MAX_BUFFER = 1_073_741_824;

const DURATION_UNITS: Units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const SIZE_UNITS: Units = {
  B: 1,
  KB: 1_000,
  MB: 1_000_000,
  GB: 1_000_000_000,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

/**
 * Reads a duration: one number, with decimals or without, and one unit out of ms, s, m, h and d. Zero needs
 * no unit.
 *
 * @example parseDuration("1.5s") // 1500
 * @returns whole milliseconds, 0 to {@link MAX_DURATION}
 * @throws {UsageError} `EDURATION`, naming the text, what is wrong with it and what to write instead.
 */
export function parseDuration(text: string): number {
  const fail = (why: string): never => {
    throw new UsageError("EDURATION", `Cannot parse duration "${text}": ${why}`);
  };
  if (text.startsWith("-")) return fail("it is negative");
  const { amount, unit } = split(text) ?? fail('write a number and a unit (ms, s, m, h, d), such as "5s" or "1.5h"');
  if (unit === "" && Number(amount) === 0) return 0;
  if (unit === "") return fail(`the unit is missing; write "${amount}s" or "${amount}ms"`);
  const scale = scaleOf(DURATION_UNITS, unit) ?? fail(`the unit "${unit}" is unknown; use ms, s, m, h or d`);
  const duration = product(amount, scale) ?? fail("it is not a whole number of milliseconds");
  if (duration > MAX_DURATION) return fail('it is too long; the most is "24d"');
  return duration;
}

/**
 * Reads a duration that can be switched off: `off` is another way to write `0s`.
 *
 * @example parseDurationOrOff("off") // 0
 * @returns whole milliseconds, 0 to {@link MAX_DURATION}
 * @throws {UsageError} `EDURATION`
 */
export function parseDurationOrOff(text: string): number {
  return text === "off" ? 0 : parseDuration(text);
}

/**
 * Reads a duration that makes no sense as zero: a pause, or the time for an answer.
 *
 * @returns whole milliseconds, 1 to {@link MAX_DURATION}
 * @throws {UsageError} `EDURATION`
 */
export function parsePeriod(text: string): number {
  const duration = parseDuration(text);
  if (duration > 0) return duration;
  throw new UsageError("EDURATION", `Cannot parse duration "${text}": it is zero; write more, such as "1s"`);
}

/**
 * Writes milliseconds in the largest unit that needs no decimals; {@link parseDuration} reads it back.
 *
 * @example formatDuration(90_000) // "90s"
 */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  for (const [unit, scale] of Object.entries(DURATION_UNITS).reverse()) {
    if (ms % scale === 0) return `${ms / scale}${unit}`;
  }
  return `${ms}ms`;
}

/**
 * Reads a size: one number and one unit, KB, MB and GB counting in thousands, KiB, MiB and GiB in 1024s. A
 * number alone, or with B, is bytes.
 *
 * @example parseSize("64KiB") // 65536
 * @returns whole bytes
 * @throws {UsageError} `ESIZE`, naming the text, what is wrong with it and what to write instead.
 */
export function parseSize(text: string): number {
  const fail = sizeError(text);
  if (text.startsWith("-")) return fail("it is negative");
  const { amount, unit } = split(text) ?? fail('write a number and a unit, such as "64KiB" or "1MB"');
  const scale =
    scaleOf(SIZE_UNITS, unit || "B") ??
    fail(`the unit "${unit}" is unknown; use B, KB, MB, GB (thousands) or KiB, MiB, GiB (1024s)`);
  const size = product(amount, scale) ?? fail("it is not a whole number of bytes");
  if (!Number.isSafeInteger(size)) return fail("it is too large");
  return size;
}

/**
 * Reads a limit of bytes: `off` is another way to write `0`, and what is neither is at least `least`.
 *
 * @example parseSizeOrOff("off") // 0
 * @returns whole bytes
 * @throws {UsageError} `ESIZE`
 */
export function parseSizeOrOff(text: string, least = 0): number {
  const size = text === "off" ? 0 : parseSize(text);
  if (size === 0 || size >= least) return size;
  return sizeError(text)(`it is too small; use ${least}B or more, or "off"`);
}

/**
 * Reads the size of a buffer.
 *
 * @example parseBuffer("256KiB") // 262144
 * @returns bytes, 1 KiB to 1 GiB
 * @throws {UsageError} `ESIZE`
 */
export function parseBuffer(text: string): number {
  const size = parseSize(text);
  if (size < MIN_BUFFER) return sizeError(text)("it is too small for a buffer; use 1KiB to 1GiB");
  if (size > MAX_BUFFER) return sizeError(text)("it is too large for a buffer; use 1KiB to 1GiB");
  return size;
}

const WORKERS_MAX = 256;

/**
 * Reads a number of threads, or "auto".
 *
 * @returns 1 to 256, or "auto"
 * @throws {UsageError} `EWORKERS`
 */
export function parseWorkers(text: string): number | "auto" {
  if (text === "auto") return "auto";
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= WORKERS_MAX) return count;
  throw new UsageError(
    "EWORKERS",
    `Cannot use "${text}" as the number of workers: write 1 to ${WORKERS_MAX}, or "auto"`,
  );
}

/**
 * Reads a number of further attempts, 0 to {@link RETRIES_MAX}.
 *
 * @throws {UsageError} `ERETRIES`
 */
export function parseRetries(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= RETRIES_MAX) return count;
  throw new UsageError("ERETRIES", `Cannot use "${text}" as the number of retries: write 0 to ${RETRIES_MAX}`);
}

/** Any number of things that there can be in one process. */
export const COUNT_MAX = 1_000_000;

/**
 * Reads a number of connections, or of anything else.
 *
 * @returns `least` to `most`
 * @throws {UsageError} `ECOUNT`
 */
export function parseCount(text: string, least = 0, most = COUNT_MAX): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= least && count <= most) return count;
  throw new UsageError("ECOUNT", `expected a whole number from ${least} to ${most}, found "${text}"`);
}

/**
 * Reads how many times as fast as recorded something is to happen; `max` is as fast as can be.
 *
 * @example parseSpeed("2.5") // 2.5
 * @returns 0 for `max`, else more than that
 * @throws {UsageError} `ESPEED`
 */
export function parseSpeed(text: string): number {
  if (text === "max") return 0;
  const speed = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && speed > 0) return speed;
  throw new UsageError(
    "ESPEED",
    `Cannot use "${text}" as the speed: write a number above 0, such as 2 or 0.5, or "max"`,
  );
}

type Units = Readonly<Record<string, number>>;

function sizeError(text: string): (why: string) => never {
  return (why) => {
    throw new UsageError("ESIZE", `Cannot parse size "${text}": ${why}`);
  };
}

function split(text: string): { amount: string; unit: string } | undefined {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text);
  return match ? { amount: match[1] ?? "", unit: match[2] ?? "" } : undefined;
}

function scaleOf(units: Units, unit: string): number | undefined {
  return Object.hasOwn(units, unit) ? units[unit] : undefined;
}

/** Undefined unless whole. 4.35 * 100 is 434.99999999999994, so a thousandth does not count. */
function product(amount: string, scale: number): number | undefined {
  const exact = Number(amount) * scale;
  const whole = Math.round(exact);
  // Infinity - Infinity is NaN, which passes on to the check for the range.
  if (Math.abs(exact - whole) > 0.001 || (whole === 0 && Number(amount) !== 0)) return undefined;
  return whole;
}
