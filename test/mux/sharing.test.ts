/** Many clients over few connections: each gets what it has asked for, and no more goes on at once than may. */
import { describe, expect, test } from "bun:test";
import { ENGINES } from "../proxy/world.ts";
import { card, modbus, type Talker } from "./talker.ts";
import { echo, MuxWorld } from "./world.ts";

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Answers later, and says how many requests waited for that at most on one connection, and how many there were. */
function slowEcho() {
  const seen = { most: 0 };
  const open = new Map<Talker, string[]>();
  const answer = (message: string, target: Talker) => {
    const waiting = open.get(target) ?? [];
    open.set(target, waiting);
    waiting.push(message);
    seen.most = Math.max(seen.most, waiting.length);
    if (waiting.length === 1) setImmediate(() => target.say(waiting.splice(0).join("")));
    return undefined;
  };
  return { seen, answer };
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("clients share one connection, and each gets its own replies in order", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 8 }, echo);
    await Promise.all(
      upTo(20).map(async (id) => {
        const client = await world.client();
        const asked = upTo(50).map((round) => `${id}: ${round}\n`);
        for (const request of asked) await client.ask(request);
        expect(client.messages).toEqual(asked);
      }),
    );
    expect(world.targets.length).toBe(1);
    expect(world.view).toMatchObject({ requests: 1_000, waiting: 0, inFlight: 0, connections: 1, mismatches: 0 });
  });

  test.each([1, 5])("the target gets %i requests at once and no more", async (inFlight) => {
    await using world = await MuxWorld.with(engine, { inFlight });
    const clients = await Promise.all(upTo(8).map(() => world.client()));
    for (const [id, client] of clients.entries()) client.say(`${id}\n`);
    const target = await world.target();
    await target.heard(inFlight);
    await world.until(() => world.view.waiting === 8 - inFlight);
    await world.kit.busy(200);
    expect(target.messages.length).toBe(inFlight);
    for (let answered = 0; answered < 8; answered++) {
      target.say((await target.heard(answered + 1))[answered] as string);
      await world.until(() => world.view.inFlight === Math.min(inFlight, 7 - answered));
      expect(target.messages.length).toBeLessThanOrEqual(answered + 1 + inFlight);
    }
    for (const [id, client] of clients.entries()) expect(await client.heard(1)).toEqual([`${id}\n`]);
  });

  test("a client may have as many under way as its connection", async () => {
    const { seen, answer } = slowEcho();
    await using world = await MuxWorld.with(engine, { inFlight: 16 }, { answer });
    const client = await world.client();
    const asked = upTo(1_000).map((round) => `${round}\n`);
    for (const request of asked.slice(0, 16)) client.say(request);
    for (let next = 16; next < asked.length; next++) {
      await client.heard(next - 15);
      client.say(asked[next] as string);
    }
    expect(await client.heard(1_000)).toEqual(asked);
    expect(seen.most).toBeLessThanOrEqual(16);
    expect(seen.most).toBeGreaterThan(1);
  });

  test("requests that come together in one piece, or in many, are all answered in order", async () => {
    const { answer } = slowEcho();
    await using world = await MuxWorld.with(engine, { inFlight: 3 }, { answer });
    const [whole, cut] = [await world.client(), await world.client()];
    const asked = upTo(300).map((round) => `request ${round}\n`);
    whole.say(asked.join(""));
    for (const part of asked.join("").match(/[\s\S]{1,7}/g) ?? []) cut.say(part);
    expect(await whole.heard(300)).toEqual(asked);
    expect(await cut.heard(300)).toEqual(asked);
  });

  test("with several connections the replies of each client stay in order", async () => {
    const { seen, answer } = slowEcho();
    await using world = await MuxWorld.with(engine, { connections: 3, inFlight: 4 }, { answer });
    await Promise.all(
      upTo(12).map(async (id) => {
        const client = await world.client();
        const asked = upTo(200).map((round) => `${id}: ${round}\n`);
        for (let from = 0; from < asked.length; from += 10) client.say(asked.slice(from, from + 10).join(""));
        expect(await client.heard(200)).toEqual(asked);
      }),
    );
    expect(world.targets.length).toBe(3);
    expect(seen.most).toBeLessThanOrEqual(4);
  });

  test("connections are opened when there is a use for them, and no more than may be", async () => {
    await using world = await MuxWorld.with(engine, { connections: 3 });
    const first = await world.client();
    await world.until(() => world.view.connections === 1);
    const clients = [first, ...(await Promise.all(upTo(4).map(() => world.client())))];
    for (const [index, client] of clients.entries()) {
      client.say(`${index}\n`);
      await world.until(() => world.view.requests === index + 1);
      const open = Math.min(3, index + 1);
      await world.until(() => world.targets.length === open && world.view.inFlight === open);
    }
    await world.kit.busy(200);
    expect(world.targets.length).toBe(3);
    expect(world.view).toMatchObject({ connections: 3, inFlight: 3, waiting: 2 });
    for (const target of world.targets) target.onMessage = (message) => target.say(message);
    for (const target of world.targets) target.say(target.messages[0] as string);
    for (const [index, client] of clients.entries()) expect(await client.heard(1)).toEqual([`${index}\n`]);
  });

  test("clients that come together and ask nothing need one connection", async () => {
    await using world = await MuxWorld.with(engine, { connections: 3 }, echo);
    const clients = await Promise.all(upTo(5).map(() => world.client()));
    await world.until(() => world.view.connections > 0);
    for (const client of clients) await client.ask("one after the other\n");
    expect(world.targets.length).toBe(1);
  });

  test("a thousand clients over one connection", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 64 }, echo);
    const clients: Talker[] = [];
    while (clients.length < 1_000) clients.push(...(await Promise.all(upTo(50).map(() => world.client()))));
    for (const [id, client] of clients.entries()) client.say(`${id}\n`);
    for (const [id, client] of clients.entries()) expect(await client.heard(1)).toEqual([`${id}\n`]);
    expect(world.targets.length).toBe(1);
    expect(world.view).toMatchObject({ connections: 1, requests: 1_000, inFlight: 0, waiting: 0 });
  });

  test("modbus: the same transaction ids of two clients are told apart, in whatever order replies come", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "modbus", inFlight: 8 });
    const clients = [await world.client(), await world.client()];
    for (const [unit, client] of clients.entries()) for (const id of [7, 8, 9]) client.say(modbus(id, unit, 3, "abcd"));
    const target = await world.target();
    const requests = await target.heard(6);
    expect(new Set(requests.map((request) => request.slice(0, 2))).size).toBe(6);
    for (const request of requests.toReversed()) target.say(request);
    for (const [unit, client] of clients.entries()) {
      const replies = await client.heard(3);
      expect(replies.toSorted()).toEqual([7, 8, 9].map((id) => modbus(id, unit, 3, "abcd")));
    }
  });

  test("modbus: a reply with an id that nobody has is counted and dropped", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "modbus", inFlight: 8 });
    const client = await world.client();
    client.say(modbus(1, 1, 7));
    const target = await world.target();
    const [request = ""] = await target.heard(1);
    target.say(`${String.fromCharCode(0x77, 0x77)}${request.slice(2)}`);
    await world.until(() => world.view.mismatches === 1);
    // The id is right, and the rest is not what was asked.
    target.say(request.slice(0, 6) + modbus(0, 2, 7).slice(6));
    await world.until(() => world.view.mismatches === 2);
    target.say(request);
    expect(await client.heard(1)).toEqual([modbus(1, 1, 7)]);
    expect(world.targets.length).toBe(1);
  });

  test("stan: a request with the key of one under way waits for that one's reply, and others do not", async () => {
    await using world = await MuxWorld.with(engine, { protocol: "iso8583", match: "stan", inFlight: 8 });
    const [one, other] = [await world.client(), await world.client()];
    one.say(card("0200", "000001", "T1"));
    const target = await world.target();
    await target.heard(1);
    other.say(card("0200", "000001", "T1") + card("0200", "000002", "T1"));
    await world.until(() => world.view.requests === 3);
    await world.kit.busy(200);
    expect(target.messages.length).toBe(1);
    target.say(card("0210", "000001", "T1", "00"));
    expect(await one.heard(1)).toEqual([card("0210", "000001", "T1", "00")]);
    await target.heard(3);
    target.say(card("0210", "000002", "T1", "22") + card("0210", "000001", "T1", "11"));
    const replies = [card("0210", "000002", "T1", "22"), card("0210", "000001", "T1", "11")];
    expect(await other.heard(2)).toEqual(replies);
    expect(one.messages.length).toBe(1);
  });
});
