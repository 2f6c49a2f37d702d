/** When the mark of a stream in bulk is raised, and when lowered. On real sockets: test/engine/low-water.test.ts. */
import { expect, test } from "bun:test";
import type { Core } from "../../adapters/linux/core.ts";
import { LowWater } from "../../adapters/linux/low-water.ts";

const MB = 1_048_576;

/** A socket with a mark, `waiting` bytes that nobody has read, and time that passes when it is told to. */
function socket() {
  const state = { mark: 1, waiting: 0, timers: 0 };
  let due: (() => void) | undefined;
  const core = {
    system: {
      libc: { ioctl: () => 0 },
      scratch: { pointer: null },
      get scratchInts() {
        return [state.waiting];
      },
      setInt(_fd: number, _level: number, _option: number, value: number) {
        state.mark = value;
      },
    },
    after(_ms: number, run: LowWater) {
      state.timers++;
      due = () => run.due();
      return { cancel: () => (due = undefined) };
    },
  };
  const lowWater = new LowWater(core as unknown as Core, 7);
  return {
    state,
    lowWater,
    /** So many megabytes, in pieces that each empty the socket. */
    move(count: number, piece = MB / 8) {
      for (let bytes = 0; bytes < count * MB; bytes += piece) {
        lowWater.moved(piece);
        lowWater.emptied();
      }
    },
    /** A while passes; false if nobody waits for it. */
    pass(): boolean {
      const run = due;
      due = undefined;
      run?.();
      return run !== undefined;
    },
  };
}

/** How many megabytes have to move until the mark is raised. */
function untilRaised(at: ReturnType<typeof socket>, piece?: number): number {
  for (let count = 1; count <= 2_000; count++) {
    at.move(1, piece);
    if (at.state.mark > 1) return count;
  }
  return Number.POSITIVE_INFINITY;
}

test("bulk raises the mark after 4 MB, and holds it as long as something moves", () => {
  const at = socket();
  expect(untilRaised(at)).toBe(4);
  for (let i = 0; i < 100; i++) {
    at.move(3);
    expect(at.pass()).toBe(true);
    expect(at.state.mark).toBe(MB / 8);
  }
});

test("who pauses gets the mark lowered, and raised again after 4 MB", () => {
  const at = socket();
  for (let round = 0; round < 5; round++) {
    expect(untilRaised(at)).toBe(4);
    at.pass();
    expect(at.state.mark).toBe(1);
    expect(at.pass()).toBe(false);
  }
});

test("who does not come to the mark is asked four times as rarely each time, at most once in 1 GB", () => {
  const at = socket();
  at.state.waiting = 1_000;
  const pauses = Array.from({ length: 6 }, () => {
    const pause = untilRaised(at);
    at.pass();
    expect(at.state.mark).toBe(1);
    return pause;
  });
  expect(pauses).toEqual([4, 16, 64, 256, 1_024, 1_024]);
});

test("more than the mark waits when we do not read: that is no failure", () => {
  const at = socket();
  at.state.waiting = 600_000;
  for (let round = 0; round < 3; round++) {
    expect(untilRaised(at)).toBe(4);
    at.pass();
  }
});

test("16 MB with a raised mark make up for failures", () => {
  const at = socket();
  at.state.waiting = 1_000;
  untilRaised(at);
  at.pass();
  expect(untilRaised(at)).toBe(16);
  at.move(16);
  at.pass();
  at.pass();
  // This time, too, it ended in a failure, which counts as the first.
  expect(untilRaised(at)).toBe(16);
});

test("where much is there whenever we look the mark stays low, until that changes", () => {
  const at = socket();
  expect(untilRaised(at, MB / 4)).toBe(Number.POSITIVE_INFINITY);
  expect(at.state.timers).toBe(0);
  expect(untilRaised(at)).toBeLessThanOrEqual(8);
});

test("after half a gigabyte with a raised mark it is lowered to see how it is without", () => {
  const at = socket();
  untilRaised(at);
  at.move(512);
  expect(at.state.mark).toBe(MB / 8);
  at.move(1);
  expect(at.state.mark).toBe(1);
  expect(untilRaised(at)).toBeLessThanOrEqual(4);
});

test("at the end the mark is lowered and nobody waits; without a mark nothing is done", () => {
  const at = socket();
  at.lowWater.end();
  expect(at.state).toEqual({ mark: 1, waiting: 0, timers: 0 });
  untilRaised(at);
  at.lowWater.end();
  expect(at.state.mark).toBe(1);
  expect(at.pass()).toBe(false);
});
