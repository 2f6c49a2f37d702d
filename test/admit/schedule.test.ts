/** Windows of time: how they are read and refused, and when they are open, most of all when clocks are put right. */
import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import fc from "fast-check";
import { parseWindow, Schedule, type Window } from "../../src/admit/schedule.ts";

const NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTE = 60_000;

afterEach(() => mock.restore());

describe("parseWindow", () => {
  test.each([
    ["  mon-FRI  08:00-18:00\teurope/berlin ", "Mon-Fri 08:00-18:00 Europe/Berlin"],
    ["22:00-06:00 utc", "22:00-06:00 UTC"],
    ["Mon-Sun 22:00-06:00 UTC", "22:00-06:00 UTC"],
    ["00:00-24:00 UTC", "00:00-24:00 UTC"],
    ["18:00-00:00 UTC", "18:00-24:00 UTC"],
    ["Sat,Sun UTC", "Sat,Sun 00:00-24:00 UTC"],
    ["Fri-Mon UTC", "Fri-Mon 00:00-24:00 UTC"],
    ["Mon,Sun,Sat,Sat,Wed UTC", "Wed,Sat-Mon 00:00-24:00 UTC"],
    ["Sun-Mon,Wed-Thu UTC", "Wed,Thu,Sun,Mon 00:00-24:00 UTC"],
    ["Tue-Mon UTC", "00:00-24:00 UTC"],
    ["Mon EST", "Mon 00:00-24:00 EST"],
  ])("reads %p as %p", (text, canonical) => {
    expect(parseWindow(text).text).toBe(canonical);
    expect(parseWindow(canonical)).toEqual(parseWindow(text));
  });

  test("gives plain data that a thread can be sent", () => {
    const text = "Fri-Mon 22:00-06:30 Asia/Kolkata";
    const window = { text, days: [0, 4, 5, 6], from: 1_320, to: 390, zone: "Asia/Kolkata" };
    expect(structuredClone(parseWindow(text))).toEqual(window);
  });

  test("keeps the machine's own zone, as it was when the text was read", () => {
    machineIsIn("Asia/Tokyo");
    expect(parseWindow("Sat,Sun")).toMatchObject({ text: "Sat,Sun 00:00-24:00 Asia/Tokyo", zone: "Asia/Tokyo" });
  });

  test.each([undefined, "Etc/Unknown"])("asks for the zone if the machine's own is %p", (own) => {
    machineIsIn(own);
    const why = "this machine does not say in which zone it is; write the zone, such as Europe/Berlin or UTC";
    expectRefusal("Mon-Fri", why);
  });

  const form = 'write days, times and a zone with a space between, such as "Mon-Fri 08:00-18:00 Europe/Berlin"';
  const days = "use Mon, Tue, Wed, Thu, Fri, Sat or Sun";
  const zone = "write one such as Europe/Berlin or UTC";
  const times = "are not HH:MM-HH:MM; write them such as 08:00-18:00";
  test.each([
    ["", form],
    ["Mon 08:00-18:00 UTC UTC", form],
    ["Mon 08:00 - 18:00 UTC", form],
    ["Mon 08:00 -18:00", `the times "08:00" ${times}`],
    ["Monday 08:00-18:00", `the day "Monday" is unknown; ${days}`],
    ["UTC", `the day "UTC" is unknown; ${days}`],
    ["Sat, 08:00-18:00", `the day "" is unknown; ${days}`],
    ["Mon- 08:00-18:00", `the day "" is unknown; ${days}`],
    ["Mon-Wed-Fri", '"Mon-Wed-Fri" is no range of days; write one such as Mon-Fri'],
    ["Tue,mon-Mon", '"mon-Mon" begins and ends on one day; write "Mon"'],
    ["8:00-18:00", `the times "8:00-18:00" ${times}`],
    ["Mon 08:00-18:00Z", `the times "08:00-18:00Z" ${times}`],
    ["08:00-24:01", "there is no time 24:01; use 00:00 to 24:00"],
    ["08:60-18:00", "there is no time 08:60; use 00:00 to 24:00"],
    ["08:00-08:00", "it begins and ends at 08:00; write 00:00-24:00 for the whole day"],
    ["24:00-08:00", "it begins at 24:00, which is the next day; write 00:00 and that day"],
    ["Mon 08:00-18:00 Mars/Olympus", `the zone "Mars/Olympus" is unknown; ${zone}`],
    ["Mon 08:00-18:00 +02:00", `the zone "+02:00" is unknown; ${zone}`],
    ["08:00-18:00 Mon", `the zone "Mon" is unknown; ${zone}`],
  ])("refuses %p and says why", expectRefusal);

  test("throws nothing but UsageError, whatever the text", () => {
    const piece = fc.constantFrom(...NAMES, "-", ",", " ", "08:00", "24:00", ":", "UTC", "Etc/", "1", "é");
    const text = fc.oneof(fc.string(), fc.string({ unit: piece }));
    fc.assert(
      fc.property(text, (each) => {
        try {
          parseWindow(each);
        } catch (error) {
          expect(error).toMatchObject({ name: "UsageError", code: "ESCHEDULE" });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Each row: the windows, a day in UTC, and what happens on it, to the minute. 2024-01-01 is a Monday. */
describe("opens and shuts", () => {
  test.each([
    ["on its days", "Mon-Fri 08:00-18:00 UTC", "2024-01-05", "08:00 opens, 18:00 shuts"],
    ["on no other days", "Mon-Fri 08:00-18:00 UTC", "2024-01-06", ""],
    ["at the midnight after a day", "Sat UTC", "2024-01-07", "00:00 shuts"],
    ["on days past the end of the week", "Sun-Tue 08:00-18:00 UTC", "2024-01-01", "08:00 opens, 18:00 shuts"],
    ["in the night after its day", "Sun 22:00-06:00 UTC", "2024-01-07", "22:00 opens"],
    ["on Monday if it began on Sunday", "Sun 22:00-06:00 UTC", "2024-01-08", "06:00 shuts"],
    ["after all windows that meet", "08:00-12:00 UTC & 11:00-13:00 UTC", "2024-01-01", "08:00 opens, 13:00 shuts"],
    ["by half-hour zones", "09:00-10:00 Asia/Kathmandu", "2024-01-01", "03:15 opens, 04:15 shuts"],
    ["by each zone", "05:00-06:00 UTC & 13:00-14:00 Asia/Tokyo", "2024-01-01", "04:00 opens, 06:00 shuts"],
    ["on the zone's own weekday", "Tue 08:00-10:00 Asia/Tokyo", "2024-01-01", "23:00 opens"],
  ])("%s", expectChanges);
});

describe("when clocks go forward, a window", () => {
  // At 01:00 UTC 02:00 becomes 03:00.
  const day = "2024-03-31";
  test.each([
    ["follows the clock", "01:30-08:00 Europe/Berlin", day, "00:30 opens, 06:00 shuts, 23:30 opens"],
    ["begins right after the gap", "02:30-18:00 Europe/Berlin", day, "01:00 opens, 16:00 shuts"],
    ["ends right before the gap", "Sat 23:00-02:30 Europe/Berlin", day, "01:00 shuts"],
    ["that is within the gap stays shut", "02:10-02:50 Europe/Berlin", day, ""],
    ["begins late in New York", "02:30-18:00 America/New_York", "2024-03-10", "07:00 opens, 22:00 shuts"],
    ["begins late on Lord Howe", "02:15-09:00 Australia/Lord_Howe", "2024-10-05", "15:30 opens, 22:00 shuts"],
    ["begins late where midnight is left out", "Fri 00:00-09:00 Africa/Cairo", "2024-04-25", "22:00 opens"],
  ])("%s", expectChanges);
});

describe("when clocks go back, a window", () => {
  // At 01:00 UTC 03:00 becomes 02:00.
  const day = "2024-10-27";
  const [twice, first, last] = ["02:10-02:50", "02:30-18:00", "Sat 08:00-02:30"];
  test.each([
    ["follows the clock", "01:30-08:00 Europe/Berlin", day, "07:00 shuts"],
    ["lasts through the hour that comes twice", "02:00-03:00 Europe/Berlin", day, "00:00 opens, 02:00 shuts"],
    [
      "begins at the first, pauses",
      `${first} Europe/Berlin`,
      day,
      "00:30 opens, 01:00 shuts, 01:30 opens, 17:00 shuts",
    ],
    ["pauses, ends at the last", `${last} Europe/Berlin`, day, "00:30 shuts, 01:00 opens, 01:30 shuts"],
    ["comes twice", `${twice} Europe/Berlin`, day, "00:10 opens, 00:50 shuts, 01:10 opens, 01:50 shuts"],
    ["lasts longer in New York", "01:00-02:00 America/New_York", "2024-11-03", "05:00 opens, 07:00 shuts"],
    ["lasts longer on Lord Howe", "01:30-02:00 Australia/Lord_Howe", "2024-04-06", "14:30 opens, 15:30 shuts"],
  ])("%s", expectChanges);
});

describe("Schedule", () => {
  const open = { allowed: true, rule: "schedule Mon 08:00-18:00 UTC" };
  const shut = { allowed: false, rule: "schedule: no window is open" };
  const begin = Date.parse("2024-01-01T08:00Z");
  const end = Date.parse("2024-01-01T18:00Z");

  test("names the first window that is open", () => {
    const schedule = new Schedule(["Tue UTC", "Mon 08:00-18:00 UTC", "Mon UTC"].map(parseWindow));
    expect(schedule.active).toBe(true);
    expect(schedule.judge(begin)).toEqual(open);
    expect(schedule.judge(end)).toEqual({ allowed: true, rule: "schedule Mon 00:00-24:00 UTC" });
    expect(schedule.judge(begin - 86_400_000)).toEqual(shut);
  });

  test("lets everybody in without windows, as rules do", () => {
    const schedule = new Schedule([]);
    expect(schedule.active).toBe(false);
    expect(schedule.judge(0)).toEqual({ allowed: true, rule: "schedule: there are no windows" });
  });

  test("turns to the millisecond, forward and backward", () => {
    const schedule = new Schedule([parseWindow("Mon 08:00-18:00 UTC")]);
    for (const at of [begin, end - 1, begin + 0.5]) {
      expect(schedule.judge(at)).toEqual(open);
      for (const outside of [end, begin - 1, begin - 0.5]) expect(schedule.judge(outside)).toEqual(shut);
    }
  });

  test("asks Intl once per minute and zone, not for each client", () => {
    const texts = ["Tue UTC", "Wed UTC", "Tue Asia/Tokyo"];
    const schedule = new Schedule(texts.map(parseWindow));
    const asked = spyOn(Intl.DateTimeFormat.prototype, "formatToParts");
    for (let at = begin; at < begin + 3 * MINUTE; at += 100) schedule.judge(at);
    expect(asked).toHaveBeenCalledTimes(3 * 2);
  });

  test("agrees with the calendar of the zone, at any time and in any order", () => {
    fc.assert(
      fc.property(fc.array(windows(), { maxLength: 3, minLength: 1 }), fc.array(instants()), (list, times) => {
        const schedule = new Schedule(list);
        for (const at of times) {
          const first = list.find((window) => isOpen(window, at));
          expect(schedule.judge(at)).toEqual(first ? { allowed: true, rule: `schedule ${first.text}` } : shut);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

function windows(): fc.Arbitrary<Window> {
  const zone = fc.constantFrom(
    ...["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "America/St_Johns"],
    ...["Asia/Kathmandu", "Pacific/Chatham", "Africa/Casablanca", "Antarctica/Troll", "Pacific/Apia"],
  );
  const days = fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 });
  const times = fc.tuple(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 1, max: 1_440 }));
  return fc.tuple(days, times, zone).map(([chosen, [from, to], where]) => {
    const end = from === to ? from + 1 : to;
    const text = `${chosen.map((day) => NAMES[day]).join(",")} ${clock(from)}-${clock(end)} ${where}`;
    const window = parseWindow(text);
    expect(window).toMatchObject({ days: chosen, from, to: end, zone: where });
    expect(parseWindow(window.text)).toEqual(window);
    return window;
  });
}

function clock(time: number): string {
  return `${String(Math.floor(time / 60)).padStart(2, "0")}:${String(time % 60).padStart(2, "0")}`;
}

/** Also around the nights in which clocks were put right, and the day that Apia left out. */
function instants(): fc.Arbitrary<number> {
  const hours = ["2024-03-31T01", "2024-10-27T01", "2024-11-03T05", "2024-04-06T15", "2011-12-30T10"];
  const change = fc.constantFrom(...hours.map((hour) => Date.parse(`${hour}:00Z`)));
  const near = fc.tuple(change, fc.integer({ min: -7_200_000, max: 7_200_000 })).map(([at, ms]) => at + ms);
  return fc.oneof(near, fc.integer({ min: Date.parse("1973-01-01"), max: Date.parse("2037-01-01") }));
}

/** Spells out the windows that begin on the calendar's day and on the day before it. */
function isOpen({ days, from, to, zone }: Window, at: number): boolean {
  const shown = new Date(at).toLocaleString("sv-SE", { timeZone: zone });
  const wall = Date.parse(`${shown.replace(" ", "T")}Z`);
  const midnight = wall - (wall % 86_400_000);
  return [midnight, midnight - 86_400_000].some((day) => {
    const begin = day + from * MINUTE;
    const end = day + (to < from ? to + 1_440 : to) * MINUTE;
    return days.includes((new Date(day).getUTCDay() + 6) % 7) && wall >= begin && wall < end;
  });
}

function expectChanges(_: string, texts: string, date: string, changes: string): void {
  const schedule = new Schedule(texts.split(" & ").map(parseWindow));
  const midnight = Date.parse(date);
  const seen: string[] = [];
  for (let minute = 0; minute < 1_440; minute++) {
    const at = midnight + minute * MINUTE;
    const [before, now] = [at - 1, at].map((each) => schedule.judge(each).allowed);
    if (before !== now) seen.push(`${clock(minute)} ${now ? "opens" : "shuts"}`);
  }
  expect(seen.join(", ")).toBe(changes);
}

function expectRefusal(text: string, why: string): void {
  const message = `Cannot parse schedule "${text}": ${why}`;
  expect(() => parseWindow(text)).toThrow(expect.objectContaining({ name: "UsageError", code: "ESCHEDULE", message }));
}

function machineIsIn(zone: string | undefined): void {
  const options = { ...new Intl.DateTimeFormat().resolvedOptions(), timeZone: zone as string };
  spyOn(Intl.DateTimeFormat.prototype, "resolvedOptions").mockReturnValue(options);
}
