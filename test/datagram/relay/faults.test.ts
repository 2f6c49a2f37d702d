/** Faults of datagrams, on a simulated network: what is lost is counted, and a seed repeats all of it. */
import { describe, expect, test } from "bun:test";
import { parseFault } from "../../../src/config/fault-options.ts";
import { VirtualRelay } from "./virtual.ts";

/** What one client hears of `count` questions, one each 10 ms, through a proxy with these faults. */
async function talk(faults: readonly string[], { seed = 1, count = 200 } = {}) {
  const relay = new VirtualRelay();
  await relay.open([1], { faults: faults.map(parseFault), seed });
  const target = await relay.target(1);
  const client = await relay.client();
  for (let n = 0; n < count; n++) {
    client.say(String(n));
    await relay.pass(10);
  }
  await relay.pass(1_000);
  return { relay, target, client };
}

describe("drop_datagram", () => {
  test("takes away its share, and counts it", async () => {
    const { relay, target, client } = await talk(["drop_datagram:probability=0.25,stream=upstream"]);
    expect(target.heard.length).toBeGreaterThan(120);
    expect(target.heard.length).toBeLessThan(180);
    expect(client.heard).toHaveLength(target.heard.length);
    expect(relay.count("faultedUpstream")).toBe(200 - target.heard.length);
    const [session] = (await relay.proxy.connections(1)).connections;
    expect(session?.datagrams).toMatchObject({ upstream: 200, faulted: 200 - target.heard.length });
  });

  test("the same seed takes the same ones, another one others", async () => {
    const [one, again, other] = await Promise.all(
      [1, 1, 2].map((seed) => talk(["drop_datagram:probability=0.5"], { seed })),
    );
    expect(one?.client.heard).toEqual(again?.client.heard as string[]);
    expect(one?.client.heard).not.toEqual(other?.client.heard as string[]);
  });

  test("after so many bytes, and with a toxicity of 0 never", async () => {
    const { client } = await talk(["drop_datagram:probability=1,stream=upstream,after=10"], { count: 30 });
    expect(client.heard.length).toBe(10);
    const never = await talk(["drop_datagram:probability=1,toxicity=0"], { count: 30 });
    expect(never.client.heard).toHaveLength(30);
  });
});

test("duplicate_datagram sends twice", async () => {
  const { target, client } = await talk(["duplicate_datagram:probability=1,stream=upstream"], { count: 3 });
  expect(target.heard).toEqual(["0", "0", "1", "1", "2", "2"]);
  expect(client.heard).toHaveLength(6);
});

test("reorder_datagram sends one behind the next, and the last after its time", async () => {
  const { target, relay } = await talk(["reorder_datagram:probability=1,stream=upstream"], { count: 5 });
  expect(target.heard).toEqual(["1", "0", "3", "2", "4"]);
  expect(relay.count("faultedUpstream")).toBe(0);
});

test("delay_datagram delays each, and a jitter lets them overtake", async () => {
  const late = await talk(["delay_datagram:latency=300ms,stream=upstream"], { count: 5 });
  expect(late.target.heard).toEqual(["0", "1", "2", "3", "4"]);
  const mixed = await talk(["delay_datagram:latency=300ms,jitter=200ms,stream=upstream"], { count: 50 });
  expect(mixed.target.heard).not.toEqual(mixed.target.heard.toSorted((a, b) => Number(a) - Number(b)));
  expect(new Set(mixed.target.heard).size).toBe(50);
});

test("a fault that goes passes on what it holds; the end of a session counts it as lost", async () => {
  const relay = new VirtualRelay();
  const faults = [parseFault("delay_datagram:latency=1h,stream=upstream")];
  await relay.open([1], { faults });
  const target = await relay.target(1);
  const client = await relay.client();
  client.say("a");
  client.say("b");
  await relay.pass(100);
  expect(target.heard).toEqual([]);
  await relay.proxy.configure(relay.config([1]));
  await relay.pass(100);
  expect(target.heard).toEqual(["a", "b"]);
  await relay.proxy.configure(relay.config([1], { faults }));
  client.say("c");
  await relay.pass(70_000);
  expect(relay.reasons).toEqual(["idle_timeout"]);
  expect(relay.count("faultedUpstream")).toBe(1);
  expect(relay.records[0]?.datagrams?.faulted).toBe(1);
});

test("faults meet datagrams in their order, each for its direction", async () => {
  const both = ["duplicate_datagram:probability=1,stream=upstream", "drop_datagram:probability=1,stream=downstream"];
  const { target, client, relay } = await talk(both, { count: 2 });
  expect(target.heard).toEqual(["0", "0", "1", "1"]);
  expect(client.heard).toEqual([]);
  expect(relay.count("faultedDownstream")).toBe(4);
});
