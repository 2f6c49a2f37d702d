import { expect, test } from "bun:test";
import { BusyPoll } from "../../adapters/linux/busy-poll.ts";

/** A kernel that has an event after so many looks, and a clock that a look moves by 10 µs. */
function kernel(eventAfter: number) {
  let looks = 0;
  return {
    get looks() {
      return looks;
    },
    look: () => (++looks > eventAfter ? 1 : 0),
    now: () => 1_000 + looks / 100,
  };
}

test("nobody looks out where no answer is due", () => {
  const poll = new BusyPoll();
  const { look, now } = kernel(0);
  expect(poll.before(look, now)).toBe(0);
  poll.asked(50);
  poll.answered();
  expect(poll.before(look, now)).toBe(0);
});

test("the first events end it, and it goes on after those that are not the answer", () => {
  const poll = new BusyPoll();
  const world = kernel(2);
  poll.asked(50);
  expect(poll.before(world.look, world.now)).toBe(1);
  expect(world.looks).toBe(3);
  expect(poll.before(world.look, world.now)).toBe(1);
  poll.answered();
  expect(poll.before(world.look, world.now)).toBe(0);
  expect(world.looks).toBe(4);
});

test("an error of the kernel ends it, and is the caller's", () => {
  const poll = new BusyPoll();
  poll.asked(50);
  expect(poll.before(() => -1, kernel(0).now)).toBe(-1);
});

test("it ends with its time, counted from the first look", () => {
  const poll = new BusyPoll();
  const world = kernel(1_000);
  poll.asked(50);
  expect(poll.before(world.look, world.now)).toBe(0);
  expect(world.looks).toBe(5);
  // And the sleep that follows is one.
  expect(poll.before(world.look, world.now)).toBe(0);
  expect(world.looks).toBe(5);
});

test("looking in vain becomes rare: 2,000 questions to a slow target cost 14 looks out, and one answer restores it", () => {
  const poll = new BusyPoll();
  let tries = 0;
  for (let question = 0; question < 2_000; question++) {
    const slow = kernel(1_000);
    poll.asked(50);
    poll.before(slow.look, slow.now);
    if (slow.looks > 0) tries++;
    poll.answered();
  }
  expect(tries).toBe(14);
  let passed = 0;
  const fast = kernel(0);
  while (passed < 1_000 && poll.before(fast.look, fast.now) === 0) {
    poll.asked(50);
    passed++;
  }
  expect(passed).toBeLessThanOrEqual(256);
  for (let question = 0; question < 10; question++) {
    poll.answered();
    poll.asked(50);
    expect(poll.before(fast.look, fast.now)).toBe(1);
  }
});
