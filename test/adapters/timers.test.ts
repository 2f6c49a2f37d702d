import { expect, test } from "bun:test";
import fc from "fast-check";
import { TimerWheel } from "../../adapters/linux/timers.ts";

test("every timer runs once, never early, in the first advance that reaches it, and none that was cancelled", () => {
  const delay = fc.oneof(
    fc.integer({ min: 0, max: 600 }),
    fc.integer({ min: 0, max: 200_000 }),
    fc.integer({ min: 0, max: 2 ** 20 }),
  );
  const timer = fc.record({ delay, at: fc.nat(3), cancel: fc.boolean() });
  const steps = fc.array(fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 300_000 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1e6, noNaN: true }),
      fc.array(timer, { maxLength: 40 }),
      steps,
      (start, timers, jumps) => {
        const wheel = new TimerWheel(start);
        const ran: number[] = [];
        const due = new Map<number, number>();
        const handles = new Map<number, { cancel(): void }>();
        let now = start;
        for (const [step, jump] of [...jumps, 2 ** 20 + 10].entries()) {
          for (const [id, { delay: ms, at }] of timers.entries()) {
            if (at !== step) continue;
            due.set(id, now + ms);
            handles.set(
              id,
              wheel.set(now + ms, () => ran.push(id)),
            );
          }
          for (const [id, { cancel }] of timers.entries())
            if (cancel && due.has(id) && !ran.includes(id)) handles.get(id)?.cancel();
          const wait = wheel.wait(now, 1_000);
          const next = Math.min(
            ...[...due].filter(([id]) => !ran.includes(id) && !timers[id]?.cancel).map(([, at]) => at),
          );
          if (next - now > 1 && next !== Number.POSITIVE_INFINITY)
            expect(now + wait).toBeLessThanOrEqual(Math.max(next, now) + 2);
          const before = ran.length;
          now += jump;
          wheel.advance(now);
          for (const id of ran.slice(before)) expect(due.get(id)).toBeLessThanOrEqual(now);
          const late = [...due].filter(([id, at]) => !timers[id]?.cancel && at + 2 <= now && !ran.includes(id));
          expect(late).toEqual([]);
        }
        expect(new Set(ran).size).toBe(ran.length);
        expect(ran.some((id) => timers[id]?.cancel)).toBe(false);
      },
    ),
    { numRuns: 100 },
  );
});

test("a timer that sets another leaves it for a later tick, and one can cancel the next", () => {
  const wheel = new TimerWheel(0);
  const log: string[] = [];
  const second = wheel.set(10, () => log.push("second"));
  wheel.set(5, () => {
    log.push("first");
    second.cancel();
    wheel.set(5, () => log.push("again"));
  });
  wheel.advance(5);
  expect(log).toEqual(["first"]);
  wheel.advance(20);
  expect(log).toEqual(["first", "again"]);
  expect(wheel.size).toBe(0);
});
