/** The UDP relay on real sockets, on each engine. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Proxy as Relay } from "../../../src/index.ts";
import { ENGINES, Peer, turn, UdpWorld } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("replies reach the right one of many clients", async () => {
    await using world = await UdpWorld.with(engine);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.client()));
    const ask = async (round: number) => {
      const answers = await Promise.all(clients.map((client, index) => client.ask(`${index} ${round}`, world.port)));
      expect(answers).toEqual(clients.map((_, index) => `${index} ${round}`));
    };
    for (let round = 0; round < 5; round++) await ask(round);
    expect(new Set(world.target.from.map(({ port }) => port)).size).toBe(20);
    expect(world.proxy.metrics()).toMatchObject({ connectionsActive: 20, connectionsTotal: 20 });
    expect(clients.every(({ from }) => from.every(({ port }) => port === world.port))).toBe(true);
    expect(world.proxy.engine).toBe(engine);
  });

  test("datagrams of every size keep their boundaries and their bytes", async () => {
    await using world = await UdpWorld.with(engine);
    const client = await world.client();
    const sizes = fc.oneof(fc.constantFrom(0, 1, 1_200, 1_400, 1_452, 65_507), fc.integer({ min: 0, max: 65_507 }));
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 0, max: 255 }), async (size, seed) => {
        const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 31 + seed) & 255);
        const before = client.heard.length;
        client.say(bytes, world.port);
        await client.hears(before + 1);
        expect(Buffer.compare(client.heard[before] as Uint8Array, bytes)).toBe(0);
        expect(client.heard).toHaveLength(before + 1);
      }),
      {
        numRuns: 60,
        examples: [
          [0, 0],
          [65_507, 1],
        ],
      },
    );
  });

  test("a target may say more than it was asked, and first", async () => {
    await using world = await UdpWorld.with(engine);
    const client = await world.client();
    world.target.answer = undefined;
    client.say("", world.port);
    await world.target.hears(1);
    expect(world.target.heard[0]).toHaveLength(0);
    const [session] = world.target.from;
    for (const text of ["a", "", "b"]) world.target.say(text, session?.port ?? 0);
    await client.hears(3);
    expect(client.texts).toEqual(["a", "", "b"]);
  });

  test("nobody but the target is heard on the socket of a session", async () => {
    await using world = await UdpWorld.with(engine);
    const [client, stranger] = [await world.client(), await world.client()];
    await client.ask("one", world.port);
    stranger.say("forged", world.target.from[0]?.port ?? 0);
    await client.ask("two", world.port);
    expect(client.texts).toEqual(["one", "two"]);
  });

  test("an idle session ends and the next datagram begins another, from another port", async () => {
    await using world = await UdpWorld.with(engine, { timeouts: { idle: 50 } });
    const client = await world.client();
    await client.ask("one", world.port);
    await world.ends(1);
    expect(world.records[0]).toMatchObject({ reason: "idle_timeout", bytesUpstream: 3, bytesDownstream: 3 });
    await client.ask("two", world.port);
    expect(world.proxy.metrics().connectionsTotal).toBe(2);
  });

  test("the cap evicts the idlest", async () => {
    await using world = await UdpWorld.with(engine, { maxConnections: 2 });
    const clients = [await world.client(), await world.client(), await world.client()];
    for (const client of clients) {
      await client.ask("one", world.port);
    }
    await world.ends(1);
    expect(world.records[0]).toMatchObject({
      client: `127.0.0.1:${clients[0]?.port}`,
      reason: "evicted",
      rule: "max_connections 2",
    });
    expect(world.proxy.metrics().connectionsActive).toBe(2);
  });

  test("clients go round among the targets, and stay where they are", async () => {
    const targets = [await Peer.open(), await Peer.open()];
    for (const [index, target] of targets.entries()) target.answer = () => new TextEncoder().encode(`${index}`);
    {
      await using world = await UdpWorld.with(engine, {}, { targets: targets.map(({ address }) => address) });
      const clients = await Promise.all(Array.from({ length: 6 }, () => world.client()));
      for (const client of clients) await client.ask("?", world.port);
      for (const client of clients) await client.ask("?", world.port);
      for (const client of clients) expect(new Set(client.texts).size).toBe(1);
      expect(clients.map(({ texts }) => texts[0]).sort()).toEqual(["0", "0", "0", "1", "1", "1"]);
    }
    for (const target of targets) await target.leave();
  });

  test("a target that refuses ends the session by name, and another one answers", async () => {
    const [gone, other] = [await Peer.open(), await Peer.open()];
    other.answer = (chunk) => chunk.slice();
    await gone.leave();
    {
      await using world = await UdpWorld.with(engine, { balance: "first" }, { targets: [gone.address, other.address] });
      const client = await world.client();
      // Each that is refused counts as a failure; after three the target is left alone.
      for (let asked = 0; client.heard.length === 0; asked++) {
        client.say(`${asked}`, world.port);
        await turn();
      }
      await world.ends(3);
      expect(world.records[0]).toMatchObject({
        target: gone.address.slice("udp://".length),
        reason: "target_refused",
        error: "ECONNREFUSED",
      });
    }
    await other.leave();
  });

  test("the PROXY header is ahead of the first datagram, and of no other", async () => {
    await using world = await UdpWorld.with(engine, { proxyProtocol: { send: "v2" } });
    const client = await world.client();
    world.target.answer = undefined;
    client.say("one", world.port);
    client.say("two", world.port);
    await world.target.hears(2);
    const [first, second] = world.target.heard;
    // Section 2.2: version 2, PROXY, AF_INET and DGRAM.
    expect([...(first?.subarray(12, 14) ?? [])]).toEqual([0x21, 0x12]);
    const length = 16 + 12;
    expect(new TextDecoder().decode(first?.subarray(length))).toBe("one");
    const view = new DataView((first as Uint8Array).buffer, (first as Uint8Array).byteOffset + 16);
    expect([view.getUint32(0), view.getUint16(8), view.getUint16(10)]).toEqual([0x7f000001, client.port, world.port]);
    expect(new TextDecoder().decode(second)).toBe("two");
  });

  test("one session can be closed by its id", async () => {
    await using world = await UdpWorld.with(engine);
    const client = await world.client();
    await client.ask("one", world.port);
    const [session] = await world.proxy.connections();
    expect(session).toMatchObject({ state: "open", datagrams: { upstream: 1, downstream: 1 } });
    expect(await world.proxy.closeConnection(session?.id ?? 0)).toBe(true);
    await world.ends(1);
    expect(world.records[0]?.reason).toBe("closed_by_admin");
    expect(await world.proxy.connections()).toEqual([]);
  });

  test("sessions leave from the address that was said", async () => {
    await using world = await UdpWorld.with(engine, { source: "127.0.0.3" });
    const client = await world.client();
    await client.ask("one", world.port);
    expect(world.target.from[0]?.host).toBe("127.0.0.3");
  });

  test("who is denied gets no answer", async () => {
    await using world = await UdpWorld.with(engine, { deny: ["127.0.0.2"] });
    const [good, bad] = [await world.client(), await world.client("127.0.0.2")];
    bad.say("let me in", world.port);
    await world.ends(1);
    expect(await good.ask("hello", world.port)).toBe("hello");
    expect(world.records[0]).toMatchObject({ reason: "denied", rule: "deny 127.0.0.2", target: null });
    expect(bad.heard).toEqual([]);
  });

  test("both families at once, towards a target of either", async () => {
    await using world = await UdpWorld.with(engine, {}, { listen: "udp://:0" });
    const [four, six] = [await world.client(), await world.client("::1")];
    expect(await four.ask("four", world.port)).toBe("four");
    six.say("six", world.port, "::1");
    await six.hears(1);
    const clients = (await world.proxy.connections()).map(({ client }) => client);
    expect(clients).toEqual([`127.0.0.1:${four.port}`, `[::1]:${six.port}`]);
  });

  test("faults come and go while sessions live", async () => {
    await using world = await UdpWorld.with(engine);
    const client = await world.client();
    await client.ask("one", world.port);
    await world.proxy.setFaults(["drop_datagram:probability=1,stream=upstream"]);
    for (let count = 0; count < 3; count++) client.say("lost", world.port);
    while (world.proxy.metrics().bytesUpstream < 15) await turn();
    await world.proxy.setFaults(["duplicate_datagram:probability=1"]);
    client.say("two", world.port);
    await client.hears(3);
    expect(client.texts.slice(-2)).toEqual(["two", "two"]);
    await world.proxy.down();
    await world.ends(1);
    expect(world.records[0]).toMatchObject({ reason: "fault", rule: "down: down" });
    await world.proxy.up();
    await world.proxy.setFaults([]);
    expect(await client.ask("three", world.port)).toBe("three");
  });

  test("shutdown without grace ends all, and the port is free", async () => {
    const world = await UdpWorld.with(engine);
    const { port } = world;
    const client = await world.client();
    await client.ask("one", port);
    await world[Symbol.asyncDispose]();
    expect(world.records[0]?.reason).toBe("shutdown");
    await (await Peer.open("127.0.0.1", port)).leave();
  });

  test("an address that is taken is told", async () => {
    const taken = await Peer.open();
    await expect(Relay.bind(taken.address, "10.0.0.1:53", { engine })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await taken.leave();
  });
});
