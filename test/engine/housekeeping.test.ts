/** When memory is given back: after the start, and when there is quiet after something has gone on. */
import { expect, test } from "bun:test";
import { Housekeeping, MOMENT, QUIET } from "../../src/engine/housekeeping.ts";
import { CELL, Counters } from "../../src/metrics/counters.ts";

/** A proxy to count in, and what was given back when. */
function household() {
  const counters = new Counters("db", "");
  const given: string[] = [];
  let [now, due, busy] = [0, Number.POSITIVE_INFINITY, false];
  let run = () => {};
  const after = (ms: number, then: () => void) => {
    [due, run] = [now + ms, then];
    return { cancel: () => ([due] = [Number.POSITIVE_INFINITY]) };
  };
  const housekeeping = new Housekeeping(
    { after },
    {
      proxies: () => (busy ? undefined : [{ counters }]),
      trimCode: () => given.push(`code at ${now}`),
      trimHeaps: () => given.push(`heaps at ${now}`),
    },
  );
  return {
    counters,
    housekeeping,
    busy: (is: boolean) => {
      busy = is;
    },
    /** What is given back within `ms` milliseconds. */
    within(ms: number): string[] {
      for (const end = now + ms; ; run()) {
        now = Math.min(due, end);
        if (due > end) return given.splice(0);
        due = Number.POSITIVE_INFINITY;
      }
    },
  };
}

const HOUR = 3_600_000;

test("code goes a moment after the start, and then nothing as long as nobody comes", () => {
  const { within } = household();
  expect(within(HOUR)).toEqual([`code at ${MOMENT}`]);
});

test.each(["connections", "bytesUpstream", "bytesDownstream", "datagramsUpstream", "datagramsDownstream"] as const)(
  "once there are no more %s, heaps are collected once, and then code goes",
  (cell) => {
    const { counters, within } = household();
    within(MOMENT);
    for (let i = 0; i < 10; i++) {
      counters.add(CELL[cell], 1);
      expect(within(QUIET - 1)).toEqual([]);
    }
    const given = within(HOUR).map((each) => each.split(" ")[0]);
    expect(given).toEqual(["heaps", "code"]);
    counters.add(CELL[cell], 1);
    expect(within(HOUR)).toHaveLength(2);
  },
);

test("nothing is disturbed while something goes on that no proxy counts, from the start on", () => {
  const { counters, busy, within } = household();
  busy(true);
  counters.add(CELL.connections, 1);
  expect(within(HOUR)).toEqual([]);
  busy(false);
  expect(within(HOUR)).toHaveLength(2);
});

test("who has stopped looks no more", () => {
  const { housekeeping, within } = household();
  housekeeping.stop();
  expect(within(HOUR)).toEqual([]);
});
