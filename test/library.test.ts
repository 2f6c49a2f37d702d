/** Filters, faults, observers and inspection through the library, on connections that live. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
// biome-ignore lint/suspicious/noShadowRestrictedNames: the library's name for it
import { Proxy, type ProxyEventMap, type ScriptFilter } from "../src/index.ts";
import { failure } from "./failure.ts";
import { ENGINES, World } from "./proxy/world.ts";

const SILENCE = { type: "timeout", timeout: 0, name: "silence" } as const;

/** A session through which bytes have gone both ways. */
async function greeted(world: World) {
  const both = await world.both();
  both.client.write(5);
  await both.target.until(() => both.target.received === 5, "the client's bytes");
  both.target.write(5);
  await both.client.until(() => both.client.received === 5, "the target's bytes");
  return both;
}

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("a function is a filter, and runs in this thread", async () => {
    let closed = 0;
    const shout: ScriptFilter = ({ proxy }) => ({
      upstream: (chunk, out) => out.write(`${proxy}: ${new TextDecoder().decode(chunk).toUpperCase()}`),
      close: () => void closed++,
    });
    await using world = await World.with(engine, { name: "loud", filters: [shout] });
    expect(world.proxy.engine).toBe("portable");
    const { client, target } = await world.both();
    target.raw = true;
    client.writeText("hello");
    client.finish();
    await target.untilEnd();
    expect(new TextDecoder().decode(target.bytes)).toBe("loud: HELLO");
    target.finish();
    expect((await world.record()).reason).toBe("client_closed");
    expect(closed).toBe(1);
  });

  test("a function that throws ends its session under the name that it has", async () => {
    const broken: ScriptFilter = () => {
      throw new Error("no");
    };
    await using world = await World.with(engine, { filters: [{ type: "drop", find: "x" }, broken] });
    await world.client();
    expect(await world.record()).toMatchObject({ reason: "filter_failed", rule: "filter 2: Error: no" });
  });

  test("clients share a connection, and each gets his own replies", async () => {
    await using world = await World.with(engine, { mux: { protocol: "echo", connections: 1 } });
    expect(world.proxy.engine).toBe(engine);
    const { client, target } = await world.both();
    const other = await world.client();
    for (const probe of [client, other, target]) probe.raw = true;
    for (const [index, each] of [client, other].entries()) {
      each.writeText("who am I?\n");
      await target.until(() => target.received === 10 * (index + 1), "the request");
      target.writeText(`number ${index}\n`);
      await each.until(() => each.received === 9, "the reply");
      expect(new TextDecoder().decode(each.bytes)).toBe(`number ${index}\n`);
    }
    expect(world.proxy.mux?.targets).toMatchObject([{ connections: 1, requests: 2 }]);
  });

  test("an object is a filter, and needs no thread of its own", async () => {
    await using world = await World.with(engine, { filters: [{ type: "replace", find: "cat", with: "dog" }] });
    expect(world.proxy.engine).toBe(engine);
    const { client, target } = await world.both();
    target.raw = true;
    client.writeText("a cat");
    client.finish();
    await target.untilEnd();
    expect(new TextDecoder().decode(target.bytes)).toBe("a dog");
  });

  test("faults come and go while a connection lives", async () => {
    await using world = await World.with(engine);
    const { client, target } = await greeted(world);
    await world.proxy.setFaults([SILENCE]);
    expect(world.proxy.faults).toEqual([
      { ...SILENCE, stream: "downstream", toxicity: 1, after: { bytes: 0, time: 0 } },
    ]);
    target.write(5);
    // The other way is free: what comes back this way would have been here before the answer to this.
    client.write(5);
    await target.until(() => target.received === 10, "the client's next bytes");
    expect(client.received).toBe(5);
    expect(await world.proxy.removeFault("silence")).toBe(true);
    await client.until(() => client.received === 10, "what was held");
    expect(await world.proxy.removeFault("silence")).toBe(false);
    expect(world.proxy.faults).toEqual([]);
  });

  test("a fault takes the place of the one of its name", async () => {
    await using world = await World.with(engine, { faults: ["latency:latency=1ms", "slow_close:delay=1ms"] });
    const fault = await world.proxy.addFault({ type: "latency", latency: 2, jitter: 1 });
    expect(fault).toMatchObject({ name: "latency_downstream", latency: 2, jitter: 1 });
    await world.proxy.addFault("down:toxicity=0");
    expect(world.proxy.faults.map(({ name }) => name)).toEqual([
      "latency_downstream",
      "slow_close_downstream",
      "down_downstream",
    ]);
    expect(world.proxy.faults[0]).toEqual(fault);
  });

  test("changes at the same time are made one after the other", async () => {
    await using world = await World.with(engine);
    const names = Array.from({ length: 20 }, (_, index) => `late-${index}`);
    await Promise.all(names.map((name) => world.proxy.addFault({ type: "latency", latency: 1, name })));
    expect(world.proxy.faults.map(({ name }) => name)).toEqual(names);
    await Promise.all(names.slice(1).map((name) => world.proxy.removeFault(name)));
    expect(world.proxy.faults.map(({ name }) => name)).toEqual(["late-0"]);
  });

  test("a fault that cannot be changes nothing", async () => {
    await using world = await World.with(engine, { faults: ["latency:latency=1ms"] });
    expect(await failure(world.proxy.addFault({ type: "latency", latency: "soon" }))).toMatchObject({
      code: "EOPTION",
      message: expect.stringMatching(/^Cannot use the option fault.latency: /),
    });
    expect(await failure(world.proxy.setFaults(["down", "down"]))).toMatchObject({ code: "EOPTION" });
    expect(world.proxy.faults).toHaveLength(1);
  });

  test("a service that is down resets whom it has and whoever comes, until it is up", async () => {
    await using world = await World.with(engine);
    const { client } = await greeted(world);
    await world.proxy.down();
    expect(await client.untilClose()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "fault", rule: "down: down" });
    expect(await world.refusal()).toBe("ECONNRESET");
    expect(await world.record()).toMatchObject({ reason: "fault", rule: "down: down", target: null });
    await world.proxy.up();
    expect(world.proxy.faults).toEqual([]);
    await greeted(world);
  });

  test("an observer gets what the client sends, and is shown", async () => {
    await using world = await World.with(engine);
    const address = world.proxy.address;
    await using observed = await World.with(engine, { observers: [`${address},copies=upstream`] });
    const { client, target } = await greeted(observed);
    const observer = await world.target();
    observer.resume();
    client.finish();
    target.finish();
    await observer.untilEnd();
    expect(observer.received).toBe(5);
    expect(observed.proxy.observers).toMatchObject([{ address, copies: "upstream", bytes: 5, bytesLost: 0 }]);
  });

  test("inspection is written into a file, and told if it cannot be", async () => {
    await using world = await World.with(engine);
    const directory = world.kit.directory();
    const file = join(directory, "log.jsonl");
    const inspect = [{ path: file, format: "jsonl" }, { path: join(directory, "missing", "log.hex") }] as const;
    await using inspected = await World.with(engine, { inspect });
    const failed = new Promise<ProxyEventMap["inspectFailed"]>((resolve) =>
      inspected.proxy.on("inspectFailed", resolve),
    );
    const { client } = await greeted(inspected);
    expect(await failed).toMatchObject({ path: inspect[1].path, error: { name: "FileError", code: "ENOENT" } });
    client.abort();
    await inspected.record();
    expect(readFileSync(file, "utf8")).toContain("upstream");
    expect(existsSync(inspect[1].path)).toBe(false);
  });

  test("what is left to chance has a seed, given or drawn", async () => {
    await using given = await World.with(engine, { seed: 7 });
    expect(given.proxy.seed).toBe(7);
    await using drawn = await World.with(engine);
    expect(drawn.proxy.seed).toBeWithin(0, 1_000_000);
  });

  test("a change that is under way when the proxy ends comes to an end as well, and none does after that", async () => {
    const world = await World.with(engine);
    const { proxy } = world;
    const changes = Promise.allSettled([proxy.addFault("latency:latency=1ms"), proxy.down(), proxy.up()]);
    await world[Symbol.asyncDispose]();
    await changes;
    const message = expect.stringMatching(/^The proxy 127.0.0.1:\d+ is shut down/);
    for (const change of [() => proxy.setFaults([]), () => proxy.removeFault("x"), () => proxy.up()]) {
      expect(await failure(change())).toMatchObject({ code: "ECLOSED", message });
    }
  });

  test("a filter whose module is not there is no proxy", async () => {
    const filters = [{ type: "script", path: "/nowhere/filter.ts" }] as const;
    expect(await failure(Proxy.bind("127.0.0.1:0", "127.0.0.1:1", { engine, filters }))).toMatchObject({
      code: "ECONFIG",
      message: expect.stringMatching(/filter "\/nowhere\/filter.ts": it cannot be loaded/),
    });
  });
});
