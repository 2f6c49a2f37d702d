import { expect, test } from "bun:test";
import { addBelow } from "../../src/admit/places.ts";
import type { FromThread, Task } from "./places-worker.ts";

test("places are taken up to the limit, which may come down below what is taken", () => {
  const count = new Int32Array(new SharedArrayBuffer(4));
  expect([1, 2, 3, 4].map(() => addBelow(count, 0, 3))).toEqual([true, true, true, false]);
  expect(addBelow(count, 0, 1)).toBe(false);
  expect(addBelow(count, 0, Number.POSITIVE_INFINITY)).toBe(true);
  expect(count[0]).toBe(4);
});

test("threads that take places at the same time never see more of them taken than there are", async () => {
  const count = new Int32Array(new SharedArrayBuffer(4));
  const limit = 2;
  const threads = Array.from({ length: 4 }, () => new Worker(new URL("./places-worker.ts", import.meta.url)));
  try {
    await Promise.all(threads.map(heard));
    for (const thread of threads) thread.postMessage({ count, limit } satisfies Task);
    const all = (await Promise.all(threads.map(heard))).filter((result) => result !== "ready");
    expect(Math.max(...all.map(({ most }) => most))).toBeLessThanOrEqual(limit);
    expect(all.reduce((sum, { taken }) => sum + taken, 0)).toBeGreaterThan(0);
  } finally {
    for (const thread of threads) thread.terminate();
  }
  expect(count[0]).toBe(0);
});

/** The next message of a thread. */
function heard(thread: Worker): Promise<FromThread> {
  return new Promise((resolve, reject) => {
    thread.onmessage = ({ data }) => resolve(data);
    thread.onerror = ({ message }) => reject(new Error(message));
  });
}
