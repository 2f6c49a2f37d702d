/**
 * When clients are let in: windows of time as people write them, `Mon-Fri 08:00-18:00 Europe/Berlin`, by the clock that
 * hangs on the wall in that zone.
 */
import { UsageError } from "../net/errors.ts";
import type { Verdict } from "./access.ts";

/** Plain data: it is copied between threads with structuredClone. */
export interface Window {
  /** Canonical, always with the zone: {@link parseWindow} reads the same window from it. */
  readonly text: string;
  /** On which it begins, ascending; 0 is Monday. */
  readonly days: readonly number[];
  /** Minutes after midnight, 0 to 1439. */
  readonly from: number;
  /** Minutes after midnight, 1 to 1440, itself no longer in the window; less than `from`: of the next day. */
  readonly to: number;
  readonly zone: string;
}

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTES_A_DAY = 1_440;
const MINUTE = 60_000;

type Fail = (why: string) => never;

/**
 * Reads a window: days, times and a zone, of which either the days or the times may be left out (every day, the whole
 * day), and the zone always may: it is then the machine's own, as it is now. A window that crosses midnight belongs to
 * the day it begins on.
 *
 * @example parseWindow("fri-mon,wed 22:00-06:00 UTC").text // "Wed,Fri-Mon 22:00-06:00 UTC"
 * @throws {UsageError} `ESCHEDULE`, naming the text, what is wrong with it and what to write instead.
 */
export function parseWindow(text: string): Window {
  const fail: Fail = (why) => {
    throw new UsageError("ESCHEDULE", `Cannot parse schedule "${text}": ${why}`);
  };
  const words = text.trim().split(/\s+/);
  const list = startsWithDigit(words[0]) ? undefined : words.shift();
  const times = startsWithDigit(words[0]) ? words.shift() : undefined;
  const place = words.shift();
  if ((!list && !times) || words.length > 0) {
    fail('write days, times and a zone with a space between, such as "Mon-Fri 08:00-18:00 Europe/Berlin"');
  }
  const days = parseDays(list ?? "Mon-Sun", fail);
  const { from, to } = parseTimes(times ?? "00:00-24:00", fail);
  const zone = place === undefined ? ownZone(fail) : parseZone(place, fail);
  const parts = [formatDays(days), `${formatTime(from)}-${formatTime(to)}`, zone];
  return { text: parts.filter((part) => part !== "").join(" "), days, from, to, zone };
}

/**
 * The windows of one proxy, any of which lets clients in.
 *
 * What the clock on the wall shows decides, and nothing else. Where clocks go forward, a window that should begin within
 * the time left out begins right after it, one that should end there ends right before it, and one that lies within it
 * stays shut that day. Where they go back, what the clock shows twice is judged alike both times: `02:30-18:00` opens at
 * the first 02:30, is shut again while the clock shows 02:00 to 02:29 for the second time, and opens at the second 02:30;
 * `08:00-02:30` ends at the last 02:30 but pauses from the first one until the clock is put back.
 */
export class Schedule {
  readonly #windows: readonly { window: Window; clock: Intl.DateTimeFormat; open: Verdict }[];
  readonly #shut: Verdict;
  /** What `#verdict` is about, minutes since 1970 UTC; at first no minute equals it. */
  #minute = Number.NaN;
  #verdict: Verdict;

  constructor(windows: readonly Window[]) {
    const clocks = new Map(windows.map(({ zone }) => [zone, wallClock(zone)]));
    this.#windows = windows.map((window) => ({
      window,
      clock: clocks.get(window.zone) as Intl.DateTimeFormat,
      open: { allowed: true, rule: `schedule ${window.text}` },
    }));
    this.#shut = this.active
      ? { allowed: false, rule: "schedule: no window is open" }
      : { allowed: true, rule: "schedule: there are no windows" };
    this.#verdict = this.#shut;
  }

  /** There are windows at all. */
  get active(): boolean {
    return this.#windows.length > 0;
  }

  /**
   * Of several open windows the first is named; without any windows everybody is let in. Clocks show whole minutes
   * and zones are whole minutes apart, so that a verdict holds for a minute: Intl takes microseconds per zone, too long
   * to be asked for every connection.
   *
   * @param at milliseconds since 1970 UTC, forward or backward from the last ones
   */
  judge(at: number): Verdict {
    const minute = Math.floor(at / MINUTE);
    if (minute !== this.#minute) {
      this.#verdict = this.#judgeMinute(minute);
      this.#minute = minute;
    }
    return this.#verdict;
  }

  #judgeMinute(minute: number): Verdict {
    const shown = new Map<Intl.DateTimeFormat, WallTime>();
    for (const { window, clock, open } of this.#windows) {
      const time = shown.get(clock) ?? readClock(clock, minute * MINUTE);
      shown.set(clock, time);
      if (holds(window, time)) return open;
    }
    return this.#shut;
  }
}

