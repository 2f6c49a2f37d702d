/** Nobody takes more than his part: not the client that asks most, nor the one that does not read. */
import { describe, expect, test } from "bun:test";
import { ENGINES } from "../proxy/world.ts";
import { get } from "./talker.ts";
import { echo, MuxWorld } from "./world.ts";

const lines = (count: number) => Array.from({ length: count }, (_, index) => `${index}\n`).join("");

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("who asks once does not wait for all that somebody else has asked before", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 4 });
    const [many, once] = [await world.client(), await world.client()];
    many.say(lines(1_000));
    await world.until(() => world.view.requests === 1_000);
    once.say("once\n");
    await world.until(() => world.view.requests === 1_001);
    const target = await world.target();
    for (let answered = 0; !target.messages.includes("once\n"); answered++) {
      target.say((await target.heard(answered + 4))[answered] as string);
      await target.heard(answered + 5);
    }
    const place = target.messages.indexOf("once\n");
    expect(place).toBeLessThanOrEqual(4 + 2);
    for (const message of target.messages.slice(place - 3, place + 1)) target.say(message);
    expect(await once.heard(1)).toEqual(["once\n"]);
  });

  test("clients take turns, one request each", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 1 });
    const first = await world.client();
    first.say("first\n");
    const target = await world.target();
    await target.heard(1);
    const clients = await Promise.all(["a", "b", "c"].map(async (name) => ({ name, talker: await world.client() })));
    for (const [index, { name, talker }] of clients.entries()) {
      talker.say(`${name}\n`.repeat(10));
      await world.until(() => world.view.waiting === 10 * (index + 1));
    }
    target.onMessage = (message) => target.say(message);
    target.say("first\n");
    await Promise.all(clients.map(({ talker }) => talker.heard(10)));
    for (let round = 0; round < 10; round++) {
      expect(target.messages.slice(1 + 3 * round, 4 + 3 * round)).toEqual(["a\n", "b\n", "c\n"]);
    }
  });

  test("one client has no more under way than it may, and leaves the rest to others", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 8, inFlightPerClient: 2 });
    const [many, once] = [await world.client(), await world.client()];
    many.say(lines(50));
    const target = await world.target();
    await target.heard(2);
    await world.until(() => world.view.waiting === 48);
    once.say("once\n");
    expect(await target.heard(3)).toEqual(["0\n", "1\n", "once\n"]);
    expect(world.view).toMatchObject({ inFlight: 3, waiting: 48 });
    target.onMessage = (message) => target.say(message);
    target.say("0\n1\nonce\n");
    expect((await many.heard(50)).join("")).toBe(lines(50));
    expect(await once.heard(1)).toEqual(["once\n"]);
  });

  test("a client that does not read its replies stops being served, and the others go on", async () => {
    const answer = (message: string) => (message.startsWith("big") ? `${"x".repeat(100_000)}\n` : message);
    await using world = await MuxWorld.with(engine, { inFlight: 4 }, { answer });
    const [slow, other] = [await world.client(), await world.client()];
    slow.probe.pause();
    slow.say("big\n".repeat(400));
    await world.until(() => world.heard.length >= 10);
    for (let round = 0; round < 50; round++) expect(await other.ask(`${round}\n`)).toBe(`${round}\n`);
    await world.kit.busy(500);
    for (let round = 0; round < 50; round++) await other.ask(`${round}\n`);
    // What the kernel holds for it, and a little more: 20 MB would be more than all of that.
    expect(world.heard.filter((message) => message === "big\n").length).toBeLessThan(200);
    slow.probe.resume();
    expect((await slow.heard(400)).every(({ length }) => length === 100_001)).toBe(true);
  });

  test("a reply that its client does not read is not read from the target", async () => {
    const size = 60_000_000;
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`;
    await using world = await MuxWorld.with(engine, { protocol: "http" });
    const slow = await world.client();
    slow.probe.pause();
    slow.say(get("/"));
    const target = await world.target();
    await target.heard(1);
    target.say(head);
    const sending = target.probe.send(size);
    await world.kit.busy();
    expect(target.probe.sent).toBeLessThan(40_000_000);
    slow.probe.onData = () => {
      slow.probe.bytes = new Uint8Array(0);
    };
    slow.probe.resume();
    await sending;
    await slow.probe.until(() => slow.probe.received === head.length + size, "all of it");
    expect(world.view).toMatchObject({ connections: 1, timeouts: 0 });
  });

  test("a client that asks without end is not read beyond what may wait", async () => {
    await using world = await MuxWorld.with(engine, { timeout: 0, queuePerClient: 100 });
    const client = await world.client();
    const chunk = Buffer.from(`${"x".repeat(999)}\n`.repeat(64));
    let sent = 0;
    let room = true;
    client.probe.onDrain = () => {
      room = true;
    };
    for (let turns = 0; turns < 20 && sent < 100_000_000; turns++) {
      while (room && sent < 100_000_000) {
        room = client.probe.socket.write(chunk);
        sent += chunk.length;
      }
      await world.kit.busy(50);
    }
    // What the kernel takes, at both ends.
    expect(sent).toBeLessThan(50_000_000);
    // The border lies in the middle of a read of 64 or 256 KB.
    expect(world.view.waiting).toBeLessThan(100 + 300);
    const target = await world.target();
    expect((await target.heard(1)).length).toBe(1);
    const other = await world.client();
    other.say("other\n");
    target.onMessage = (message) => target.say(message);
    target.say(target.messages[0] as string);
    expect(await other.heard(1)).toEqual(["other\n"]);
  });

  test("a client whose queue was full goes on when there is room again", async () => {
    await using world = await MuxWorld.with(engine, { queuePerClient: 3, inFlight: 2 }, echo);
    const client = await world.client();
    for (let n = 0; n < 2_000; n++) client.say(`${n}\n`);
    expect((await client.heard(2_000)).join("")).toBe(lines(2_000));
  });
});
