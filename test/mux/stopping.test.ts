/** The end of a proxy whose clients share connections; and what else a proxy has that holds for it. */
import { describe, expect, test } from "bun:test";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { Proxy } from "../../src/index.ts";
import { formatAddress } from "../../src/net/address.ts";
import { LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { ENGINES } from "../proxy/world.ts";
import { CUTS, Talker } from "./talker.ts";
import { echo, MuxWorld } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("a proxy that is drained answers what is under way, and closes the connection with a FIN", async () => {
    await using world = await MuxWorld.with(engine);
    const client = await world.client();
    client.say("one\ntwo\n");
    const target = await world.target();
    await target.heard(1);
    const drained = world.proxy.drain();
    target.say("one\n");
    await target.heard(2);
    target.say("two\n");
    expect(await client.heard(2)).toEqual(["one\n", "two\n"]);
    expect(target.probe.ended).toBe(false);
    client.probe.finish();
    await client.end();
    await target.end();
    expect(await target.probe.untilClose()).toBeUndefined();
    await drained;
    expect(await world.record()).toMatchObject({ reason: "client_closed", requests: 2 });
    expect(world.view.connections).toBe(0);
  });

  test("one without clients closes its connections at once", async () => {
    await using world = await MuxWorld.with(engine, { connections: 2, warm: 2 });
    await world.target(1);
    await world.until(() => world.view.connections === 2);
    const drained = world.proxy.drain();
    for (const target of world.targets) await target.end();
    await drained;
    expect(world.targets.length).toBe(2);
  });

  test("one that is cut resets clients and connections", async () => {
    await using world = await MuxWorld.with(engine);
    const { one, other, target } = await world.oneWaits();
    world.proxy.cut();
    expect(await one.probe.untilClose()).toBe("ECONNRESET");
    expect(await other.probe.untilClose()).toBe("ECONNRESET");
    expect(await target.probe.untilClose()).toBe("ECONNRESET");
    await world.proxy.drain();
    for (const index of [0, 1]) expect((await world.record(index)).reason).toBe("shutdown");
    expect(world.view).toMatchObject({ connections: 0, waiting: 0, inFlight: 0 });
    expect(world.targets.length).toBe(1);
  });

  test("one client that is cut leaves the others alone", async () => {
    await using world = await MuxWorld.with(engine, { inFlight: 2 });
    const [one, other] = [await world.client(), await world.client()];
    one.say("one\n");
    const target = await world.target();
    await target.heard(1);
    other.say("other\n");
    await target.heard(2);
    const { connections } = await world.proxy.connections(2);
    const [first] = connections.toSorted((a, b) => a.id - b.id);
    expect(await world.proxy.close(first?.id ?? 0)).toBe(true);
    expect(await one.probe.untilClose()).toBe("ECONNRESET");
    target.say("one\nother\n");
    expect(await other.heard(1)).toEqual(["other\n"]);
    expect(world.view).toMatchObject({ repliesDropped: 1, connections: 1 });
  });

  test("observers get what clients send, and faults change what they get", async () => {
    await using world = await MuxWorld.with(engine, {}, echo);
    const copies: Talker[] = [];
    const observer = await world.kit.listen(LOOPBACK, (socket) => {
      copies.push(new Talker(new Probe(socket), CUTS.echo));
      world.kit.later(() => socket.abort());
    });
    await using proxy = await Proxy.bind("127.0.0.1:0", world.proxy.targets[0]?.address ?? "", {
      engine,
      mux: { inFlight: 4 },
      observers: [formatAddress(observer.address)],
      faults: ["latency:latency=20ms"],
    });
    const at = { ...LOOPBACK, port: proxy.port };
    const clients = await Promise.all(
      ["one\n", "other\n"].map(async (text) => {
        const client = new Talker(new Probe(await world.kit.connect(at)), CUTS.echo);
        for (let round = 0; round < 3; round++) expect(await client.ask(text)).toBe(text);
        return client;
      }),
    );
    await world.until(() => copies.flatMap(({ messages }) => messages).length === 6);
    const copied = copies.map(({ messages }) => messages.join("")).toSorted();
    expect(copied).toEqual(["one\n".repeat(3), "other\n".repeat(3)]);
    expect(proxy.mux?.targets[0]).toMatchObject({ requests: 6, connections: 1 });
    for (const client of clients) client.probe.finish();
    for (const client of clients) await client.end();
    expect(world.targets.length).toBe(1);
  });
});
