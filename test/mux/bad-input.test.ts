/** Clients that send no messages, or half of one, or too much; and those that say early that they are done. */
import { describe, expect, test } from "bun:test";
import type { MuxConfig } from "../../src/mux/mux-config.ts";
import { ENGINES } from "../proxy/world.ts";
import { get, ok, status } from "./talker.ts";
import { echo, MuxWorld } from "./world.ts";

const LONG: Partial<MuxConfig> = {
  protocol: "length",
  length: { offset: 0, width: 4, byteOrder: "big", adjust: 0, includes: "rest" },
};

const GARBAGE: readonly [string, Partial<MuxConfig>, string, RegExp][] = [
  ["a length of zero", { protocol: "iso8583" }, "\0\0", /^a length of 0$/],
  ["a length of zero in digits", { protocol: "mpu" }, "0000", /^a length of 0$/],
  ["letters in the place of digits", { protocol: "mpu" }, "HELO there", /^"HELO" in place of the four digits/],
  ["a length of four gigabytes", LONG, "\xff\xff\xff\xff", /^a message of 4294967299 bytes or more/],
  [
    "another protocol than Modbus",
    { protocol: "modbus" },
    "\0\x01\0\x07\0\x06\x01\x03",
    /^protocol 7 in a Modbus header/,
  ],
  ["a length that Modbus does not have", { protocol: "modbus" }, "\0\x01\0\0\xff\xff\x01\x03", /^a length of 65535/],
];

