/** The connections to a target: when there are some, for how long, and what a new configuration does to them. */
import { describe, expect, test } from "bun:test";
import { ENGINES } from "../proxy/world.ts";
import { echo, MuxWorld } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("warm connections are there before any client", async () => {
    await using world = await MuxWorld.with(engine, { connections: 3, warm: 2 }, echo);
    await world.until(() => world.targets.length === 2 && world.view.connections === 2);
    const client = await world.client();
    expect(await client.ask("hello\n")).toBe("hello\n");
    await world.kit.busy(200);
    expect(world.targets.length).toBe(2);
  });

  test("a warm connection that the target closes is replaced", async () => {
    await using world = await MuxWorld.with(engine, { warm: 1 }, echo);
    const target = await world.target();
    target.probe.finish();
    await target.end();
    const other = await world.target(1);
    const client = await world.client();
    expect(await client.ask("hello\n")).toBe("hello\n");
    expect(other.messages).toEqual(["hello\n"]);
  });

  test("without warm ones there is none before the first client, nor more than one for it", async () => {
    await using world = await MuxWorld.with(engine, { connections: 3 }, echo);
    await world.kit.busy(200);
    expect(world.targets.length).toBe(0);
    const client = await world.client();
    for (let round = 0; round < 10; round++) await client.ask(`${round}\n`);
    expect(world.targets.length).toBe(1);
  });

  test("the connection stays when the last client leaves, and the next one uses it", async () => {
    await using world = await MuxWorld.with(engine, {}, echo);
    for (let round = 0; round < 3; round++) {
      const client = await world.client();
      expect(await client.ask(`${round}\n`)).toBe(`${round}\n`);
      client.probe.finish();
      await client.end();
      await world.record(round);
    }
    expect(world.heard).toEqual(["0\n", "1\n", "2\n"]);
    expect(world.targets.length).toBe(1);
    expect(world.view.connections).toBe(1);
  });

  test("it is closed with a FIN when the last client leaves, if that is wanted, and not before", async () => {
    await using world = await MuxWorld.with(engine, { closeWithLast: true }, echo);
    const [one, other] = [await world.client(), await world.client()];
    await one.ask("one\n");
    one.probe.finish();
    await one.end();
    expect(await other.ask("other\n")).toBe("other\n");
    expect(world.targets.length).toBe(1);
    other.probe.abort();
    const target = await world.target();
    await target.end();
    expect(await target.probe.untilClose()).toBeUndefined();
    const third = await world.client();
    expect(await third.ask("third\n")).toBe("third\n");
    expect(world.targets.length).toBe(2);
  });

  test("what is closed with the last client is closed behind the reply that he did not wait for", async () => {
    await using world = await MuxWorld.with(engine, { closeWithLast: true });
    const client = await world.client();
    client.say("question\n");
    const target = await world.target();
    await target.heard(1);
    client.probe.abort();
    await world.record();
    await world.kit.busy(200);
    expect(target.probe.ended).toBe(false);
    target.say("answer\n");
    await target.end();
    expect(world.view.repliesDropped).toBe(1);
  });

  test("one that is not used is closed, but for those that are kept warm", async () => {
    await using world = await MuxWorld.with(engine, { connections: 2, warm: 1, idle: 300 });
    const clients = [await world.client(), await world.client()];
    for (const client of clients) client.say("hello\n");
    await world.until(() => world.heard.length === 2);
    for (const target of world.targets) target.say("hello\n");
    await Promise.all(clients.map((client) => client.heard(1)));
    await world.until(() => world.targets.some(({ probe }) => probe.ended));
    await world.until(() => world.view.connections === 1);
    const rest = world.targets.filter(({ probe }) => !probe.ended);
    expect(rest.length).toBe(1);
    clients[0]?.say("again\n");
    await rest[0]?.heard(2);
  });

  test("one that is too old is replaced, and no request is lost", async () => {
    await using world = await MuxWorld.with(engine, { maxAge: 50, inFlight: 4 }, echo);
    // A target that closes when weir does, as they should.
    const closing = new Set<unknown>();
    const finish = () => {
      for (const { probe } of world.targets) {
        if (!probe.ended || closing.has(probe)) continue;
        closing.add(probe);
        probe.finish();
      }
    };
    const clients = await Promise.all([1, 2, 3].map(() => world.client()));
    let asked = 0;
    while (world.targets.length < 5) {
      asked++;
      for (const client of clients) client.say(`${asked}\n`);
      await world.until(() => {
        finish();
        return clients.every(({ messages, probe }) => messages.length === asked || probe.closed);
      });
    }
    const all = Array.from({ length: asked }, (_, index) => `${index + 1}\n`);
    for (const { messages } of clients) expect(messages).toEqual(all);
    expect(world.heard.length).toBe(3 * asked);
    expect(world.view).toMatchObject({ mismatches: 0, retries: 0, timeouts: 0 });
  });

  test("another configuration lets clients that are here ask for more at once, at once", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 1 });
    const client = await world.client();
    client.say("1\n2\n3\n4\n");
    const target = await world.target();
    await world.until(() => world.view.waiting === 3);
    await world.configure({ inFlight: 3 });
    expect(await target.heard(3)).toEqual(["1\n", "2\n", "3\n"]);
    await world.configure({ inFlight: 1 });
    target.say("1\n2\n");
    await client.heard(2);
    await world.kit.busy(100);
    expect(target.messages.length).toBe(3);
    target.say("3\n");
    await target.heard(4);
  });

  test("another configuration opens more connections for those who wait, at once", async () => {
    await using world = await MuxWorld.with(engine);
    const { other } = await world.oneWaits();
    await world.configure({ connections: 2 });
    const second = await world.target(1);
    await second.heard(1);
    second.say("answer\n");
    expect(await other.heard(1)).toEqual(["answer\n"]);
  });

  test("another configuration with fewer connections closes those that are too many", async () => {
    await using world = await MuxWorld.with(engine, { connections: 2 });
    const clients = [await world.client(), await world.client()];
    for (const client of clients) client.say("hello\n");
    await world.until(() => world.heard.length === 2);
    await world.configure({ connections: 1 });
    for (const target of world.targets) target.say("hello\n");
    await Promise.all(clients.map((client) => client.heard(1)));
    await world.until(() => world.targets.some(({ probe }) => probe.ended));
    await world.until(() => world.view.connections === 1);
    expect(world.targets.filter(({ probe }) => !probe.ended).length).toBe(1);
  });
});
