import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runtime } from "#runtime";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { Proxy, type ProxyOptions } from "../../src/index.ts";
import { type Address, formatAddress } from "../../src/net/address.ts";
import { deferred, Kit, NOBODY } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { ENGINES, World } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("a refused target resets the client and is reported by name", async () => {
    await using world = await World.with(engine, {}, formatAddress(NOBODY));
    const client = await world.client();
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "connect_refused", error: "ECONNREFUSED", connectTime: null });
  });

  test("a target that comes back in time is found by a retry, and the client notices nothing", async () => {
    const kit = new Kit(runtime);
    // A path is nobody else's; the port of a listener that is gone may be taken by the next socket.
    const place: Address = { kind: "unix", path: join(kit.directory(), "target") };
    await using world = await World.with(engine, { retries: 100 }, formatAddress(place));
    const client = await world.client();
    client.write(1_000);
    const tried = async () => ((await world.proxy.connections())[0]?.retries ?? 0) > 0;
    while (!(await tried())) await world.kit.busy(20);
    const arrived = deferred<Probe>();
    await kit.listen(place, (socket) => arrived.resolve(new Probe(socket)));
    const target = await arrived.promise;
    await target.until(() => target.received === 1_000, "what the client sent meanwhile");
    client.abort();
    const record = await world.record();
    expect(record.reason).toBe("client_reset");
    expect(record.retries).toBeGreaterThan(0);
    await kit.clean();
  });

  test("a target that stays away is tried as often as was asked for", async () => {
    await using world = await World.with(engine, { retries: 2 }, formatAddress(NOBODY));
    const client = await world.client();
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "connect_refused", error: "ECONNREFUSED", retries: 2 });
    const other = await world.client();
    other.abort();
    expect(await world.record()).toMatchObject({ reason: "client_gone" });
  });

  test("a silent target resets the client after the connect timeout", async () => {
    const kit = new Kit(runtime);
    const silent = await kit.silentListener();
    await using world = await World.with(engine, { timeouts: { connect: 50 } }, formatAddress(silent));
    for (let n = 0; n < 2; n++) {
      const client = await world.client();
      expect(await client.untilClose()).toBe("ECONNRESET");
      expect(await world.record()).toMatchObject({ reason: "connect_timeout", error: "ETIMEDOUT" });
    }
    await kit.clean();
  });

  test("a client that leaves while its target is being connected is forgotten", async () => {
    const kit = new Kit(runtime);
    const silent = await kit.silentListener();
    await using world = await World.with(engine, {}, formatAddress(silent));
    const client = await world.client();
    client.write(1_000);
    await world.kit.busy(20);
    client.abort();
    expect(await world.record()).toMatchObject({ reason: "client_gone" });
    expect(await world.proxy.connections()).toEqual([]);
    await kit.clean();
  });

  test("two peers that stop reading and then reset do not keep the connection between them alive", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    client.write(1_000);
    target.write(1_000);
    await Promise.all([client, target].map((peer) => peer.until(() => peer.received === 1_000, "the first bytes")));
    for (const peer of [client, target]) peer.pause();
    while (client.write(500_000));
    while (target.write(500_000));
    await world.kit.busy();
    client.abort();
    target.abort();
    expect((await world.record()).reason).toMatch(/^(client|target)_reset$/);
  });

  test("the idle timeout ends a silent connection", async () => {
    await using world = await World.with(engine, { timeouts: { idle: 60 } });
    const { client, target } = await world.both();
    client.write(10);
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await target.untilClose()).toBe("ECONNRESET");
    expect((await world.record()).reason).toBe("idle_timeout");
  });

  test("the idle timeout leaves a connection alone on which bytes move", async () => {
    await using world = await World.with(engine, { timeouts: { idle: 400 } });
    const { client, target } = await world.both();
    const start = runtime.now();
    // One byte after the other until well past the timeout: the clock decides how many, the outcome is the same.
    while (runtime.now() - start < 900) {
      const goal = client.sent + 1;
      client.write(1);
      await target.until(() => target.received >= goal, "a byte");
    }
    expect(client.closed).toBe(false);
  });

  test("the fin timeout bounds a connection whose other half stays open in silence", async () => {
    await using world = await World.with(engine, { timeouts: { fin: 60 } });
    const { client, target } = await world.both();
    client.finish();
    await target.untilEnd();
    expect(await target.untilClose()).toBe("ECONNRESET");
    expect((await world.record()).reason).toBe("fin_timeout");
  });

  test("the lifetime ends a connection whose target does not answer", async () => {
    const kit = new Kit(runtime);
    const silent = await kit.silentListener();
    await using world = await World.with(engine, { timeouts: { lifetime: 60, connect: 0 } }, formatAddress(silent));
    const client = await world.client();
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect((await world.record()).reason).toBe("lifetime");
    await kit.clean();
  });

  test("the lifetime ends a busy connection", async () => {
    await using world = await World.with(engine, { timeouts: { lifetime: 100 } });
    const { client, target } = await world.both();
    target.onData = () => target.write(1);
    client.onData = () => client.write(1);
    client.write(1);
    await client.untilClose();
    expect((await world.record()).reason).toBe("lifetime");
  });

  test("bytes that were read and never taken are counted as undelivered", async () => {
    await using world = await World.with(engine, { timeouts: { idle: 200 } });
    const { client, target } = await world.both();
    target.pause();
    const sending = client.send(100_000_000, 500_000);
    const record = await world.record();
    await sending;
    expect(record.reason).toBe("idle_timeout");
    expect(record.undeliveredUpstream).toBeGreaterThan(0);
  });

  test("shutdown lets a connection finish within the grace period", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    const stopped = world.proxy.shutdown({ grace: 60_000 });
    // Who comes at the last moment may still be served.
    const late = async () => (await world.client()).abort();
    for (let code = ""; code !== "ECONNREFUSED"; ) await late().catch((error: { code: string }) => (code = error.code));
    await target.send(10_000_000);
    target.finish();
    await client.untilEnd();
    client.finish();
    await stopped;
    await world.proxy.run();
    expect(client.received).toBe(10_000_000);
    let record = await world.record();
    while (record.bytesDownstream === 0) record = await world.record();
    expect(record.reason).toBe("target_closed");
  });

  test("shutdown cuts what is left after the grace period, and a second call cuts sooner", async () => {
    await using world = await World.with(engine);
    const first = await world.both();
    const slow = world.proxy.shutdown({ grace: 60_000 });
    await world.proxy.shutdown();
    await slow;
    expect(await first.client.untilClose()).toBe("ECONNRESET");
    expect((await world.record()).reason).toBe("shutdown");
  });

  test("an option that is undefined has its default", async () => {
    const options = { timeouts: { connect: undefined }, buffer: undefined } as unknown as ProxyOptions;
    await using world = await World.with(engine, options, formatAddress(NOBODY));
    const client = await world.client();
    await client.untilClose();
    expect((await world.record()).reason).toBe("connect_refused");
    await expect(world.proxy.shutdown({ grace: Number.POSITIVE_INFINITY })).rejects.toMatchObject({ code: "EOPTION" });
  });
});

test("bind names what is wrong", async () => {
  const bind = (listen: string, target: string, options = {}) => Proxy.bind(listen, target, options);
  await expect(bind("127.0.0.1", "127.0.0.1:1")).rejects.toMatchObject({ code: "EADDRESS" });
  await expect(bind("127.0.0.1:4000", "127.0.0.1:4000")).rejects.toMatchObject({ code: "ELOOP" });
  await expect(bind("127.0.0.1:0", "127.0.0.1:1", { buffer: 1 })).rejects.toMatchObject({ code: "EOPTION" });
  await expect(bind("127.0.0.1:0", "127.0.0.1:1", { timeouts: { idle: -1 } })).rejects.toMatchObject({
    code: "EOPTION",
  });
  await using taken = await bind("127.0.0.1:0", "127.0.0.1:1");
  await expect(bind(taken.address, "127.0.0.1:1")).rejects.toMatchObject({ code: "EADDRINUSE" });
});
