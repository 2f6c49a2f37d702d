/** What toxics do to real connections, set by a client of Toxiproxy. Times have lower bounds alone: machines are busy. */
import { describe, expect, test } from "bun:test";
import { formatAddress } from "../../src/net/address.ts";
import { deferred, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { echoed, roundTrip, toxic, world } from "./toxiproxy-world.ts";

/** Timers of some runtimes are early by up to a millisecond. */
const EARLY = 1;

/** Bytes that a client has on their way at most. */
const WINDOW = 1_000_000;

/** Measures until `over`, from now on. */
async function tookAtLeast(ms: number, over: () => Promise<unknown>): Promise<void> {
  const begin = performance.now();
  await over();
  expect(performance.now() - begin).toBeGreaterThanOrEqual(ms - EARLY);
}

describe.each(["portable", "native"] as const)("on the %s engine", (engine) => {
  test("latency delays the answer, and upstream the question as well", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const client = await it.client(proxy);
    await roundTrip(client);
    await proxy.addToxic(toxic("latency", { latency: 100, jitter: 0 }));
    await tookAtLeast(100, () => roundTrip(client));
    await proxy.addToxic(toxic("latency", { latency: 150, jitter: 50 }, { name: "there", stream: "upstream" }));
    await tookAtLeast(200, () => roundTrip(client));
    await tookAtLeast(200, async () => roundTrip(await it.client(proxy)));
  });

  test("bandwidth lets so many bytes through in a second", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const client = await it.client(proxy);
    await proxy.addToxic(toxic("bandwidth", { rate: 200 }));
    await tookAtLeast(300, async () => {
      await client.send(60_000);
      await echoed(client);
    });
  });

  test("slow_close delays the end, and no bytes", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const client = await it.client(proxy);
    await proxy.addToxic(toxic("slow_close", { delay: 300 }));
    client.write(1_000);
    await tookAtLeast(300, async () => {
      client.finish();
      await echoed(client);
      expect(client.ended).toBe(false);
      await client.untilEnd();
    });
    expect(await client.untilClose()).toBeUndefined();
  });

  test("timeout lets nothing through, and then ends the connection", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    await proxy.addToxic(toxic("timeout", { timeout: 200 }));
    await tookAtLeast(200, async () => {
      const client = await it.client(proxy);
      client.write(1_000);
      await client.untilEnd();
      expect(client.received).toBe(0);
    });
  });

  test("reset_peer resets both sides, at once or later", async () => {
    await using it = await world({ engine });
    const { promise, resolve } = deferred<Probe>();
    const { address } = await it.kit.listen(LOOPBACK, (socket) => resolve(new Probe(socket)));
    const proxy = await it.create({ upstream: formatAddress(address) });
    const reset = await proxy.addToxic(toxic("reset_peer", { timeout: 0 }, { stream: "upstream" }));
    const client = await it.client(proxy);
    client.write(100);
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await (await promise).untilClose()).toBe("ECONNRESET");
    expect((await promise).received).toBe(0);
    await reset.update(toxic("reset_peer", { timeout: 200 }));
    const other = await it.client(proxy);
    await tookAtLeast(200, async () => {
      other.write(100);
      expect(await other.untilClose()).toBe("ECONNRESET");
    });
    expect(other.received).toBe(0);
  });

  test("slicer cuts into pieces, with a pause between them", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const client = await it.client(proxy);
    await proxy.addToxic(toxic("slicer", { average_size: 100, size_variation: 0, delay: 20_000 }));
    await tookAtLeast(180, async () => {
      client.write(1_000);
      await client.until(() => client.received > 0, "the first piece");
      expect(client.received % 100).toBe(0);
      await echoed(client);
    });
  });

  test.each([0, 1, 1_000])("limit_data lets %i bytes through, and then ends the connection", async (bytes) => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const client = await it.client(proxy);
    await proxy.addToxic(toxic("limit_data", { bytes }));
    client.write(5_000);
    await client.untilEnd();
    expect(client.received).toBe(bytes);
  });

  /** What each holds back is there when it is gone, in order, and the end behind it. */
  test.each([
    toxic("latency", { latency: 60_000, jitter: 1_000 }),
    toxic("bandwidth", { rate: 0 }),
    toxic("slow_close", { delay: 60_000 }),
    toxic("timeout", { timeout: 0 }),
    toxic("timeout", { timeout: 60_000 }),
    toxic("reset_peer", { timeout: 60_000 }),
    toxic("slicer", { average_size: 1, size_variation: 0, delay: 60_000_000 }),
    toxic("limit_data", { bytes: 10_000_000 }),
  ])("$type that is removed or weakened is as if it had never been", async (body) => {
    await using it = await world({ engine });
    const proxy = await it.create();
    for (const stream of ["upstream", "downstream"] as const) {
      const client = await it.client(proxy);
      await roundTrip(client);
      const added = await proxy.addToxic({ ...body, stream });
      await client.send(100_000);
      client.finish();
      await added.remove();
      await echoed(client);
      await client.untilEnd();
      expect(await client.untilClose()).toBeUndefined();
    }
    const client = await it.client(proxy);
    const added = await proxy.addToxic(body);
    client.write(100_000);
    await added.update({ ...body, toxicity: 0 });
    await echoed(client);
  });

  test("a smaller latency holds at once for what is on its way", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const slow = await proxy.addToxic(toxic("latency", { latency: 60_000, jitter: 0 }));
    const client = await it.client(proxy);
    client.write(100_000);
    await slow.update(toxic("latency", { latency: 1, jitter: 0 }));
    await echoed(client);
    await roundTrip(client);
  });

  test("a stream loses nothing while toxics come and go", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const clients = [await it.client(proxy), await it.client(proxy), await it.client(proxy)];
    let enough = false;
    const sending = clients.map(async (client) => {
      while (!enough) {
        await client.send(50_000);
        await client.until(() => enough || client.sent - client.received < WINDOW, "echo");
      }
    });
    const bodies = [
      toxic("latency", { latency: 3, jitter: 2 }),
      toxic("bandwidth", { rate: 100_000 }),
      toxic("slicer", { average_size: 10_000, size_variation: 9_000, delay: 10 }),
      toxic("slow_close", { delay: 1 }),
      toxic("limit_data", { bytes: 100_000_000_000 }),
    ];
    const still = [toxic("timeout", { timeout: 0 }), toxic("reset_peer", { timeout: 60_000 })];
    for (const stream of ["downstream", "upstream"] as const) {
      for (const body of [...bodies, ...still]) {
        const added = await proxy.addToxic({ ...body, stream, name: `${body.type} ${stream}` });
        if (!still.includes(body)) await Promise.all(clients.map(further));
        await added.remove();
        await Promise.all(clients.map(further));
      }
    }
    // All at once, and away in another order.
    const added = await Promise.all(bodies.map((body) => proxy.addToxic(body)));
    await Promise.all(clients.map(further));
    for (const one of [2, 0, 4, 1, 3]) await added[one]?.remove();
    await Promise.all(clients.map(further));
    enough = true;
    await Promise.all(sending);
    // One side has ended while toxics still hold what comes from it.
    const silence = await proxy.addToxic(toxic("timeout", { timeout: 0 }, { stream: "upstream" }));
    const answers = await proxy.addToxic(toxic("latency", { latency: 5, jitter: 0 }));
    for (const client of clients) {
      client.write(50_000);
      client.finish();
    }
    await silence.remove();
    await answers.remove();
    for (const client of clients) {
      await client.untilEnd();
      expect(client.received).toBe(client.sent);
      expect(await client.untilClose()).toBeUndefined();
    }
  });

  test("toxicity is the share of connections that have it", async () => {
    await using it = await world({ engine });
    const proxy = await it.create();
    const never = await proxy.addToxic(toxic("reset_peer", { timeout: 0 }, { toxicity: 0 }));
    expect(await resets(it, proxy.listen, 10)).toEqual(Array(10).fill(false));
    await never.update(toxic("reset_peer", { timeout: 0 }, { toxicity: 1 }));
    expect(await resets(it, proxy.listen, 10)).toEqual(Array(10).fill(true));
  });
});

