/** Targets that cannot be connected, or do not stay. */
import { describe, expect, test } from "bun:test";
import { ENGINES } from "../proxy/world.ts";
import { get, modbus, ok, status } from "./talker.ts";
import { echo, MuxWorld } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("who comes while the target refuses is refused", async () => {
    await using world = await MuxWorld.with(engine, {}, echo);
    await world.goAway();
    expect(await world.refusal()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "connect_refused", requests: 0, error: "ECONNREFUSED" });
    // Without asking again: there was an attempt a moment ago.
    expect(await world.refusal()).toBe("ECONNRESET");
    expect(await world.record(1)).toMatchObject({ reason: "connect_refused" });
  });

  test("clients that are here wait for a target that comes back, and are answered", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 4 }, echo);
    const clients = [await world.client(), await world.client()];
    for (const client of clients) await client.ask("before\n");
    await world.goAway();
    for (const client of clients) client.say("one\ntwo\n");
    await world.until(() => world.view.waiting === 4 && world.view.redials >= 2);
    await world.comeBack();
    for (const client of clients) expect(await client.heard(3)).toEqual(["before\n", "one\n", "two\n"]);
    // They wait longer from attempt to attempt: this was no loop.
    expect(world.view.redials).toBeLessThan(30);
    expect(world.targets.length).toBe(2);
  });

  test("those that are under way when the target breaks off are lost, and those that wait are not", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 1 });
    const { one, other, target } = await world.oneWaits();
    target.probe.abort();
    expect(await one.probe.untilClose()).toBe("ECONNRESET");
    const next = await world.target(1);
    expect(await next.heard(1)).toEqual(["other\n"]);
    next.say("answer\n");
    expect(await other.heard(1)).toEqual(["answer\n"]);
    expect(await world.record()).toMatchObject({ reason: "target_reset", requests: 1 });
  });

  test("who has waited for too long for a connection is told that there is none", async () => {
    const mux = { protocol: "http", timeout: 200 } as const;
    await using world = await MuxWorld.with(engine, mux, { answer: () => ok("hello") });
    const client = await world.client();
    await world.until(() => world.view.connections === 1);
    await world.goAway();
    expect(status(await client.ask(get("/")))).toBe(503);
    await world.configure({ timeout: 30_000 });
    await world.comeBack();
    expect(status(await client.ask(get("/")))).toBe(200);
    expect(world.view).toMatchObject({ timeouts: 1, requests: 2 });
  });

  test("modbus: it is exception 0x0A", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "modbus", timeout: 200 }, echo);
    const client = await world.client();
    await world.until(() => world.view.connections === 1);
    await world.goAway();
    expect(await client.ask(modbus(0x1234, 9, 6, "abcd"))).toBe(modbus(0x1234, 9, 0x86, "\x0a"));
  });

  test("a target that accepts and closes at once is not connected in a loop", async () => {
    const greet = ({ probe }: { probe: { abort(): void } }) => probe.abort();
    await using world = await MuxWorld.with(engine, { warm: 1 }, { greet });
    await world.target();
    await world.kit.busy(1_000);
    expect(world.targets.length).toBeLessThan(12);
  });

  test("a request that such a target never takes is answered, and repeated no more often than it may be", async () => {
    const greet = ({ probe }: { probe: { finish(): void } }) => probe.finish();
    await using world = await MuxWorld.with(engine, { protocol: "http", requestRetries: 2 }, { greet });
    const client = await world.client();
    expect([502, 504]).toContain(status(await client.ask(get("/"))));
    expect(world.heard.length).toBeLessThanOrEqual(3);
    expect(world.targets.length).toBeLessThan(12);
  });
});