describe.each(ENGINES)("on the %s engine", (engine) => {
  test.each(GARBAGE)("%s: the client gets a FIN, and the others go on", async (_, mux, garbage, rule) => {
    await using world = await MuxWorld.with(engine, mux, echo);
    const [bad, good] = [await world.client(), await world.client()];
    bad.say(garbage);
    await bad.end();
    const record = await world.record();
    expect(record).toMatchObject({ reason: "bad_message", requests: 0, error: null });
    expect(record.rule).toMatch(rule);
    const message = { iso8583: "\0\x02hi", mpu: "0002hi", length: "\0\0\0\x02hi", modbus: "\0\x01\0\0\0\x02\x01\x07" };
    good.say(message[mux.protocol as keyof typeof message]);
    await good.probe.until(() => good.probe.received === message[mux.protocol as keyof typeof message].length, "echo");
    expect(world.view).toMatchObject({ requests: 1, mismatches: 0, connections: 1 });
  });

  test("http: 400 behind the replies that are due, then a FIN", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "http" });
    const [bad, good] = [await world.client(), await world.client()];
    bad.say(`${get("/")}G@T / HTTP/1.1\r\n\r\n${get("/more")}`);
    const target = await world.target();
    await target.heard(1);
    expect(bad.messages).toEqual([]);
    target.say(ok("first"));
    const replies = await bad.heard(2);
    expect(replies[0]).toBe(ok("first"));
    expect(status(replies[1])).toBe(400);
    await bad.end();
    expect(await world.record()).toMatchObject({ reason: "bad_message", requests: 1, rule: expect.any(String) });
    good.say(get("/good"));
    await target.heard(2);
    target.say(ok("good"));
    expect(await good.heard(1)).toEqual([ok("good")]);
    expect(world.heard.length).toBe(2);
  });

  test("a message of exactly max_message passes, and one byte more does not", async () => {
    await using world = await MuxWorld.with(engine, { maxMessage: 1_000 }, echo);
    const [good, bad] = [await world.client(), await world.client()];
    const message = `${"x".repeat(999)}\n`;
    expect(await good.ask(message)).toBe(message);
    bad.say(`x${message}`);
    await bad.end();
    expect((await world.record()).rule).toBe("a message of more than 1000 bytes, which is max_message");
    expect(await good.ask(message)).toBe(message);
  });

  test("large messages pass whole, whatever else goes on", async () => {
    await using world = await MuxWorld.with(engine, { maxMessage: 3_000_000, inFlight: 4 }, echo);
    const clients = await Promise.all(
      ["a", "b", "c"].map(async (letter) => ({ letter, talker: await world.client() })),
    );
    for (const { letter, talker } of clients) talker.say(`${letter.repeat(2_999_999)}\n`);
    for (const { letter, talker } of clients) {
      const [reply = ""] = await talker.heard(1);
      expect([reply.length, reply.replaceAll(letter, "")]).toEqual([3_000_000, "\n"]);
    }
  });

  test("half a message and silence: a FIN when its time is over, and the others go on", async () => {
    await using world = await MuxWorld.with(engine, { messageTimeout: 200 }, echo);
    const [half, other] = [await world.client(), await world.client()];
    half.say("whole\nhal");
    await half.end();
    expect(half.messages).toEqual(["whole\n"]);
    const record = await world.record();
    expect(record).toMatchObject({ reason: "bad_message", rule: "a message was not complete within 200ms" });
    // Whoever says nothing at all may stay.
    expect(other.probe.ended).toBe(false);
    expect(await other.ask("hello\n")).toBe("hello\n");
  });

  test("a client that says that it is done gets all replies before it gets a FIN", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 2 });
    const client = await world.client();
    client.say("1\n2\n3\n4\n5\n");
    client.probe.finish();
    const target = await world.target();
    for (let n = 1; n <= 5; n++) {
      await target.heard(n);
      expect(client.probe.ended).toBe(false);
      target.say(`${n}\n`);
    }
    await client.probe.untilEnd();
    expect(client.messages).toEqual(["1\n", "2\n", "3\n", "4\n", "5\n"]);
    expect(await client.probe.untilClose()).toBeUndefined();
    const whole = { undeliveredUpstream: 0, undeliveredDownstream: 0, bytesUpstream: 10, bytesDownstream: 10 };
    expect(await world.record()).toMatchObject({ reason: "client_closed", requests: 5, error: null, ...whole });
    expect(target.probe.ended).toBe(false);
  });

  test("the same if the last replies come in one piece", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 3 });
    const client = await world.client();
    client.say("1\n2\n3\n");
    client.probe.finish();
    const target = await world.target();
    await target.heard(3);
    target.say("1\n2\n3\n");
    await client.probe.untilEnd();
    expect(client.messages).toEqual(["1\n", "2\n", "3\n"]);
  });

  test("what is answered here comes behind all replies that are due, also if those come in one piece", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "redis", inFlight: 3 });
    const client = await world.client();
    client.say("GET a\r\nGET b\r\nGET c\r\nSUBSCRIBE d\r\n");
    const target = await world.target();
    await target.heard(3);
    target.say("+a\r\n+b\r\n+c\r\n");
    const replies = await client.heard(4);
    expect(replies.slice(0, 3)).toEqual(["+a\r\n", "+b\r\n", "+c\r\n"]);
    expect(replies[3]).toStartWith("-ERR weir: SUBSCRIBE");
  });

  test("a FIN in the middle of a message: the half is not sent, and counted as lost", async () => {
    await using world = await MuxWorld.with(engine, {}, echo);
    const client = await world.client();
    client.say("whole\nhal");
    client.probe.finish();
    await client.probe.untilEnd();
    expect(client.messages).toEqual(["whole\n"]);
    expect(await client.probe.untilClose()).toBeUndefined();
    expect(await world.record()).toMatchObject({ reason: "client_closed", requests: 1, undeliveredUpstream: 3 });
    expect(world.heard).toEqual(["whole\n"]);
  });

  test("a client that comes and goes without a word leaves nothing", async () => {
    await using world = await MuxWorld.with(engine, {}, echo);
    for (let n = 0; n < 20; n++) {
      const client = await world.client();
      if (n % 2 === 0) {
        client.probe.finish();
        await client.probe.untilClose();
      } else client.probe.abort();
      await world.record(n);
    }
    const client = await world.client();
    expect(await client.ask("hello\n")).toBe("hello\n");
    expect(world.targets.length).toBe(1);
    expect(world.view).toMatchObject({ requests: 1, waiting: 0, inFlight: 0 });
  });
});
