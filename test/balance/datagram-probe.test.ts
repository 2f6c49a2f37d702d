/** Health checks over UDP, on a simulated network. */
import { expect, test } from "bun:test";
import { HEALTH, type HealthConfig } from "../../src/config/config.ts";
import { VirtualRelay } from "../datagram/relay/virtual.ts";

const CHECKS: HealthConfig = { ...HEALTH, interval: 1_000, timeout: 500, fall: 1, rise: 1, send: "PING" };

/** Whether the one target is well after some seconds, and what it has heard. */
async function checked(health: HealthConfig, answer: string | undefined, send: "off" | "v2" = "off") {
  const relay = new VirtualRelay();
  const target = await relay.target(1);
  target.answer = () => answer;
  const proxyProtocol = { ...relay.config([1]).proxyProtocol, send };
  await relay.open([1], { health, proxyProtocol });
  await relay.pass(5_000);
  return { relay, target, view: relay.proxy.targets[0] };
}

test("a target that answers is well", async () => {
  const { view, target, relay } = await checked({ ...CHECKS, expect: "PONG" }, "PONG");
  expect(view).toMatchObject({ healthy: true, check: null });
  expect(target.heard.length).toBeGreaterThan(3);
  expect(new Set(target.heard)).toEqual(new Set(["PING"]));
  // Of the checks nothing is left but the next one's timer.
  expect(relay.weir.descriptors).toBe(1);
});

test("any answer will do without expect", async () => {
  const { view } = await checked(CHECKS, "whatever");
  expect(view?.healthy).toBe(true);
});

test("silence and another answer are not enough", async () => {
  const silent = await checked(CHECKS, undefined);
  expect(silent.view).toMatchObject({ healthy: false, check: "no answer within 500 ms" });
  const other = await checked({ ...CHECKS, expect: "PONG" }, "NO");
  expect(other.view).toMatchObject({ healthy: false, check: 'no "PONG" within 500 ms' });
});

test("nobody there is told as such, and one that comes back is well again", async () => {
  const relay = new VirtualRelay();
  await relay.open([1], { health: CHECKS });
  await relay.pass(3_000);
  expect(relay.proxy.targets[0]).toMatchObject({ healthy: false, check: "connection refused" });
  const client = await relay.client();
  client.say("a");
  await relay.pass(100);
  expect(relay.reasons).toEqual(["no_target"]);
  await relay.target(1);
  await relay.pass(3_000);
  client.say("b");
  await relay.pass(100);
  expect(client.heard).toEqual(["1 b"]);
});

test("targets that expect a PROXY header get one that says that the check is our own", async () => {
  const { target } = await checked(CHECKS, "x", "v2");
  expect(target.heard[0]).toHaveLength(16 + 4);
  expect(target.heard[0]?.endsWith("PING")).toBe(true);
});
