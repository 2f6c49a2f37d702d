/** The fixture for other people's tests: what is in it does as it is told, can be waited for, and is gone afterwards. */
import { afterEach, describe, expect, test } from "bun:test";
import process from "node:process";
import { runtime } from "#runtime";
import { parseAddress } from "../../src/net/address.ts";
import { createFixture } from "../../src/testing.ts";
import { Kit } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { failure } from "../failure.ts";
import { ENGINES } from "../proxy/world.ts";

const SILENCE = { type: "timeout", timeout: 0 } as const;

const kits: Kit[] = [];
afterEach(async () => {
  for (const kit of kits.splice(0)) await kit.clean();
});

/** A client, with whatever it gets as text. */
async function client({ address }: { readonly address: string }): Promise<Probe> {
  const kit = new Kit(runtime);
  kits.push(kit);
  const probe = new Probe(await kit.connect(parseAddress(address, "target")));
  probe.raw = true;
  return probe;
}

async function hears(probe: Probe, text: string): Promise<void> {
  const heard = () => new TextDecoder().decode(probe.bytes);
  await probe.until(() => heard().length >= text.length, text);
  expect(heard()).toBe(text);
}

/** What becomes of a client that sends a word: it is answered, or the code of how it ends, "FIN" without an error. */
async function fate(at: { readonly address: string }): Promise<string> {
  // A reset may come before the runtime says that it is connected.
  const probe = await client(at).catch((error: { code: string }) => error.code);
  if (typeof probe === "string") return probe;
  probe.writeText("x");
  await probe.until(() => probe.received > 0 || probe.ended || probe.closed, "an answer or an end");
  if (probe.received > 0) return "answered";
  if (!probe.closed) probe.finish();
  return (await probe.untilClose()) ?? "FIN";
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("two lines make an echo target and a proxy with a fault in front of it", async () => {
    await using it = await createFixture({ engine });
    const echo = await it.echo();
    const db = await it.proxy(echo, { faults: ["latency:latency=1ms"] });
    expect(db.proxy.engine).toBe(engine);
    expect(db.address).toBe(`127.0.0.1:${db.port}`);
    expect(db.faults).toMatchObject([{ name: "latency_downstream", latency: 1 }]);
    const one = await client(db);
    one.writeText("hello");
    await hears(one, "hello");
    one.finish();
    await one.untilEnd();
    expect(await db.nextRecord()).toMatchObject({ proxy: "proxy-1", reason: "client_closed", bytesUpstream: 5 });
    expect(echo.bytesReceived).toBe(5);
  });

  test("a fault holds while a callback runs, and what it took the place of is back afterwards", async () => {
    await using it = await createFixture({ engine });
    const echo = await it.echo();
    const db = await it.proxy(echo, { faults: [{ ...SILENCE, name: "first", toxicity: 0 }] });
    const one = await client(db);
    const before = db.faults;
    const faults = [{ ...SILENCE, name: "first" }, "latency:latency=1ms"];
    const answer = await db.withFault(faults, async () => {
      expect(db.faults.map(({ name }) => name)).toEqual(["first", "latency_downstream"]);
      one.writeText("hello");
      await echo.untilReceived(5);
      expect(one.received).toBe(0);
      return 42;
    });
    expect(answer).toBe(42);
    expect(db.faults).toEqual(before);
    await hears(one, "hello");
  });

  test("a fault is gone when the callback throws, and one that cannot be takes back those before it", async () => {
    await using it = await createFixture({ engine });
    const db = await it.proxy(await it.echo());
    const thrown = db.withFault(SILENCE, () => {
      throw new Error("no");
    });
    expect(await failure(thrown)).toMatchObject({ message: "no" });
    expect(db.faults).toEqual([]);
    const unreadable = db.withFault(["down", "latncy"], () => {});
    expect(await failure(unreadable)).toMatchObject({ code: "EFAULT" });
    expect(db.faults).toEqual([]);
  });

  test("what a callback throws counts, though the fixture is closed meanwhile", async () => {
    await using it = await createFixture({ engine });
    const db = await it.proxy(await it.echo());
    const thrown = db.withFault(SILENCE, async () => {
      await it.close();
      throw new Error("no");
    });
    expect(await failure(thrown)).toMatchObject({ message: "no" });
  });

  test("a proxy that is down resets all, and answers again when it is up", async () => {
    await using it = await createFixture({ engine });
    const db = await it.proxy(await it.echo());
    const one = await client(db);
    await db.untilConnections(1);
    await db.down();
    expect(await one.untilClose()).toBe("ECONNRESET");
    await db.untilConnections(0);
    expect(await db.nextRecord()).toMatchObject({ reason: "fault", rule: "down: down" });
    await db.up();
    expect(await fate(db)).toBe("answered");
  });

  test("all faults of all proxies go at once", async () => {
    await using it = await createFixture({ engine });
    const echo = await it.echo();
    const proxies = [await it.proxy(echo, { faults: ["down"] }), await it.proxy(echo, { faults: [SILENCE] })];
    await it.reset();
    expect(proxies.map(({ faults }) => faults)).toEqual([[], []]);
    for (const proxy of proxies) expect(await fate(proxy)).toBe("answered");
    await proxies[0]?.addFault("down");
    expect(await proxies[0]?.removeFault("down_downstream")).toBe(true);
    await proxies[0]?.addFault("down");
    await proxies[0]?.reset();
    expect(await fate(echo)).toBe("answered");
  });

  test("connections are counted and can be waited for, on both sides", async () => {
    await using it = await createFixture({ engine });
    const echo = await it.echo();
    const db = await it.proxy(echo);
    const waiting = [db.untilConnections(3), echo.untilConnections(3)];
    const clients = await Promise.all([client(db), client(db), client(db)]);
    await Promise.all(waiting);
    expect([db.accepted, echo.accepted, db.connections, echo.connections]).toEqual([3, 3, 3, 3]);
    clients[0]?.abort();
    await Promise.all([db.untilConnections(2), echo.untilConnections(2)]);
    clients[1]?.finish();
    await Promise.all([db.untilConnections(1), echo.untilConnections(1)]);
    expect((await db.nextRecord()).reason).toBe("client_reset");
    expect((await db.nextRecord()).reason).toBe("client_closed");
    const third = db.nextRecord();
    clients[2]?.abort();
    expect((await third).reason).toBe("client_reset");
    expect(db.records).toHaveLength(3);
    expect(db.accepted).toBe(3);
  });

  test("a target that is gone is refused, and the next one takes its place", async () => {
    await using it = await createFixture({ engine });
    const [gone, there] = [await it.echo(), await it.echo()];
    const db = await it.proxy([gone, there.address], { balance: "first" });
    await gone.close();
    expect(await fate(db)).toBe("answered");
    expect(there.accepted).toBe(1);
    await there.close();
    expect(await fate(db)).toBe("ECONNRESET");
    expect((await db.nextRecord()).reason).toBe("target_reset");
    expect((await db.nextRecord()).reason).toBe("connect_refused");
  });

  test("whoever waits for what will not come is told so at the end", async () => {
    const it = await createFixture({ engine });
    const echo = await it.echo();
    const db = await it.proxy(echo);
    const waiting = [db.untilConnections(1), db.nextRecord(), echo.untilReceived(1), echo.untilConnections(1)];
    await it.close();
    const reasons = (await Promise.allSettled(waiting)).map((each) => String((each as PromiseRejectedResult).reason));
    expect(reasons).toEqual([
      `Error: Closed while a test waited for 1 connections of the proxy ${db.address}`,
      `Error: Closed while a test waited for the end of a connection of the proxy ${db.address}`,
      `Error: Closed while a test waited for 1 bytes at the target ${echo.address}`,
      `Error: Closed while a test waited for 1 connections of the target ${echo.address}`,
    ]);
    // What holds already need not be waited for.
    await db.untilConnections(0);
    expect(await failure(db.untilConnections(1))).toMatchObject({ message: expect.stringMatching(/^Closed while/) });
  });

  test("the end takes everything along, once", async () => {
    const it = await createFixture({ engine });
    const echo = await it.echo();
    const db = await it.proxy(echo);
    const [one, direct] = [await client(db), await client(echo)];
    await echo.untilConnections(2);
    await Promise.all([it.close(), it.close()]);
    await it[Symbol.asyncDispose]();
    expect([await one.untilClose(), await direct.untilClose()]).toEqual(["ECONNRESET", "ECONNRESET"]);
    for (const at of [db, echo]) expect(await failure(client(at))).toMatchObject({ code: "ECONNREFUSED" });
    expect((await db.nextRecord()).reason).toBe("shutdown");
  });
});

