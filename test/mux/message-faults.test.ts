/** Faults of whole messages between a client and the connections that clients share, on each engine. */
import { describe, expect, test } from "bun:test";
import { parseFault } from "../../src/config/fault-options.ts";
import { ENGINES } from "../proxy/world.ts";
import { echo, MuxWorld } from "./world.ts";

const broken = (...faults: string[]) => ({ ...echo, proxy: { faults: faults.map(parseFault) } });

describe.each(ENGINES)("on the %s engine", (engine) => {
  test("a reply that is duplicated arrives twice, and was asked for once", async () => {
    await using world = await MuxWorld.with(engine, {}, broken("duplicate_message:nth=2"));
    const client = await world.client();
    client.say("a\nb\nc\n");
    expect(await client.heard(4)).toEqual(["a\n", "b\n", "b\n", "c\n"]);
    expect(world.heard).toEqual(["a\n", "b\n", "c\n"]);
  });

  test("a request that is dropped is not asked, and nothing arrives for it", async () => {
    await using world = await MuxWorld.with(engine, {}, broken("drop_message:stream=upstream,contains=b"));
    const client = await world.client();
    client.say("a\nb\nc\n");
    expect(await client.heard(2)).toEqual(["a\n", "c\n"]);
    expect(world.heard).toEqual(["a\n", "c\n"]);
    expect(world.view.requests).toBe(2);
  });

  test("messages are cut as the mux does it, and each client's are counted on their own", async () => {
    const length = { offset: 1, width: 1, byteOrder: "big", adjust: 0, includes: "rest" } as const;
    const dropping = broken("drop_message:stream=upstream,nth=2");
    await using world = await MuxWorld.with(engine, { protocol: "length", length, inFlight: 4 }, dropping);
    const [one, other] = [await world.client(), await world.client()];
    one.say("a\x03oneb\x03twoc\x05three");
    // What stands for this target cuts messages in its own way, and keeps all of these.
    await (await world.target()).heardPart("c\x05three");
    other.say("d\x04four");
    await (await world.target()).heardPart("d\x04four");
    expect(world.targets[0]?.rest).toBe("a\x03onec\x05threed\x04four");
  });

  test("one that is delayed holds up its own client alone, until the fault is taken away", async () => {
    const slow = "delay_message:stream=upstream,contains=slow,latency=1h";
    await using world = await MuxWorld.with(engine, { inFlight: 4 }, broken(slow));
    const [one, other] = [await world.client(), await world.client()];
    one.say("a\nslow\nb\n");
    other.say("c\n");
    expect(await one.heard(1)).toEqual(["a\n"]);
    expect(await other.heard(1)).toEqual(["c\n"]);
    await world.proxy.configure({ ...world.proxy.config, faults: [] });
    expect(await one.heard(3)).toEqual(["a\n", "slow\n", "b\n"]);
  });
});
