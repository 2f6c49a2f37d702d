import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import type { Listener, Runtime } from "../../src/net/runtime.ts";
import { DescriptorBudget } from "../../src/proxy/descriptors.ts";
import { LOOPBACK } from "../contract/kit.ts";

/** A runtime with room for three sessions, whose timers run when told, and one listener. */
function world(pauseAccept: boolean) {
  const timers: (() => void)[] = [];
  const poor: Runtime = {
    ...runtime,
    descriptors: 70,
    can: { ...runtime.can, pauseAccept },
    after(_, run) {
      timers.push(run);
      return { cancel() {} };
    },
  };
  const log: string[] = [];
  const listener: Listener = {
    address: LOOPBACK,
    pause: () => log.push("pause"),
    resume: () => log.push("resume"),
    close: async () => {},
  };
  const budget = new DescriptorBudget(poor);
  budget.join(listener);
  return { budget, log, timers };
}

test("accepting stops when the last session fits and goes on when one leaves", () => {
  const { budget, log } = world(true);
  expect(budget.capacity).toBe(3);
  for (let n = 0; n < 3; n++) expect(budget.take()).toBe(true);
  expect(log).toEqual(["pause"]);
  budget.give();
  expect(log).toEqual(["pause", "resume"]);
  budget.take();
  budget.give();
  expect(log).toEqual(["pause", "resume", "pause", "resume"]);
});

test("a client that was accepted all the same is kept where accepting can stop, refused where it cannot", () => {
  const stopping = world(true).budget;
  const going = world(false).budget;
  for (let n = 0; n < 3; n++) {
    stopping.take();
    going.take();
  }
  expect(stopping.take()).toBe(true);
  expect(going.take()).toBe(false);
  going.give();
  going.give();
  expect(going.take()).toBe(true);
});

test("EMFILE in spite of the count stops accepting until the recovery timer runs", () => {
  const { budget, log, timers } = world(true);
  budget.take();
  budget.exhausted();
  budget.exhausted();
  expect(timers).toHaveLength(1);
  budget.give();
  expect(log).toEqual(["pause"]);
  timers[0]?.();
  expect(log).toEqual(["pause", "resume"]);
});