/** What a clock with a calendar shows. */
interface WallTime {
  /** 0 is Monday. */
  readonly day: number;
  /** Minutes after midnight. */
  readonly minute: number;
}

function startsWithDigit(word: string | undefined): boolean {
  return word !== undefined && /^\d/.test(word);
}

function parseDays(list: string, fail: Fail): number[] {
  const days = new Set<number>();
  for (const part of list.split(",")) {
    const [first = "", last, extra] = part.split("-");
    if (extra !== undefined) fail(`"${part}" is no range of days; write one such as Mon-Fri`);
    const begin = parseDay(first, fail);
    const end = last === undefined ? begin : parseDay(last, fail);
    // One day or eight: both readings are as good.
    if (last !== undefined && begin === end) fail(`"${part}" begins and ends on one day; write "${DAYS[begin]}"`);
    for (let day = begin; day !== end; day = (day + 1) % 7) days.add(day);
    days.add(end);
  }
  return [...days].sort((a, b) => a - b);
}

function parseDay(name: string, fail: Fail): number {
  const day = DAYS.findIndex((each) => each.toLowerCase() === name.toLowerCase());
  return day >= 0 ? day : fail(`the day "${name}" is unknown; use Mon, Tue, Wed, Thu, Fri, Sat or Sun`);
}

function parseTimes(text: string, fail: Fail): { from: number; to: number } {
  const [, begin = "", end = ""] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (begin === "") fail(`the times "${text}" are not HH:MM-HH:MM; write them such as 08:00-18:00`);
  const from = parseTime(begin, fail);
  const to = parseTime(end, fail);
  if (from === to) fail(`it begins and ends at ${begin}; write 00:00-24:00 for the whole day`);
  if (from === MINUTES_A_DAY) fail("it begins at 24:00, which is the next day; write 00:00 and that day");
  return { from, to: to === 0 ? MINUTES_A_DAY : to };
}

function parseTime(text: string, fail: Fail): number {
  const [hours = 0, minutes = 0] = text.split(":").map(Number);
  const time = hours * 60 + minutes;
  return minutes < 60 && time <= MINUTES_A_DAY ? time : fail(`there is no time ${text}; use 00:00 to 24:00`);
}

/** On V8 the machine's zone is undefined or "Etc/Unknown" if TZ is a path, empty or unknown; Bun says UTC. */
function ownZone(fail: Fail): string {
  const zone: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = zone === undefined ? undefined : knownZone(zone);
  return known ?? fail("this machine does not say in which zone it is; write the zone, such as Europe/Berlin or UTC");
}

function parseZone(name: string, fail: Fail): string {
  return knownZone(name) ?? fail(`the zone "${name}" is unknown; write one such as Europe/Berlin or UTC`);
}

/** Undefined if there is none. Only the case is put right: V8 would make America/Panama of EST, Bun keeps it. */
function knownZone(name: string): string | undefined {
  // Of offsets such as +02:00 Node 20 knows nothing.
  if (!/^[a-z]/i.test(name)) return undefined;
  try {
    const { timeZone } = wallClock(name).resolvedOptions();
    return timeZone.toLowerCase() === name.toLowerCase() ? timeZone : name;
  } catch {
    return undefined;
  }
}

function wallClock(timeZone: string): Intl.DateTimeFormat {
  // Of all locales this one is in every build of every runtime. `hour12: false` would call midnight 24:00.
  return new Intl.DateTimeFormat("en-US", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

/** Runs of three days and more become ranges, past the end of the week too. Empty for every day. */
function formatDays(days: readonly number[]): string {
  if (days.length === 7) return "";
  const chosen = (day: number) => days.includes((day + 7) % 7);
  const runs = days
    .filter((day) => !chosen(day - 1))
    .map((first) => {
      let length = 1;
      while (chosen(first + length)) length++;
      const names = Array.from({ length }, (_, at) => DAYS[(first + at) % 7]);
      return length < 3 ? names.join(",") : `${names[0]}-${names[length - 1]}`;
    });
  return runs.join(",");
}

function formatTime(time: number): string {
  return [Math.floor(time / 60), time % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

function readClock(clock: Intl.DateTimeFormat, at: number): WallTime {
  const parts = clock.formatToParts(at);
  const shown = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return { day: DAYS.indexOf(shown("weekday")), minute: Number(shown("hour")) * 60 + Number(shown("minute")) };
}

function holds({ days, from, to }: Window, { day, minute }: WallTime): boolean {
  if (from < to) return days.includes(day) && minute >= from && minute < to;
  const dayBefore = (day + 6) % 7;
  return (days.includes(day) && minute >= from) || (days.includes(dayBefore) && minute < to);
}
