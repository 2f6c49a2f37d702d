/** When sessions begin and end, on a simulated network: minutes pass at once. */
import { expect, test } from "bun:test";
import { parseCidr } from "../../../src/net/cidr.ts";
import { TIMEOUTS, VirtualRelay } from "./virtual.ts";

test("replies reach who asked, from where it has asked", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  const target = await relay.target(1);
  const clients = [await relay.client(), await relay.client(), await relay.client()];
  for (const [index, client] of clients.entries()) client.say(`question ${index}`);
  await relay.pass(100);
  for (const [index, client] of clients.entries()) {
    expect(client.heard).toEqual([`1 question ${index}`]);
    expect(client.from).toEqual([{ host: "10.0.0.1", port: 53 }]);
  }
  expect(new Set(target.from.map(({ port }) => port)).size).toBe(3);
  expect(relay.count("active")).toBe(3);
  expect(relay.count("datagramsUpstream")).toBe(3);
  expect(relay.count("datagramsDownstream")).toBe(3);
});

test("a session ends when it is idle, and not before", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  const target = await relay.target(1);
  const client = await relay.client();
  client.say("a");
  await relay.pass(59_000);
  client.say("b");
  await relay.pass(59_000);
  // What the target says counts as well.
  target.answer = undefined;
  const session = target.from[0];
  if (session) target.say("news", session);
  await relay.pass(59_000);
  expect(relay.records).toEqual([]);
  await relay.pass(2_000);
  expect(relay.records).toHaveLength(1);
  expect(relay.records[0]).toMatchObject({ reason: "idle_timeout", bytesUpstream: 2, bytesDownstream: 10 });
  expect(relay.records[0]?.datagrams).toMatchObject({ upstream: 2, downstream: 3 });
  expect(relay.count("active")).toBe(0);
  expect(relay.weir.timers).toBeLessThanOrEqual(1);
  await relay.pass(2_000);
  expect(relay.weir.timers).toBe(0);
  expect(relay.weir.descriptors).toBe(1);
});

test("each of many sessions ends at its own time", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  await relay.target(1);
  const clients = [];
  for (let index = 0; index < 10; index++) {
    const client = await relay.client();
    clients.push(client);
    client.say("a");
    await relay.pass(1_000);
  }
  // The first comes back: it is the last to end.
  clients[0]?.say("b");
  await relay.pass(50_500);
  expect(relay.records).toHaveLength(0);
  for (let ended = 1; ended <= 9; ended++) {
    await relay.pass(1_000);
    expect(relay.records).toHaveLength(ended);
  }
  await relay.pass(1_000);
  expect(relay.records).toHaveLength(10);
  expect(relay.records.at(-1)?.client).toBe("10.1.0.1:4000");
});

test("at the cap the idlest makes room, and is named", async () => {
  const relay = new VirtualRelay();
  await relay.open([1], { maxConnections: 2 });
  await relay.target(1);
  const [one, two, three] = [await relay.client(), await relay.client(), await relay.client()];
  one.say("a");
  await relay.pass(10);
  two.say("a");
  await relay.pass(10);
  one.say("b");
  await relay.pass(10);
  three.say("a");
  await relay.pass(10);
  expect(relay.records).toHaveLength(1);
  expect(relay.records[0]).toMatchObject({
    client: "10.1.0.2:4000",
    reason: "evicted",
    rule: "max_connections 2",
    datagrams: { upstream: 1, downstream: 1, unsent: 0 },
  });
  expect(three.heard).toEqual(["1 a"]);
  expect(relay.count("active")).toBe(2);
});

test("without descriptors the idlest makes room as well", async () => {
  const relay = new VirtualRelay(64 + 2 * 3);
  await relay.open([1], { maxConnections: 0 });
  await relay.target(1);
  const clients = [];
  for (let index = 0; index < 4; index++) {
    const client = await relay.client();
    clients.push(client);
    client.say("a");
    await relay.pass(10);
  }
  clients[3]?.say("again");
  await relay.pass(10);
  expect(relay.reasons).toContain("evicted");
  expect(clients[3]?.heard.at(-1)).toBe("1 again");
});

test("the lifetime ends a busy session", async () => {
  const relay = new VirtualRelay();
  await relay.open([1], { timeouts: { ...TIMEOUTS, lifetime: 5_000 } });
  await relay.target(1);
  const client = await relay.client();
  for (let count = 0; count < 7; count++) {
    client.say("a");
    await relay.pass(900);
  }
  // The next datagram began another one.
  expect(relay.reasons).toEqual(["lifetime"]);
  expect(client.heard).toHaveLength(7);
});

test("a target that refuses ends its sessions, and after some of them others are chosen", async () => {
  const relay = new VirtualRelay();
  await relay.open([1, 2]);
  await relay.target(2);
  const client = await relay.client();
  for (let index = 0; index < 20; index++) {
    client.say(`${index}`);
    await relay.pass(50);
  }
  expect(client.heard.length).toBeGreaterThan(15);
  expect(relay.reasons).toContain("target_refused");
  expect(relay.records[0]).toMatchObject({ target: "10.0.0.2:1", error: "ECONNREFUSED" });
  expect(relay.count("datagramsRefused")).toBe(relay.records.length);
});

