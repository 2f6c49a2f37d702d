/** Targets that break off or talk nonsense, and clients that leave: the right one is told, and the others go on. */
import { describe, expect, test } from "bun:test";
import { ENGINES } from "../proxy/world.ts";
import { get, modbus, ok, post, status } from "./talker.ts";
import { echo, MuxWorld } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test.each(["resets", "sends its FIN"])("a client that %s does not leave its reply to another one", async (how) => {
    await using world = await MuxWorld.with(engine, { inFlight: 1 });
    const [gone, next] = [await world.client(), await world.client()];
    gone.say("mine\n");
    const target = await world.target();
    await target.heard(1);
    if (how === "resets") gone.probe.abort();
    else gone.probe.finish();
    next.say("yours\n");
    await world.until(() => world.view.waiting === 1);
    if (how === "resets") await world.record();
    target.say("mine\n");
    await target.heard(2);
    target.say("yours\n");
    expect(await next.heard(1)).toEqual(["yours\n"]);
    if (how !== "resets") expect(await gone.heard(1)).toEqual(["mine\n"]);
    expect(world.view).toMatchObject({ repliesDropped: how === "resets" ? 1 : 0, mismatches: 0, inFlight: 0 });
    expect(world.targets.length).toBe(1);
  });

  test("requests of a client that has left and were not sent are not sent", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 1 });
    const [gone, next] = [await world.client(), await world.client()];
    gone.say("one\ntwo\nthree\n");
    const target = await world.target();
    await target.heard(1);
    gone.probe.abort();
    await world.record();
    target.say("one\n");
    next.say("next\n");
    expect(await target.heard(2)).toEqual(["one\n", "next\n"]);
    expect(world.view.waiting).toBe(0);
  });

  test("a target that closes in the middle of a reply: its client is reset, the others go on elsewhere", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "http", inFlight: 4 });
    const [broken, other, third] = [await world.client(), await world.client(), await world.client()];
    broken.say(get("/broken"));
    const target = await world.target();
    await target.heard(1);
    other.say(get("/other"));
    await target.heard(2);
    // Nothing is sent behind others that may not be repeated.
    third.say(post("/third"));
    await world.until(() => world.view.waiting === 1);
    target.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    await broken.probe.until(() => broken.probe.received > 0, "the beginning");
    target.probe.finish();
    expect(await broken.probe.untilClose()).toBe("ECONNRESET");
    expect(broken.probe.ended).toBe(false);
    const next = await world.target(1);
    await next.heard(1);
    next.say(ok("other"));
    expect(await other.heard(1)).toEqual([ok("other")]);
    await next.heard(2);
    next.say(ok("third"));
    expect(await third.heard(1)).toEqual([ok("third")]);
    expect(await world.record()).toMatchObject({ reason: "target_reset", error: "ECONNRESET", requests: 1 });
  });

  test("one that closes before its client got a byte of the reply: 502, or the same request again", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "http", inFlight: 4 });
    const [writes, reads] = [await world.client(), await world.client()];
    writes.say(post("/"));
    const target = await world.target();
    await target.heard(1);
    reads.say(get("/"));
    await world.until(() => world.view.waiting === 1);
    target.say("HTTP/1.1 200 OK\r\nContent-Le");
    target.probe.finish();
    expect(status((await writes.heard(1))[0])).toBe(502);
    const next = await world.target(1);
    await next.heard(1);
    next.say("HTTP/1.1 200 OK\r\nContent-Le");
    next.probe.finish();
    const last = await world.target(2);
    await last.heard(1);
    last.say(ok("again"));
    expect(await reads.heard(1)).toEqual([ok("again")]);
    expect(world.view).toMatchObject({ retries: 1, timeouts: 0 });
  });

  test("a reply that was whole before the target closed is delivered", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "http", inFlight: 2, requestRetries: 0 });
    const [one, other] = [await world.client(), await world.client()];
    one.say(get("/"));
    const target = await world.target();
    await target.heard(1);
    other.say(get("/"));
    await target.heard(2);
    target.say(ok("one"));
    target.probe.finish();
    expect(await one.heard(1)).toEqual([ok("one")]);
    expect(status((await other.heard(1))[0])).toBe(502);
  });

  test("modbus: what only reads is asked again, what writes fails with exception 0x0B", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "modbus", inFlight: 8 });
    const client = await world.client();
    client.say(modbus(1, 1, 3, "abcd") + modbus(2, 1, 6, "abcd"));
    const target = await world.target();
    await target.heard(2);
    target.probe.abort();
    const next = await world.target(1);
    const [again = ""] = await next.heard(1);
    expect(again.slice(6)).toBe(modbus(1, 1, 3, "abcd").slice(6));
    next.say(again);
    const replies = await client.heard(2);
    expect(replies.toSorted()).toEqual([modbus(1, 1, 3, "abcd"), modbus(2, 1, 0x86, "\x0b")]);
  });

  test("nonsense from the target is counted, told to who has asked, and the connection replaced", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "redis" });
    const [client, other] = [await world.client(), await world.client()];
    client.say("*1\r\n$4\r\nTIME\r\n");
    const target = await world.target();
    await target.heard(1);
    other.say("*1\r\n$4\r\nPING\r\n");
    await world.until(() => world.view.waiting === 1);
    target.say("what?\r\n");
    expect((await client.heard(1))[0]).toStartWith("-ERR weir: the connection to the target was lost");
    expect(await target.probe.untilClose()).toBe("ECONNRESET");
    const next = await world.target(1);
    await next.heard(1);
    next.say("+PONG\r\n");
    expect(await other.heard(1)).toEqual(["+PONG\r\n"]);
    expect(world.view).toMatchObject({ mismatches: 1, timeouts: 0 });
  });

  test("what nobody has asked for on a connection without requests is nobody's reply", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 4 }, echo);
    const client = await world.client();
    await client.ask("one\n");
    const target = await world.target();
    target.say("hello?\n");
    expect(await target.probe.untilClose()).toBe("ECONNRESET");
    expect(await client.ask("two\n")).toBe("two\n");
    expect(client.messages).toEqual(["one\n", "two\n"]);
    expect(world.view).toMatchObject({ mismatches: 1, inFlight: 0 });
    expect(world.targets.length).toBe(2);
  });

  test("two replies to one request: the second is not taken for the one to the next", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 1 });
    const { one, other, target } = await world.oneWaits();
    target.say("one\none\n");
    expect(await one.heard(1)).toEqual(["one\n"]);
    const next = await world.target(1);
    expect(await next.heard(1)).toEqual(["other\n"]);
    next.say("other\n");
    expect(await other.heard(1)).toEqual(["other\n"]);
    expect(world.view.mismatches).toBe(1);
  });

  test("a reply that is larger than max_message is refused, and its client is told", async () => {
    const answer = (message: string) => (message.startsWith("small") ? message : `${"x".repeat(2_000)}\n`);
    await using world = await MuxWorld.with(engine, { maxMessage: 1_000 }, { answer });
    const [large, small] = [await world.client(), await world.client()];
    await small.ask("small\n");
    large.say("large\n");
    expect(await large.probe.untilClose()).toBe("ECONNRESET");
    expect(await small.ask("small\n")).toBe("small\n");
    expect(world.view.mismatches).toBe(1);
  });

  test("a whole reply in front of a reset is delivered, wherever the system lets it be read", async () => {
    await using world = await MuxWorld.with(
      engine,
      {},
      {
        answer(message, target) {
          target.say(message);
          queueMicrotask(() => target.probe.abort());
          return undefined;
        },
      },
    );
    const client = await world.client();
    client.say("hello\n");
    expect(await client.heard(1)).toEqual(["hello\n"]);
  });

  test("a reply that ends with the target's FIN ends the client, who may have asked for more than is read", async () => {
    const proxy = { timeouts: { hello: 0, connect: 5_000, idle: 0, fin: 0, lifetime: 0 } };
    await using world = await MuxWorld.with(engine, { protocol: "http", queuePerClient: 2 }, { proxy });
    const client = await world.client();
    client.say(get("/").repeat(10));
    const target = await world.target();
    await target.heard(1);
    target.say("HTTP/1.1 200 OK\r\n\r\nall there is");
    target.probe.finish();
    await client.end();
    expect(client.rest).toBe("all there is");
    expect(await world.record()).toMatchObject({ reason: "target_closed", error: null });
  });
});
