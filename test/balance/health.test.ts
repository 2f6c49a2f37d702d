/** Checks of one target again and again, in virtual time: when they come, and when they change what is thought of it. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { randomFrom } from "../../src/balance/hash.ts";
import { HealthCheck } from "../../src/balance/health.ts";
import type { HealthConfig } from "../../src/config/config.ts";
import type { Runtime } from "../../src/net/runtime.ts";
import { type Behaviour, health, TARGET, World } from "./world.ts";

/** A check at work, and what it has told. */
function watch(world: World, rules: Partial<HealthConfig>, runtime: Runtime = world.runtime) {
  const told: string[] = [];
  const check = new HealthCheck(runtime, TARGET, health(rules), randomFrom(5), {
    changed: (healthy, wrong) => told.push(`${healthy ? "up" : "down"}${wrong === undefined ? "" : `: ${wrong}`}`),
  });
  return { check, told };
}

/** What checks that find `outcomes` change, as the number of the check and what is thought since: spelled out. */
function changes(outcomes: readonly boolean[], rise: number, fall: number): string[] {
  const all: string[] = [];
  let healthy = true;
  for (const n of outcomes.keys()) {
    const needed = n === 0 ? 1 : healthy ? fall : rise;
    // The first check is a row of its own.
    const row = outcomes.slice(n === 0 ? 0 : Math.max(0, n - needed + 1), n + 1);
    if (row.length < needed || row.some((good) => good === healthy)) continue;
    healthy = !healthy;
    all.push(`${n} ${healthy}`);
  }
  return all;
}

test("so many good checks in a row make it well, so many bad ones do not, and the first decides alone", async () => {
  const outcomes = fc.array(fc.boolean(), { minLength: 1, maxLength: 40 });
  const most = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(outcomes, most, most, async (outcomes, rise, fall) => {
      const world = new World();
      await world.target();
      let asked = 0;
      world.network.fate = () => (outcomes[asked++] === false ? "ECONNREFUSED" : "arrives");
      const told: string[] = [];
      const check = new HealthCheck(world.runtime, TARGET, health({ rise, fall, interval: 100 }), () => 0.5, {
        changed: (healthy) => asked <= outcomes.length && told.push(`${asked - 1} ${healthy}`),
      });
      await world.run(60_000, () => asked > outcomes.length);
      check.stop();
      expect(told).toEqual(changes(outcomes, rise, fall));
    }),
  );
});

test("what the last check has found wrong is known, whatever is thought of the target", async () => {
  const world = new World();
  await world.target();
  const { check, told } = watch(world, { interval: 1_000, fall: 3 });
  await world.run(500);
  expect([check.wrong, told]).toEqual([undefined, []]);
  world.network.fate = () => "ECONNREFUSED";
  await world.run(1_000);
  expect([check.wrong, told]).toEqual(["connection refused", []]);
  await world.run(2_500);
  expect(told).toEqual(["down: connection refused"]);
  world.network.fate = () => "arrives";
  await world.run(5_000);
  expect(told).toEqual(["down: connection refused", "up"]);
  expect(check.wrong).toBeUndefined();
  check.stop();
});

test("the first check begins at once, the others an interval apart, give or take a tenth", async () => {
  const world = new World();
  const [starts, ends]: [number[], number[]] = [[], []];
  const runtime: Runtime = {
    ...world.runtime,
    connect(to, options) {
      starts.push(world.clock.now);
      const attempt = world.runtime.connect(to, options);
      attempt.socket.catch(() => ends.push(world.clock.now));
      return attempt;
    },
  };
  const { check } = watch(world, { interval: 5_000 }, runtime);
  await world.run(5_000 * 400);
  check.stop();
  expect(starts[0]).toBe(0);
  const pauses = starts.slice(1).map((start, n) => (start - (ends[n] ?? 0)) / 5_000);
  expect(pauses.length).toBeGreaterThan(350);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(0.9 - 1e-9);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(1.1 + 1e-9);
  // Spread over all of it.
  expect(Math.min(...pauses)).toBeLessThan(0.92);
  expect(Math.max(...pauses)).toBeGreaterThan(1.08);
  expect(pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length).toBeCloseTo(1, 1);
});

test.each<[what: string, behaviour: Behaviour, wrong: string]>([
  ["never answers", {}, 'no "+PONG" within 1000 ms'],
  ["resets", { connected: ({ socket }) => socket.abort() }, "connection reset by the peer"],
  ["finishes", { connected: ({ socket }) => socket.end() }, 'no "+PONG" before the target finished'],
  ["says something else", { said: (peer) => peer.say("-ERR\r\n") }, 'no "+PONG" within 1000 ms'],
])("a target that %s is not well, and is again when it answers", async (_, behaviour, wrong) => {
  const world = new World();
  const bad = await world.target(behaviour);
  const { check, told } = watch(world, { send: "PING\r\n", expect: "+PONG" });
  await world.run(20_000);
  expect(told).toEqual([`down: ${wrong}`]);
  const closed = bad.close();
  await world.run(10);
  await closed;
  await world.target({ said: (peer) => peer.say("+PO", "NG\r\n") });
  await world.run(20_000);
  expect(told).toEqual([`down: ${wrong}`, "up"]);
  check.stop();
  await world.run(10);
  expect(world.left).toEqual([]);
});

test("one connection at a time, though the target keeps each open for longer than the interval", async () => {
  const world = new World();
  await world.target({ connected: ({ socket }) => socket.pause() });
  const { check, told } = watch(world, { interval: 50, timeout: 2_000 });
  let most = 0;
  await world.run(5_000, () => {
    most = Math.max(most, world.process.sockets.size + world.process.attempts.size);
    return false;
  });
  expect(world.peers.length).toBeGreaterThan(50);
  expect(most).toBe(1);
  expect(told).toEqual([]);
  check.stop();
  await world.run(10);
  expect(world.left).toEqual([]);
});

test("after stop nothing more is told, and no timer or socket is left, whenever it comes", async () => {
  const behaviours = fc.constantFrom<Behaviour>({}, { said: (peer) => peer.say("+PONG") });
  await fc.assert(
    fc.asyncProperty(behaviours, fc.nat(), fc.nat(400), async (behaviour, seed, ms) => {
      const world = new World(seed);
      await world.target(behaviour);
      const { check, told } = watch(world, { send: "PING", expect: "+PONG", interval: 100, timeout: 100, fall: 1 });
      await world.run(ms);
      const before = [...told];
      check.stop();
      await world.run(50);
      expect(world.left).toEqual([]);
      const connections = world.peers.length;
      await world.run(1_000);
      expect(told).toEqual(before);
      expect(world.peers.length).toBe(connections);
    }),
  );
});

test("whoever is told of a change may stop the checks", async () => {
  const world = new World();
  let told = 0;
  const check: HealthCheck = new HealthCheck(world.runtime, TARGET, health(), randomFrom(5), {
    changed() {
      told++;
      check.stop();
    },
  });
  await world.run(100);
  expect(told).toBe(1);
  expect(world.left).toEqual([]);
});