test("a backup stands in for a target that refuses", async () => {
  const relay = new VirtualRelay();
  const [first, second] = relay.config([1, 2]).targets;
  if (!first || !second) throw new Error("no targets");
  await relay.open([], { targets: [first, { ...second, backup: true }] });
  await relay.target(2);
  const client = await relay.client();
  for (let index = 0; index < 10; index++) {
    client.say(`${index}`);
    await relay.pass(50);
  }
  expect(client.heard.at(-1)).toBe("2 9");
});

test("who is not let in gets no session, and is counted by the rule", async () => {
  const relay = new VirtualRelay();
  await relay.open([1], { deny: [parseCidr("10.1.0.1")] });
  const target = await relay.target(1);
  const [one, two] = [await relay.client(), await relay.client()];
  one.say("a");
  two.say("b");
  await relay.pass(100);
  expect(target.heard).toEqual(["b"]);
  expect(relay.records).toHaveLength(1);
  expect(relay.records[0]).toMatchObject({ reason: "denied", rule: "deny 10.1.0.1", target: null });
  expect(relay.count("active")).toBe(1);
  expect(relay.count("unsentUpstream")).toBe(1);
});

test("one source has so many sessions at once, and so many a second", async () => {
  const relay = new VirtualRelay();
  await relay.open([1], { perSource: { maxConnections: 0, perSecond: 1, burst: 1 } });
  const target = await relay.target(1);
  const client = await relay.client();
  client.say("a");
  await relay.pass(100);
  const [id] = (await relay.proxy.connections(1)).connections;
  expect(await relay.proxy.close(id?.id ?? 0)).toBe(true);
  client.say("b");
  await relay.pass(100);
  await relay.pass(2_000);
  client.say("c");
  await relay.pass(100);
  expect(target.heard).toEqual(["a", "c"]);
  expect(relay.reasons).toEqual(["closed_by_admin", "denied"]);
});

test("without a target there is no session", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  const client = await relay.client();
  relay.proxy.setTarget("10.0.0.2:1", { state: "drain" });
  client.say("a");
  await relay.pass(100);
  expect(relay.reasons).toEqual(["no_target"]);
  expect(relay.count("active")).toBe(0);
});

test("drain answers sessions until they are idle, and takes no others", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  await relay.target(1);
  const [one, two] = [await relay.client(), await relay.client()];
  one.say("a");
  await relay.pass(100);
  let drained = false;
  void relay.proxy.drain().then(() => {
    drained = true;
  });
  one.say("b");
  two.say("late");
  await relay.pass(30_000);
  expect(one.heard).toEqual(["1 a", "1 b"]);
  expect(two.heard).toEqual([]);
  expect(relay.count("unsentUpstream")).toBe(1);
  expect(drained).toBe(false);
  await relay.pass(31_000);
  expect(relay.reasons).toEqual(["idle_timeout"]);
  expect(drained).toBe(true);
  expect(relay.weir.descriptors).toBe(0);
  expect(relay.weir.timers).toBe(0);
});

test("cut ends all of them", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  await relay.target(1);
  const client = await relay.client();
  client.say("a");
  await relay.pass(100);
  let drained = false;
  void relay.proxy.drain().then(() => {
    drained = true;
  });
  relay.proxy.cut();
  await relay.pass(100);
  expect(drained).toBe(true);
  expect(relay.reasons).toEqual(["shutdown"]);
});

test("other settings are for sessions to come", async () => {
  const relay = new VirtualRelay();
  await relay.open([1]);
  await relay.target(1);
  await relay.target(2);
  const [one, two] = [await relay.client(), await relay.client()];
  one.say("a");
  await relay.pass(100);
  await relay.proxy.configure(relay.config([2], { timeouts: { ...TIMEOUTS, idle: 5_000 } }));
  one.say("b");
  two.say("a");
  await relay.pass(100);
  expect(one.heard).toEqual(["1 a", "1 b"]);
  expect(two.heard).toEqual(["2 a"]);
  await relay.pass(6_000);
  expect(relay.records.map(({ client }) => client)).toEqual(["10.1.0.2:4000"]);
  await relay.pass(60_000);
  expect(relay.reasons).toEqual(["idle_timeout", "idle_timeout"]);
});

test("datagrams wait for the address of a name, in order", async () => {
  const relay = new VirtualRelay();
  relay.network.names.set("dns.internal", ["10.0.0.2"]);
  const address = { kind: "tcp", host: "dns.internal", port: 1 } as const;
  await relay.open([], { targets: [{ address, weight: 1, backup: false, maxConnections: 0 }] });
  await relay.target(1);
  const client = await relay.client();
  for (const text of ["a", "b", "c"]) client.say(text);
  await relay.pass(1_000);
  expect(client.heard).toEqual(["1 a", "1 b", "1 c"]);
});

test("a name without an address ends the session by name, and what waited is counted", async () => {
  const relay = new VirtualRelay();
  const address = { kind: "tcp", host: "nowhere.internal", port: 1 } as const;
  await relay.open([], { targets: [{ address, weight: 1, backup: false, maxConnections: 0 }] });
  const client = await relay.client();
  client.say("four");
  await relay.pass(10_000);
  expect(relay.records[0]).toMatchObject({ reason: "connect_unresolved", undeliveredUpstream: 4 });
  expect(relay.count("unsentUpstream")).toBe(1);
});
