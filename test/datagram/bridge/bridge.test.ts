import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { open } from "../../contract/datagram-probe.ts";
import { Probe, pattern } from "../../contract/probe.ts";
import { failure } from "../../failure.ts";
import { ENGINES } from "../../proxy/world.ts";
import { BridgeWorld, bytesOf, endpointOf, endsOf, FREE_PORT, only, texts } from "./world.ts";

describe.each(ENGINES)("a bridge on the %s engine", (engine) => {
  test("sends what comes to any of its ports to all of its destinations", async () => {
    await using world = await BridgeWorld.on(engine);
    const [one, two] = [await world.receiver(), await world.receiver()];
    const bridge = await world.bridge([FREE_PORT, FREE_PORT], [one.address, two.address]);
    const sender = await open(world.kit);
    const { from } = endsOf(bridge);
    for (const [index, end] of from.entries()) {
      sender.send(bytesOf(`to ${index}`), endpointOf(end));
      await one.probe.untilReceived(index + 1);
    }
    await two.probe.untilReceived(2);
    expect(texts(one.probe)).toEqual(["to 0", "to 1"]);
    expect(texts(two.probe)).toEqual(["to 0", "to 1"]);
    const { from: sources, to } = endsOf(bridge);
    expect(sources.map(({ datagrams, bytes }) => [datagrams, bytes])).toEqual([
      [1, 4],
      [1, 4],
    ]);
    expect(to.map(({ datagrams, bytes, unsent }) => [datagrams, bytes, unsent])).toEqual([
      [2, 8, 0],
      [2, 8, 0],
    ]);
  });

  test("passes datagrams of no bytes and of 65,507 as they are", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe, address } = await world.receiver();
    const bridge = await world.bridge([FREE_PORT], [address]);
    const sender = await open(world.kit, { sendBuffer: 1 << 20 });
    const to = endpointOf(only(endsOf(bridge).from));
    sender.send(new Uint8Array(0), to);
    await probe.untilReceived(1);
    sender.send(pattern(7, 65_507), to);
    await probe.untilReceived(2);
    expect(probe.received[0]?.bytes.length).toBe(0);
    expect(Buffer.from(probe.received[1]?.bytes ?? []).equals(pattern(7, 65_507))).toBe(true);
  });

  test("gives each of its connections all that passes from then on, and drops what they send", async () => {
    await using world = await BridgeWorld.on(engine);
    const bridge = await world.bridge([FREE_PORT], ["listen://127.0.0.1:0"]);
    const { from, to } = endsOf(bridge);
    const clients = [await world.connected(only(to)), await world.connected(only(to))];
    await world.told.until(() => world.told.events.length === 2, "both connected");
    for (const client of clients) client.raw = true;
    clients[0]?.writeText("nobody hears this");
    const sender = await open(world.kit);
    for (const text of ["one ", "two ", "three"]) sender.send(bytesOf(text), endpointOf(only(from)));
    for (const client of clients) {
      await client.until(() => client.bytes.length === 13, "all");
      expect(new TextDecoder().decode(client.bytes)).toBe("one two three");
    }
    expect(endsOf(bridge).to[0]?.connections).toBe(2);
    clients[0]?.abort();
    expect(await world.event("disconnected")).toMatchObject({ end: to[0]?.address });
    expect(endsOf(bridge).to[0]?.connections).toBe(1);
    // An orderly end: what was taken is delivered before the FIN.
    sender.send(bytesOf(", four"), endpointOf(only(from)));
    await clients[1]?.until(() => clients[1]?.bytes.length === 19, "the last");
    const drained = bridge.drain();
    await clients[1]?.until(() => clients[1]?.ended === true, "its end");
    clients[1]?.finish();
    await drained;
  });

  test("cuts what connections send it into datagrams", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe, address } = await world.receiver();
    const bridge = await world.bridge(["listen://127.0.0.1:0"], [address], { cut: "lines" });
    const publishers = [];
    for (const name of ["a", "b"]) {
      const publisher = await world.connected(only(endsOf(bridge).from));
      publisher.writeText(`${name} begins, `);
      publishers.push(publisher);
    }
    for (const [index, publisher] of publishers.entries()) {
      publisher.writeText("and ends\nthe rest");
      await probe.untilReceived(index + 1);
    }
    publishers[1]?.finish();
    await probe.untilReceived(3);
    expect(texts(probe)).toEqual(["a begins, and ends\n", "b begins, and ends\n", "the rest"]);
  });

  test("what a connection has sent of a line goes out before a drain is over, and the file is closed behind it", async () => {
    await using world = await BridgeWorld.on(engine);
    const path = join(world.kit.directory(), "feed");
    const { probe, address } = await world.receiver();
    const bridge = await world.bridge(["listen://127.0.0.1:0"], [address, `file:${path}`], { cut: "lines" });
    const publisher = await world.connected(only(endsOf(bridge).from));
    publisher.writeText("a line\nand a part");
    await probe.untilReceived(1);
    await bridge.drain();
    expect(readFileSync(path, "utf8")).toBe("a line\nand a part");
    await probe.untilReceived(2);
    expect(texts(probe)).toEqual(["a line\n", "and a part"]);
    expect(only(endsOf(bridge).from).connections).toBe(0);
  });

  test("connects a source again that has gone, and says so once each time", async () => {
    await using world = await BridgeWorld.on(engine);
    const { probe, address } = await world.receiver();
    let feed: Probe | undefined;
    const first = await world.server((socket) => {
      feed = new Probe(socket, true);
      feed.writeText("first");
    });
    const port = first.address.kind === "tcp" ? first.address.port : 0;
    const bridge = await world.bridge([`tcp://127.0.0.1:${port}`], [address]);
    await probe.untilReceived(1);
    await first.close();
    feed?.abort();
    expect(await world.event("source_lost")).toMatchObject({ end: `tcp://127.0.0.1:${port}` });
    await world.server((socket) => new Probe(socket, true).writeText("second"), port);
    await world.event("source_back");
    await probe.untilReceived(2);
    expect(texts(probe)).toEqual(["first", "second"]);
    const { connections, failures } = only(endsOf(bridge).from);
    expect(connections).toBe(1);
    expect(failures).toBeGreaterThan(0);
    expect(world.told.events.filter(({ event }) => event === "source_lost")).toHaveLength(1);
  });

  test("writes what passes to the end of a file, puts a full one aside, and says when it cannot", async () => {
    await using world = await BridgeWorld.on(engine);
    const directory = world.kit.directory();
    const path = join(directory, "feed");
    writeFileSync(path, "before ");
    const file = { maxSize: 20, keep: 1, fsync: "always" } as const;
    const { probe, address } = await world.receiver();
    const bridge = await world.bridge([FREE_PORT], [`file:${path}`, address], { file });
    const sender = await open(world.kit);
    const to = endpointOf(only(endsOf(bridge).from));
    for (const [index, text] of ["0123456789", "abcdefghij", "klm"].entries()) {
      sender.send(bytesOf(text), to);
      await probe.untilReceived(index + 1);
    }
    expect(readFileSync(`${path}.1`, "utf8")).toBe("before 0123456789");
    expect(readFileSync(path, "utf8")).toBe("abcdefghijklm");
    const none = join(directory, "none", "feed");
    expect(await failure(world.bridge([FREE_PORT], [`file:${none}`]))).toMatchObject({
      name: "FileError",
      code: "ENOENT",
    });
  });

  test("an address that is taken is an error that names it, and leaves nothing open", async () => {
    await using world = await BridgeWorld.on(engine);
    const taken = await open(world.kit);
    const { address } = await world.receiver();
    const at = `udp://127.0.0.1:${taken.socket.local.port}`;
    const free = await open(world.kit);
    const port = free.socket.local.port;
    free.shut();
    await free.until(() => free.closes === 1, "the port is free");
    const opening = world.bridge([`udp://127.0.0.1:${port}`, at], [address]);
    expect(await failure(opening)).toMatchObject({
      code: "EADDRINUSE",
      message: expect.stringContaining(String(taken.socket.local.port)),
    });
    await open(world.kit, { port });
  });

  test("counts answers that nobody listens there, and goes on", async () => {
    await using world = await BridgeWorld.on(engine);
    const gone = await open(world.kit);
    const { probe, address } = await world.receiver();
    gone.shut();
    await gone.until(() => gone.closes === 1, "closed");
    const bridge = await world.bridge([FREE_PORT], [`udp://127.0.0.1:${gone.socket.local.port}`, address]);
    const sender = await open(world.kit);
    const to = endpointOf(only(endsOf(bridge).from));
    for (let count = 1; endsOf(bridge).to[0]?.refused === 0; count++) {
      sender.send(bytesOf(String(count)), to);
      await probe.untilReceived(count);
      expect(count).toBeLessThan(100_000);
    }
  });

  test("a file is sent in whole datagrams to its end, and then the bridge is finished", async () => {
    await using world = await BridgeWorld.on(engine);
    const path = join(world.kit.directory(), "in");
    writeFileSync(path, pattern(0, 10_000));
    const { probe, address } = await world.receiver();
    const bridge = await world.bridge([`file:${path}`], [address], { datagramSize: 1_000 });
    await bridge.finished;
    await probe.untilReceived(10);
    expect(Buffer.concat(probe.received.map(({ bytes }) => bytes)).equals(pattern(0, 10_000))).toBe(true);
    expect(probe.received.every(({ bytes }) => bytes.length === 1_000)).toBe(true);
  });
});