describe("a target", () => {
  test("stays silent, answers, closes and resets when it is told to", async () => {
    await using it = await createFixture();
    const target = await it.target("silent");
    const one = await client(target);
    one.writeText("hello");
    await target.untilReceived(5);
    target.behave("echo");
    one.writeText("again");
    await hears(one, "again");
    target.behave("close");
    await one.untilEnd();
    const two = await client(target);
    await two.untilEnd();
    target.behave("reset");
    expect(await fate(target)).toBe("ECONNRESET");
    target.behave("echo");
    expect(await fate(target)).toBe("answered");
  });

  test("resets those that are open", async () => {
    await using it = await createFixture();
    const target = await it.echo();
    const clients = await Promise.all([client(target), client(target)]);
    await target.untilConnections(2);
    target.behave("reset");
    expect(await Promise.all(clients.map((each) => each.untilClose()))).toEqual(["ECONNRESET", "ECONNRESET"]);
    await target.untilConnections(0);
  });

  test("answers as a function says, which may keep what it gets", async () => {
    await using it = await createFixture();
    const kept: Uint8Array[] = [];
    const target = await it.target((chunk, connection) => {
      kept.push(chunk);
      connection.write(`${connection.number}: `);
      connection.write(chunk);
      if (chunk.includes("!".charCodeAt(0))) connection.end();
    });
    const one = await client(target);
    one.writeText("hello");
    await hears(one, "1: hello");
    one.writeText("bye!");
    await hears(one, "1: hello1: bye!");
    await one.untilEnd();
    const two = await client(target);
    two.writeText("hello");
    await hears(two, "2: hello");
    expect(kept.map((each) => new TextDecoder().decode(each))).toEqual(["hello", "bye!", "hello"]);
  });

  test("closes when the client has finished, and a function may reset", async () => {
    await using it = await createFixture();
    const target = await it.target((_, connection) => connection.reset());
    expect(await fate(target)).toBe("ECONNRESET");
    const one = await client(target);
    one.finish();
    await one.untilEnd();
  });

  test("holds no more of an answer than its client takes", async () => {
    await using it = await createFixture();
    const target = await it.echo();
    const one = await client(target);
    one.raw = false;
    const total = 8 * 1_024 * 1_024;
    one.pause();
    const sending = one.send(total);
    await target.untilReceived(1);
    one.resume();
    await sending;
    one.finish();
    await one.untilEnd();
    expect(one.received).toBe(total);
  });
});

