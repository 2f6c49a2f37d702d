/** How often something may happen, as people write it: `20/s`, `600/m`, `0.5/s`. */
import { UsageError } from "../net/errors.ts";

export interface Rate {
  /** As it was written. */
  readonly text: string;
  readonly perSecond: number;
}

/** Above it a limit is none: no machine accepts that many connections. */
const MAX_PER_SECOND = 1_000_000;

/** Seconds in each unit. */
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/**
 * Reads a rate: one number, with decimals or without, a slash and one unit out of s, m and h.
 *
 * @example parseRate("600/m").perSecond // 10
 * @returns above 0, at most {@link MAX_PER_SECOND} per second
 * @throws {UsageError} `ERATE`, naming the text, what is wrong with it and what to write instead.
 */
export function parseRate(text: string): Rate {
  const fail = (why: string): never => {
    throw new UsageError("ERATE", `Cannot parse rate "${text}": ${why}`);
  };
  if (text.startsWith("-")) return fail('it is negative; write one such as "20/s"');
  const match = /^(\d+(?:\.\d+)?)(?:\/([a-z]*))?$/i.exec(text);
  if (!match) return fail('write a number and a unit (s, m, h), such as "20/s" or "600/m"');
  const [, amount = "", unit = ""] = match;
  if (unit === "") return fail(`the unit is missing; write "${amount}/s", "${amount}/m" or "${amount}/h"`);
  const seconds = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (seconds === undefined) return fail(`the unit "${unit}" is unknown; use s, m or h, as in "${amount}/s"`);
  const perSecond = Number(amount) / seconds;
  if (perSecond === 0) return fail('it would let nobody in; write more than 0, such as "20/s" or "0.5/s"');
  if (perSecond > MAX_PER_SECOND) return fail(`it is too high; the most is "${MAX_PER_SECOND}/s"`);
  return { text, perSecond };
}

/** In the first unit of which there is at least one, as people would write it: `20/m`, not `0.3333333333333333/s`. */
export function formatRate(perSecond: number): string {
  const rounded = (rate: number) => Number(rate.toFixed(3));
  if (perSecond >= 1) return `${rounded(perSecond)}/s`;
  return perSecond * 60 >= 1 ? `${rounded(perSecond * 60)}/m` : `${rounded(perSecond * 3_600)}/h`;
}
