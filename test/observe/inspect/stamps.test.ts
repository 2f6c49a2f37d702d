/** Microseconds out of a wall clock of milliseconds. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { formatStamp, Stamps } from "../../../src/observe/inspect/stamps.ts";

/** `skew`: milliseconds that somebody adds to the wall clock. */
function world() {
  const clock = { true: 1_767_225_600_000.7, skew: 0 };
  const stamps = new Stamps({
    now: () => clock.true - 1_767_000_000_000,
    wallClock: () => Math.floor(clock.true + clock.skew),
  });
  return { clock, stamps };
}

test("stamps are right to the millisecond, never go back, and tell shorter times apart", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 1 }), (steps) => {
      const { clock, stamps } = world();
      let last = stamps.now();
      for (const step of steps) {
        clock.true += step;
        const stamp = stamps.now();
        expect(Math.floor(stamp / 1_000)).toBe(Math.floor(clock.true));
        expect(stamp).toBeGreaterThanOrEqual(last);
        last = stamp;
      }
    }),
  );
  const { clock, stamps } = world();
  const before = stamps.now();
  clock.true += 0.1;
  expect(stamps.now() - before).toBeGreaterThan(90);
});

test("stamps follow a wall clock that somebody sets", () => {
  const { clock, stamps } = world();
  for (const skew of [60_000, -60_000, 0.9]) {
    clock.skew = skew;
    clock.true += 10;
    expect(Math.floor(stamps.now() / 1_000)).toBe(Math.floor(clock.true + skew));
    for (let step = 0; step < 50; step++) {
      clock.true += 0.05;
      stamps.now();
    }
    // By then they have found their place within a millisecond.
    const stamp = stamps.now();
    clock.true += 0.05;
    expect(stamps.now() - stamp).toBeWithin(40, 60);
  }
});

test("stamps are written with all six digits", () => {
  expect(formatStamp(1_767_225_600_000_250)).toBe("2026-01-01T00:00:00.000250Z");
  expect(formatStamp(1_767_225_600_999_999)).toBe("2026-01-01T00:00:00.999999Z");
});
