import { describe, expect, test } from "bun:test";
import type { Probe } from "../contract/probe.ts";
import { ENGINES, World } from "./world.ts";

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("relays bytes both ways and counts them while the connection lives", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    await Promise.all([client.send(3_000_000), target.send(5_000_000)]);
    await client.until(() => client.received === 5_000_000, "bytes");
    await target.until(() => target.received === 3_000_000, "bytes");
    expect(world.proxy.metrics()).toEqual({
      connectionsActive: 1,
      connectionsTotal: 1,
      bytesUpstream: 3_000_000,
      bytesDownstream: 5_000_000,
    });
    const [live] = await world.proxy.connections();
    expect(live).toMatchObject({ state: "open", bytesUpstream: 3_000_000, bytesDownstream: 5_000_000 });
  });

  test("passes a FIN on behind its bytes and keeps the other way open", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    client.write(10_000);
    client.finish();
    await target.untilEnd();
    expect(target.received).toBe(10_000);
    expect((await world.proxy.connections())[0]?.state).toBe("half_closed");
    await target.send(4_000_000);
    target.finish();
    expect(await client.untilClose()).toBeUndefined();
    expect(client.received).toBe(4_000_000);
    expect(await world.record()).toMatchObject({ reason: "client_closed", error: null, undeliveredDownstream: 0 });
  });

  test("a client that has sent everything and its FIN before the target answers is served whole", async () => {
    await using world = await World.with(engine);
    const client = await world.client();
    client.write(100);
    client.finish();
    const target = await world.target();
    target.resume();
    await target.untilEnd();
    target.write(200);
    target.finish();
    await client.untilClose();
    expect([target.received, client.received]).toEqual([100, 200]);
  });

  test("the target closing first is told apart", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    target.write(7);
    target.finish();
    await client.untilEnd();
    client.finish();
    expect((await world.record()).reason).toBe("target_closed");
  });

  test("passes a reset on to the target, and to the client", async () => {
    await using world = await World.with(engine);
    const one = await world.both();
    await relayed(one);
    one.client.abort();
    expect(await one.target.untilClose()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "client_reset", error: "ECONNRESET" });
    const two = await world.both();
    await relayed(two);
    two.target.abort();
    expect(await two.client.untilClose()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "target_reset", error: "ECONNRESET" });
  });

  test("what was read before a reset reaches a slow reader first", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    client.pause();
    // More than the kernel holds for the client, so that some of it waits in the proxy when the reset comes.
    const sending = target.send(20_000_000);
    const read = async () => (await world.proxy.connections())[0]?.bytesDownstream ?? 0;
    while ((await read()) === 0) await world.kit.busy();
    await world.kit.busy(100);
    target.abort();
    await sending;
    await world.kit.busy(100);
    const seen = await read();
    expect(seen).toBeGreaterThan(0);
    client.resume();
    expect(await client.untilClose()).toBe("ECONNRESET");
    const record = await world.record();
    expect(record).toMatchObject({ reason: "target_reset", undeliveredDownstream: 0 });
    expect(client.received).toBe(record.bytesDownstream);
  });

  test("a slow reader holds the fast writer back, and nothing is lost", async () => {
    await using world = await World.with(engine);
    const { client, target } = await world.both();
    target.pause();
    const sending = client.send(200_000_000, 500_000).then(() => client.finish());
    await world.kit.busy();
    expect(client.sent).toBeLessThan(60_000_000);
    target.resume();
    await sending;
    await target.untilEnd();
    expect(target.received).toBe(200_000_000);
  });

  test("1,000 connections through the proxy, each whole", async () => {
    await using world = await World.with(engine);
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 50 }, async () => {
          const client = await world.client();
          client.write(1_000);
          client.finish();
          const target = await world.target();
          target.resume();
          await target.untilEnd();
          target.write(500);
          target.finish();
          await target.untilClose();
        }),
      );
    }
    await world.proxy.shutdown({ grace: 60_000 });
    expect(world.proxy.metrics()).toEqual({
      connectionsActive: 0,
      connectionsTotal: 1_000,
      bytesUpstream: 1_000_000,
      bytesDownstream: 500_000,
    });
    expect(world.records.every(({ reason }) => reason === "client_closed")).toBe(true);
  });
});

/** Waits until a byte has gone through: from then on both ends are relayed, not one still being connected. */
async function relayed({ client, target }: { client: Probe; target: Probe }): Promise<void> {
  client.write(1);
  await target.until(() => target.received === 1, "a byte");
}
