/** What comes right behind a PROXY header was read before there was a target: none of it is lost, on each engine. */
import { describe, expect, test } from "bun:test";
import type { ProxyOptions } from "../../src/index.ts";
import { parseAddress } from "../../src/net/address.ts";
import { deferred } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { begin, v1Ipv4 } from "./headers.ts";
import { ENGINES, World } from "./world.ts";

const HEADER = v1Ipv4("203.0.113.7");
const CLIENT = "203.0.113.7:5000";

/** Around what a runtime reads at once, the buffers below, and what the kernel holds of a unix stream. */
const SIZES = [1, 65_536 - HEADER.length, 65_536, 300_000, 600_000, 5_000_000];

describe.each(ENGINES)("on the %s engine", (engine) => {
  const world = (options: ProxyOptions = {}, target?: string) =>
    World.with(engine, { ...options, proxyProtocol: { acceptFrom: ["127.0.0.0/8"] } }, target);

  /** A world whose target is a path at which nobody listens yet. */
  async function latecomer(options: ProxyOptions) {
    const at = await World.with("portable");
    const path = `unix:${at.kit.directory()}/target.sock`;
    const it = await world(options, path);
    const arrived = deferred<Probe>();
    return {
      it,
      /** Begins to listen; resolves with the connection, which is not read. */
      async come(): Promise<Probe> {
        await it.kit.listen(parseAddress(path, "listen"), (socket) => arrived.resolve(new Probe(socket, false)));
        return await arrived.promise;
      },
      async [Symbol.asyncDispose]() {
        await it[Symbol.asyncDispose]();
        await at[Symbol.asyncDispose]();
      },
    };
  }

  describe.each([1_024, 262_144])("with a buffer of %p bytes", (buffer) => {
    test.each(SIZES)("%p bytes reach a target that is slow to connect and slow to read", async (size) => {
      await using late = await latecomer({ buffer, retries: 100 });
      const { it } = late;
      const client = await it.client();
      begin(client, HEADER, size);
      await it.inState("connecting", 1);
      const target = await late.come();
      await it.inState("open", 1);
      await it.kit.busy(100);
      target.resume();
      await target.until(() => target.received === size, "all bytes");
      client.write(1_000);
      client.finish();
      await target.untilEnd();
      expect(target.received).toBe(size + 1_000);
      target.write(5);
      target.finish();
      expect(await client.untilClose()).toBeUndefined();
      const moved = { bytesUpstream: size + 1_000, bytesDownstream: 5, undeliveredUpstream: 0 };
      expect(await it.record()).toMatchObject({ client: CLIENT, reason: "client_closed", ...moved });
      expect(it.proxy.metrics()).toMatchObject({ connectionsActive: 0, bytesUpstream: size + 1_000 });
    });
  });

  test("many such connections at once, each in pieces of its own, get all their bytes across", async () => {
    await using it = await world({ buffer: 4_096 });
    const sizes = [3, 50, 4_096, 70_000, 1_000_000, 2_000_000];
    const clients = await Promise.all(sizes.map(() => it.client()));
    const sending = clients.map(async (client, n) => {
      begin(client, HEADER.subarray(0, 7 * n));
      begin(client, HEADER.subarray(7 * n), n);
      await client.send((sizes[n] as number) - n, 1_000 * n + 1);
      client.finish();
    });
    const received: number[] = [];
    for (const _ of sizes) {
      const target = await it.target();
      target.resume();
      await target.untilEnd();
      received.push(target.received);
      target.finish();
    }
    await Promise.all(sending);
    expect(received.sort((a, b) => a - b)).toEqual(sizes);
    for (const _ of sizes) expect(await it.record()).toMatchObject({ client: CLIENT, undeliveredUpstream: 0 });
    const sum = sizes.reduce((total, size) => total + size);
    expect(it.proxy.metrics()).toMatchObject({ connectionsTotal: sizes.length, bytesUpstream: sum });
  });

  test("they wait with their connection in the queue, and are counted when it goes on", async () => {
    await using it = await world({ maxConnections: 1 });
    const first = await it.client();
    begin(first, HEADER);
    await it.target();
    const second = await it.client();
    begin(second, HEADER, 200_000);
    second.finish();
    await it.kit.busy(100);
    await it.inState("waiting", 1);
    first.abort();
    const target = await it.target();
    target.resume();
    await target.untilEnd();
    expect(target.received).toBe(200_000);
    target.finish();
    expect(await it.record()).toMatchObject({ reason: "client_reset", bytesUpstream: 0 });
    expect(await it.record()).toMatchObject({ client: CLIENT, reason: "client_closed", bytesUpstream: 200_000 });
  });

  test("whoever resets its connection while it waits is gone at once, and its bytes are told of as lost", async () => {
    await using it = await world({ maxConnections: 1, queue: { size: 1, timeout: 0 } });
    begin(await it.client(), HEADER);
    await it.target();
    const second = await it.client();
    begin(second, HEADER, 100);
    await it.inState("waiting", 1);
    // Until the header has been read, which gives it the other address.
    for (let read = false; !read; ) {
      read = (await it.proxy.connections()).every(({ client }) => client === CLIENT);
      await it.kit.busy(1);
    }
    second.abort();
    const told = { client: CLIENT, reason: "client_gone", target: null, error: "ECONNRESET" };
    expect(await it.record()).toMatchObject({ ...told, bytesUpstream: 100, undeliveredUpstream: 100 });
    // Its place in the queue is free.
    begin(await it.client(), HEADER);
    await it.inState("waiting", 1);
  });

  test("a target that cannot be connected: the client is reset, and the bytes are told of as lost", async () => {
    await using late = await latecomer({});
    const { it } = late;
    const client = await it.client();
    begin(client, HEADER, 100);
    expect(await client.untilClose()).toBe("ECONNRESET");
    const lost = { bytesUpstream: 100, undeliveredUpstream: 100 };
    expect(await it.record()).toMatchObject({ client: CLIENT, reason: "connect_refused", ...lost });
    expect(it.proxy.metrics()).toMatchObject({ bytesUpstream: 100 });
  });

  test("a FIN right behind them is passed on, and the other way stays open", async () => {
    await using it = await world();
    for (const early of [0, 100]) {
      const client = await it.client();
      begin(client, HEADER, early);
      client.finish();
      const target = await it.target();
      target.resume();
      await target.untilEnd();
      expect(target.received).toBe(early);
      expect(await it.proxy.connections()).toMatchObject([{ client: CLIENT, state: "half_closed" }]);
      await target.send(1_000_000);
      target.finish();
      expect(await client.untilClose()).toBeUndefined();
      expect(client.received).toBe(1_000_000);
      const moved = { bytesUpstream: early, bytesDownstream: 1_000_000 };
      expect(await it.record()).toMatchObject({ client: CLIENT, reason: "client_closed", ...moved });
    }
  });

  test("resets are passed on behind them, both ways", async () => {
    await using it = await world();
    const one = await it.client();
    begin(one, HEADER, 100);
    const first = await it.target();
    first.resume();
    await first.until(() => first.received === 100, "the bytes");
    one.abort();
    expect(await first.untilClose()).toBe("ECONNRESET");
    const ended = { client: CLIENT, error: "ECONNRESET", bytesUpstream: 100 };
    expect(await it.record()).toMatchObject({ ...ended, reason: "client_reset" });
    const two = await it.client();
    begin(two, HEADER, 100);
    const second = await it.target();
    second.resume();
    await second.until(() => second.received === 100, "the bytes");
    second.abort();
    expect(await two.untilClose()).toBe("ECONNRESET");
    expect(await it.record()).toMatchObject({ ...ended, reason: "target_reset" });
  });

  test("a target that is gone with some of them unread: what it did not get is counted", async () => {
    await using late = await latecomer({ buffer: 1_024, retries: 100 });
    const { it } = late;
    const client = await it.client();
    begin(client, HEADER, 5_000_000);
    const target = await late.come();
    await it.inState("open", 1);
    await it.kit.busy(100);
    target.abort();
    await client.untilClose();
    const { bytesUpstream, undeliveredUpstream } = await it.record();
    expect(bytesUpstream).toBeGreaterThan(0);
    expect(undeliveredUpstream).toBeLessThanOrEqual(bytesUpstream);
    expect(it.proxy.metrics()).toMatchObject({ connectionsActive: 0, bytesUpstream });
  });
});