/** Threads take ids in blocks, and which thread gets a client is chance of its own: there is one. */
test("the same seed has the same connections fail, on every engine", async () => {
  const fails = async (engine: "portable" | "native", seed: number) => {
    await using it = await world({ engine, flags: ["--seed", `${seed}`, "--workers", "1"] });
    const proxy = await it.create();
    await proxy.addToxic(toxic("reset_peer", { timeout: 0 }, { toxicity: 0.5 }));
    return (await resets(it, proxy.listen, 40)).map((reset) => (reset ? "x" : ".")).join("");
  };
  const first = await fails("portable", 7);
  expect(first).toMatch(/x.*\..*x/);
  expect(await fails("portable", 7)).toBe(first);
  expect(await fails("native", 7)).toBe(first);
  expect(await fails("native", 8)).not.toBe(first);
});

/** Which of so many connections, one after the other, are reset. */
async function resets(it: Awaited<ReturnType<typeof world>>, listen: string, count: number): Promise<boolean[]> {
  const outcomes: boolean[] = [];
  while (outcomes.length < count) {
    const client = await it.client({ listen });
    client.write(10);
    await client.until(() => client.closed || client.received === 10, "echo or reset");
    outcomes.push(client.error?.code === "ECONNRESET");
  }
  return outcomes;
}

/** So many more bytes have come back that some have gone through whatever is in the way now. */
async function further(client: Probe): Promise<void> {
  const goal = client.sent + WINDOW / 10;
  await client.until(() => client.closed || client.received >= goal, "more bytes");
  expect(client.closed).toBe(false);
}