describe("the seed", () => {
  const { WEIR_SEED: before } = process.env;
  afterEach(() => {
    if (before === undefined) delete process.env["WEIR_SEED"];
    else process.env["WEIR_SEED"] = before;
  });

  test("is given, or that of the environment, or drawn", async () => {
    process.env["WEIR_SEED"] = "42";
    expect((await createFixture({ seed: 7 })).seed).toBe(7);
    expect((await createFixture()).seed).toBe(42);
    process.env["WEIR_SEED"] = "";
    expect((await createFixture()).seed).toBeWithin(0, 1_000_000);
  });

  test("is another one for each proxy, and the same ones each time", async () => {
    await using it = await createFixture({ seed: 1_000_000 });
    const seeds = [];
    for (let count = 0; count < 3; count++) seeds.push((await it.proxy("127.0.0.1:1")).proxy.seed);
    expect(seeds).toEqual([1_000_000, 0, 1]);
    expect((await it.proxy("127.0.0.1:1", { seed: 9 })).proxy.seed).toBe(9);
  });

  test("has to be one", async () => {
    expect(await failure(createFixture({ seed: -1 }))).toMatchObject({
      code: "EOPTION",
      message: "The option seed is -1; use a whole number from 0 to 1000000",
    });
    process.env["WEIR_SEED"] = "often";
    expect(await failure(createFixture())).toMatchObject({
      code: "ECOUNT",
      message: `Cannot use the environment variable WEIR_SEED: expected a whole number from 0 to 1000000, found "often"`,
    });
  });

  // Chance also comes from the numbers of connections. On this engine they begin at 1 for each proxy.
  test.skipIf(!ENGINES.includes("native"))("decides which connections a fault hits", async () => {
    const fates = async (seed: number) => {
      await using it = await createFixture({ engine: "native", seed });
      const db = await it.proxy(await it.echo(), { faults: ["limit_data:bytes=0,toxicity=0.5"] });
      const all: string[] = [];
      for (let count = 0; count < 12; count++) all.push(await fate(db));
      return all;
    };
    const [one, same, other] = [await fates(7), await fates(7), await fates(8)];
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
    expect(new Set(one)).toEqual(new Set(["answered", "FIN"]));
  });
});
