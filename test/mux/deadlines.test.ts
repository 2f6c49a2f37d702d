/** Deadlines of requests in virtual time. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import type { MuxClient } from "../../src/mux/client.ts";
import { RequestDeadlines } from "../../src/mux/deadlines.ts";
import { Request } from "../../src/mux/request.ts";
import { Time } from "./virtual.ts";

function world(expired: (request: Request) => void = () => {}) {
  const time = new Time();
  const told: [number, Request][] = [];
  const deadlines = new RequestDeadlines(
    { now: () => time.now, after: (ms, run) => time.after(ms, run) },
    (request) => {
      told.push([time.now, request]);
      expired(request);
    },
  );
  const request = () => new Request({} as MuxClient, time.now);
  return { time, told, deadlines, request };
}

test("each expires in its time, and all of them take one timer", async () => {
  const { time, told, deadlines, request } = world();
  const requests = Array.from({ length: 10 }, request);
  for (const each of requests) {
    deadlines.extend(each, 100);
    await time.pass(7);
    expect(time.timers).toBe(1);
  }
  await time.pass(1_000);
  expect(told).toEqual(requests.map((each, index) => [100 + 7 * index, each]));
  expect(time.timers).toBe(0);
});

test("one that is answered does not expire", async () => {
  const { time, told, deadlines, request } = world();
  const [one, other] = [request(), request()];
  deadlines.extend(one, 100);
  deadlines.extend(other, 100);
  deadlines.remove(one);
  deadlines.remove(one);
  await time.pass(100);
  expect(told).toEqual([[100, other]]);
});

test("without a timeout nothing expires, and there is no timer", async () => {
  const { time, told, deadlines, request } = world();
  deadlines.extend(request(), 0);
  expect(time.timers).toBe(0);
  await time.pass(1_000_000);
  expect(told).toEqual([]);
});

test("nothing is left when it is stopped", async () => {
  const { time, told, deadlines, request } = world();
  deadlines.extend(request(), 100);
  deadlines.stop();
  expect(time.timers).toBe(0);
  await time.pass(1_000);
  expect(told).toEqual([]);
});

test("who gets more time while another expires does not make the rest wait", async () => {
  const { time, told, deadlines, request } = world((each) => {
    if (each === first && time.now < 200) deadlines.extend(each, 100);
  });
  const [first, second] = [request(), request()];
  deadlines.extend(first, 100);
  await time.pass(50);
  deadlines.extend(second, 100);
  await time.pass(1_000);
  expect(told).toEqual([
    [100, first],
    [150, second],
    [200, first],
  ]);
});

test("whatever is extended and removed, the rest expires in its time", async () => {
  const step = fc.record({ pass: fc.nat(60), which: fc.nat(7), remove: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { time, told, deadlines, request } = world((each) => void due.delete(each));
      const due = new Map<Request, number>();
      const expected: [number, Request][] = [];
      const requests = Array.from({ length: 8 }, request);
      const pass = async (ms: number) => {
        const until = time.now + ms;
        const over = [...due].filter(([, at]) => at <= until).toSorted(([, a], [, b]) => a - b);
        await time.pass(ms);
        for (const [each, at] of over) expected.push([at, each]);
      };
      for (const { pass: ms, which, remove } of steps) {
        await pass(ms);
        const each = requests[which] as Request;
        if (remove) deadlines.remove(each);
        else deadlines.extend(each, 100);
        due.delete(each);
        if (!remove) due.set(each, time.now + 100);
      }
      await pass(1_000);
      expect(told).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});
