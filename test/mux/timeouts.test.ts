/** A target that does not answer in time: who has asked is told so, and nobody gets what comes too late. */
import { describe, expect, test } from "bun:test";
import type { MuxConfig } from "../../src/mux/mux-config.ts";
import { ENGINES } from "../proxy/world.ts";
import { card, get, modbus, ok, post, status } from "./talker.ts";
import { MuxWorld } from "./world.ts";

/** Milliseconds: enough for what is to happen before, even where a test does not run alone. */
const SHORT = 1_000;
const LONG = 60_000;

describe.each(ENGINES)("on the %s engine", (engine) => {
  const started = (protocol: MuxConfig["protocol"], more: Partial<MuxConfig> = {}) =>
    MuxWorld.with(engine, { protocol, timeout: 100, ...more });

  test("echo: the client is closed with a FIN, and the next one asks over another connection", async () => {
    await using world = await started("echo");
    const [client, other] = [await world.client(), await world.client()];
    client.say("hello\n");
    await client.end();
    expect(await client.probe.untilClose()).toBeUndefined();
    expect(await world.record()).toMatchObject({
      reason: "request_timeout",
      rule: "timeout 100ms",
      bytesDownstream: 0,
    });
    const target = await world.target();
    await target.probe.untilClose();
    // Nobody gets it.
    target.say("late\n");
    await world.configure({ timeout: LONG });
    other.say("other\n");
    const next = await world.target(1);
    await next.heard(1);
    next.say("answer\n");
    expect(await other.heard(1)).toEqual(["answer\n"]);
    expect(world.view).toMatchObject({ timeouts: 1, mismatches: 0 });
  });

  test("modbus: exception 0x0B, and the connection stays, whose late reply is dropped", async () => {
    await using world = await started("modbus", { inFlight: 4 });
    const client = await world.client();
    expect(await client.ask(modbus(0x1234, 9, 6, "abcd"))).toBe(modbus(0x1234, 9, 0x86, "\x0b"));
    const target = await world.target();
    await world.configure({ timeout: LONG });
    client.say(modbus(0x1234, 9, 6, "efgh"));
    const [late = "", request = ""] = await target.heard(2);
    expect(request.slice(0, 2)).not.toBe(late.slice(0, 2));
    target.say(late + request);
    expect((await client.heard(2))[1]).toBe(modbus(0x1234, 9, 6, "efgh"));
    expect(world.view).toMatchObject({ timeouts: 1, repliesDropped: 1, mismatches: 0, connections: 1 });
    expect(world.targets.length).toBe(1);
  });

  test("redis: an error, and the client may go on", async () => {
    await using world = await started("redis");
    const client = await world.client();
    expect(await client.ask("*2\r\n$3\r\nGET\r\n$1\r\na\r\n")).toStartWith(
      "-ERR weir: the target did not answer in time",
    );
    await world.configure({ timeout: LONG });
    client.say("*2\r\n$3\r\nGET\r\n$1\r\nb\r\n");
    const target = await world.target(1);
    expect(await target.heard(1)).toEqual(["*2\r\n$3\r\nGET\r\n$1\r\nb\r\n"]);
    target.say("+value of b\r\n");
    expect((await client.heard(2))[1]).toBe("+value of b\r\n");
  });

  test("http: 504, and the client may go on", async () => {
    await using world = await started("http");
    const client = await world.client();
    expect(status(await client.ask(get("/slow")))).toBe(504);
    await world.configure({ timeout: LONG });
    client.say(get("/"));
    const target = await world.target(1);
    await target.heard(1);
    target.say(ok("hello"));
    expect((await client.heard(2))[1]).toBe(ok("hello"));
    expect((await world.target()).probe.error?.code).toBe("ECONNRESET");
  });

  test("requests behind the one that is late go over another connection if they may be repeated", async () => {
    await using world = await started("http", { inFlight: 8, timeout: SHORT });
    const [late, reads, writes] = [await world.client(), await world.client(), await world.client()];
    late.say(get("/late"));
    const target = await world.target();
    await target.heard(1);
    await world.configure({ timeout: LONG });
    reads.say(get("/one") + get("/two"));
    await target.heard(3);
    writes.say(post("/write"));
    await world.until(() => world.view.waiting === 1);
    expect(status((await late.heard(1))[0])).toBe(504);
    const next = await world.target(1);
    // They take turns, and nothing is behind what may not be repeated.
    const seen: string[] = [];
    for (let count = 1; count <= 3; count++) {
      const request = (await next.heard(count))[count - 1]?.split(" ")[1] ?? "";
      seen.push(request);
      next.say(ok(request));
    }
    expect(seen).toEqual(["/one", "/write", "/two"]);
    expect(await reads.heard(2)).toEqual([ok("/one"), ok("/two")]);
    expect(await writes.heard(1)).toEqual([ok("/write")]);
    expect(world.view).toMatchObject({ timeouts: 1, retries: 2 });
  });

  test("modbus: what is behind a late one on the same connection is not touched by it", async () => {
    await using world = await started("modbus", { inFlight: 8, timeout: SHORT });
    const [late, other] = [await world.client(), await world.client()];
    late.say(modbus(1, 1, 6, "abcd"));
    const target = await world.target();
    await target.heard(1);
    await world.configure({ timeout: LONG });
    other.say(modbus(1, 2, 6, "abcd"));
    const [, request = ""] = await target.heard(2);
    expect(await late.heard(1)).toEqual([modbus(1, 1, 0x86, "\x0b")]);
    target.say(request);
    expect(await other.heard(1)).toEqual([modbus(1, 2, 6, "abcd")]);
    expect(world.targets.length).toBe(1);
  });

  test("a reply that is on its way has time as long as bytes come, and who waits behind it has not", async () => {
    await using world = await started("http", { inFlight: 4, timeout: SHORT });
    const [first, second] = [await world.client(), await world.client()];
    first.say(get("/long"));
    const target = await world.target();
    await target.heard(1);
    second.say(get("/behind"));
    await target.heard(2);
    target.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (second.messages.length === 0) {
      target.say("1\r\nx\r\n");
      await world.kit.busy(20);
    }
    expect(status(second.messages[0])).toBe(504);
    // Both replies come to their end: the one goes to who has waited for it, the other to nobody.
    await world.configure({ timeout: LONG });
    target.say(`0\r\n\r\n${ok("late")}`);
    expect((await first.heard(2))[1]).toEndWith("x\r\n0\r\n\r\n");
    await world.until(() => world.view.repliesDropped === 1);
    second.say(get("/again"));
    await target.heard(3);
    target.say(ok("again"));
    expect((await second.heard(2))[1]).toBe(ok("again"));
    expect(world.targets.length).toBe(1);
    expect(world.view).toMatchObject({ timeouts: 1, mismatches: 0 });
  });

  test("stan: who wants the key of a late one is sent over another connection", async () => {
    await using world = await started("iso8583", { match: "stan", inFlight: 4 });
    const late = await world.client();
    late.say(card("0200", "000001", "T1"));
    await late.end();
    await world.configure({ timeout: LONG });
    const repeating = await world.client();
    repeating.say(card("0200", "000001", "T1", "re"));
    const next = await world.target(1);
    await next.heard(1);
    next.say(card("0210", "000001", "T1", "11"));
    expect(await repeating.heard(1)).toEqual([card("0210", "000001", "T1", "11")]);
  });

  test("stan: who waits for a key is sent when it is free, whoever else waits for another", async () => {
    await using world = await started("iso8583", { match: "stan", inFlight: 8, timeout: LONG });
    const [first, waits, other] = [await world.client(), await world.client(), await world.client()];
    first.say(card("0200", "000001", "T1") + card("0200", "000002", "T1"));
    const target = await world.target();
    await target.heard(2);
    waits.say(card("0200", "000001", "T1"));
    await world.until(() => world.view.waiting === 1);
    other.say(card("0200", "000002", "T1"));
    await world.until(() => world.view.waiting === 2);
    target.say(card("0210", "000002", "T1", "22"));
    await first.heard(1);
    await target.heard(3);
    target.say(card("0210", "000002", "T1", "44"));
    expect(await other.heard(1)).toEqual([card("0210", "000002", "T1", "44")]);
  });
});
