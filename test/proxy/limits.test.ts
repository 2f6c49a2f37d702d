/** How many are let in at once, who waits, and who comes too often: over real sockets, on each engine. */
import { describe, expect, test } from "bun:test";
import type { ProxyOptions } from "../../src/index.ts";
import { ENGINES, World } from "./world.ts";

/** Each with one worker, and the native engine with two, which share every limit. */
const CASES = ENGINES.flatMap((engine) =>
  (engine === "native" ? [1, 2] : [1]).map((workers) => [engine, workers] as const),
);

describe.each(CASES)("on the %s engine with workers: %p", (engine, workers) => {
  const world = (options: ProxyOptions, target?: string | string[]) =>
    World.with(engine, { workers, ...options }, target);

  test("those for whom there is no room wait, and get in by the order in which they came", async () => {
    await using it = await world({ maxConnections: 2 });
    const first = await it.both();
    const second = await it.both();
    const order: number[] = [];
    const waiting = [];
    for (let n = 0; n < 6; n++) {
      waiting.push(await it.client());
      await it.inState("waiting", n + 1);
    }
    for (const each of waiting) each.write(100 + waiting.indexOf(each));
    for (const leaving of [first, second, ...Array<undefined>(4)]) {
      if (leaving) leaving.client.abort();
      else (waiting[order.length - 2] ?? expect.unreachable()).abort();
      const target = await it.target();
      target.resume();
      await target.until(() => target.received >= 100, "the bytes of the next");
      order.push(target.received - 100);
    }
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await it.proxy.connections()).length).toBe(2);
  });

  test("whoever finds the queue full is refused at once", async () => {
    await using it = await world({ maxConnections: 1, queue: { size: 1 } });
    await it.both();
    await it.client();
    await it.inState("waiting", 1);
    expect(await it.refusal()).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ reason: "queue_full", rule: "max_connections 1", target: null });
  });

  test("whoever waits for too long is refused, in the way that the configuration says", async () => {
    await using it = await world({ maxConnections: 1, queue: { timeout: 30 }, refuse: "close" });
    const { client } = await it.both();
    const second = await it.client();
    await second.untilEnd();
    second.finish();
    expect(await it.record()).toMatchObject({ reason: "queue_timeout", rule: "queue.timeout 30ms" });
    client.abort();
    // Its place was not given to the one that had left.
    const third = await it.both();
    third.client.write(10);
    await third.target.until(() => third.target.received === 10, "the bytes");
  });

  test("a client that leaves the queue is forgotten", async () => {
    await using it = await world({ maxConnections: 1, queue: { size: 1 } });
    const { client } = await it.both();
    const impatient = await it.client();
    await it.inState("waiting", 1);
    impatient.abort();
    expect(await it.record()).toMatchObject({ reason: "client_gone", target: null });
    const patient = await it.client();
    patient.write(7);
    await it.inState("waiting", 1);
    client.abort();
    const target = await it.target();
    target.resume();
    await target.until(() => target.received === 7, "the bytes of the one who stayed");
  });

  test("a target takes as many as it may, and the rest wait for it", async () => {
    const other = await world({});
    const targets = [`${other.proxy.address},max_connections=1`];
    await using it = await world({}, targets);
    const client = await it.client();
    const target = await other.target();
    const second = await it.client();
    await it.inState("waiting", 1);
    second.write(5);
    client.abort();
    target.resume();
    const next = await other.target();
    next.resume();
    await next.until(() => next.received === 5, "the bytes");
    await other[Symbol.asyncDispose]();
  });

  test("one source has so many connections and no more", async () => {
    await using it = await world({ maxConnectionsPerSource: 2 });
    const { client } = await it.both();
    await it.both();
    expect(await it.refusal()).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ reason: "denied", rule: "max_connections_per_source 2" });
    client.abort();
    await it.record();
    const { client: fourth, target } = await it.both();
    fourth.write(1);
    await target.until(() => target.received === 1, "a byte");
  });

  test("one source comes as fast as it may and no faster", async () => {
    await using it = await world({ rate: { connectionsPerSource: "1/h", burst: 3 } });
    for (let n = 0; n < 3; n++) await it.both();
    expect(await it.refusal()).toBe("ECONNRESET");
    expect((await it.record()).rule).toBe("rate.connections_per_source 1/h");
  });

  test("outside of the schedule nobody is let in", async () => {
    const tomorrow = new Date(Date.now() + 36 * 3_600_000).toLocaleDateString("en-US", {
      weekday: "short",
      timeZone: "UTC",
    });
    await using it = await world({ schedule: [`${tomorrow} 12:00-12:01 UTC`] });
    expect(await it.refusal()).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ reason: "denied", rule: "schedule: no window is open" });
    await using open = await world({ schedule: ["00:00-24:00"] });
    await open.both();
  });
});
