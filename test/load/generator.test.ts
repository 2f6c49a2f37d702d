/** Loads in virtual time: how many requests there are, what their latencies are, and what becomes of trouble. */
import { describe, expect, test } from "bun:test";
import { Generator, shares } from "../../src/load/generator.ts";
import { type Answer, echo, LoadWorld, NOISE } from "./world.ts";

/** Answers after so many milliseconds. */
function after(ms: (world: LoadWorld) => number): Answer {
  return (socket, message, world) => void world.target.after(ms(world), () => socket.write(message));
}

describe("a closed loop", () => {
  test("asks again when it has the reply", async () => {
    const world = new LoadWorld();
    await world.listen(after(() => 100));
    const result = await world.run({ connections: 5, duration: 10_000 });
    // As many as fit into the time with the noise, and without.
    expect(result.requests).toBeWithin(5 * 85, 5 * 100 + 1);
    expect(result.failures).toBe(0);
    expect(result.bytes).toBe(result.requests * 64);
    expect(result.latencies.p50).toBeWithin(100, 100 + NOISE);
    expect(world.accepted).toBe(5);
    expect(result.services).toBeNull();
  });

  test("does not see what it would have asked while its target stood still", async () => {
    const world = new LoadWorld();
    await world.listen(after(stall(300, 800)));
    const result = await world.run({ connections: 5 });
    // That is what open loops are for.
    expect(result.percentile(95)).toBeLessThan(NOISE);
    expect(result.latencies.max).toBeGreaterThan(400);
  });
});

/** As long as virtual time is between `from` and `to`, answers wait until then. */
function stall(from: number, to: number) {
  return ({ clock }: LoadWorld) => (clock.now >= from && clock.now < to ? to - clock.now : 0);
}

describe("an open loop", () => {
  test("keeps its rate, whatever the latency", async () => {
    for (const delay of [0, 30]) {
      const world = new LoadWorld();
      await world.listen(after(() => delay));
      const result = await world.run({ connections: 20, rate: 500, duration: 2_000 });
      expect(result.requests).toBe(1_000);
      expect(result.latencies.p50).toBeWithin(delay, delay + NOISE);
      for (const { requests } of result.seconds) expect(requests).toBeWithin(460, 530);
    }
  });

  test("counts from when a request was due, so a target that stands still shows", async () => {
    const world = new LoadWorld();
    await world.listen(after(stall(300, 800)));
    const result = await world.run({ connections: 50, rate: 1_000 });
    expect(result.requests).toBe(1_000);
    // Half of all requests were due while nobody answered: evenly from 500 ms down to nothing.
    expect(result.percentile(75)).toBeWithin(200, 330);
    expect(result.percentile(95)).toBeWithin(400, 490);
    // From when they were sent, all but one of each client were quick.
    expect(result.services?.p90).toBeLessThan(NOISE);
  });

  test("what is due and cannot be sent in time is no reply, and no good latency", async () => {
    const world = new LoadWorld();
    await world.listen(() => {});
    const result = await world.run({ connections: 2, rate: 100, timeout: 5_000 });
    expect(result.requests).toBe(0);
    expect(result.errors).toEqual({ timeout: 2, unfinished: 98 });
    expect(result.latencies.p50).toBeGreaterThan(5_000);
  });
});

describe("what goes wrong is counted by name, and the next request gets a new connection", () => {
  const wrong: readonly [string, Answer][] = [
    ["mismatch", (socket, message) => socket.write(message.map((byte) => byte ^ 1))],
    ["mismatch", (socket, message) => socket.write(new Uint8Array([...message, 1]))],
    ["closed", (socket) => socket.end()],
    ["ECONNRESET", (socket) => socket.abort()],
    ["timeout", (socket, message) => socket.write(message.slice(0, 63))],
  ];
  test.each(wrong)("%s", async (code, answer) => {
    const world = new LoadWorld();
    let requests = 0;
    await world.listen((socket, chunk, at) => (++requests === 3 ? answer : echo)(socket, chunk, at));
    const result = await world.run({ connections: 1, timeout: 200 });
    expect(result.errors).toEqual({ [code]: 1 });
    expect(world.accepted).toBe(2);
    expect(result.requests).toBeGreaterThan(100);
  });

  test("nobody is there", async () => {
    const result = await new LoadWorld().run({ connections: 3 });
    expect(Object.keys(result.errors)).toEqual(["ECONNREFUSED"]);
    // Not as fast as can be: an attempt is made again after 10 ms, and later after longer.
    expect(result.failures).toBeWithin(12, 31);
    expect(result.requests).toBe(0);
  });

  test("bytes that nobody has asked for", async () => {
    const world = new LoadWorld();
    await world.listen((socket, message) => {
      socket.write(message);
      world.target.after(100, () => socket.write(message));
    });
    const result = await world.run({ connections: 1, rate: 5, duration: 10_000 });
    expect(Object.keys(result.errors)).toEqual(["mismatch"]);
    expect(result.requests + result.failures).toBe(50);
  });

  test("without verification any bytes will do, as long as they are enough", async () => {
    const world = new LoadWorld();
    await world.listen((socket, chunk) => socket.write(new Uint8Array(chunk.length)));
    const result = await world.run({ connections: 1, verify: false });
    expect(result.failures).toBe(0);
    expect(result.requests).toBeGreaterThan(100);
  });
});

test("a connection for each request: latency begins with connecting", async () => {
  const world = new LoadWorld();
  await world.listen(echo);
  const result = await world.run({ connections: 4, reconnect: true });
  const kept = new LoadWorld();
  await kept.listen(echo);
  const { latencies } = await kept.run({ connections: 4 });
  expect(result.latencies.p50).toBeGreaterThan(1.5 * latencies.p50);
  expect(world.accepted).toBeWithin(result.requests, result.requests + 5);
  expect(world.mostOpen).toBeLessThan(10);
});

test("clients begin one after the other, and nothing is measured before they are all there and warm", async () => {
  const world = new LoadWorld();
  // Slow at the beginning, as servers are.
  await world.listen(after(({ clock }) => (clock.now < 1_500 ? 400 : 1)));
  const open: number[] = [];
  const result = await world.run({ connections: 10, ramp: 1_000, warmup: 1_000, duration: 1_000 }, () => {
    for (const at of [50, 450, 950]) world.clock.after(at, () => open.push(world.open));
  });
  expect(open).toEqual([1, 5, 10]);
  expect(result.latencies.max).toBeLessThan(2 * NOISE);
  expect(result.seconds.length).toBe(1);
});

test("one that is stopped reports what there is, and what was under way is no error", async () => {
  const world = new LoadWorld();
  await world.listen(after(({ clock }) => (clock.now > 400 ? 1e6 : 0)));
  const result = await world.run({ connections: 4, duration: 60_000 }, (generator) => {
    world.clock.after(700, () => generator.stop());
  });
  expect(result.requests).toBeGreaterThan(100);
  expect(result.failures).toBe(0);
  expect(world.clock.now).toBeLessThan(1_000);
});

test("a reply after the end is waited for, and is no part of the rate", async () => {
  const world = new LoadWorld();
  await world.listen(after(() => 700));
  const result = await world.run({ connections: 10 });
  expect(result.requests).toBe(20);
  expect(result.rate).toBe(10);
});

describe("datagrams", () => {
  async function echoing(world: LoadWorld): Promise<void> {
    const socket = await world.target.datagram({ host: "10.0.0.9", port: 9 }, { receiveBuffer: 0 });
    socket.on({ message: (chunk, from) => socket.send(chunk, from), close() {} });
    socket.resume();
  }
  const target = { kind: "udp", host: "10.0.0.9", port: 9 } as const;

  test("come back", async () => {
    const world = new LoadWorld();
    await echoing(world);
    const result = await world.run({ target, connections: 3, messageSize: 1_200, rate: 300 });
    expect([result.requests, result.failures]).toEqual([300, 0]);
  });

  test("are lost, doubled and reordered, and each loss is a timeout, nothing else", async () => {
    const world = new LoadWorld();
    world.network.datagramWeather = { loss: 0.05, doubles: 0.1, reorders: 0.1 };
    await echoing(world);
    const result = await world.run({ target, connections: 10, duration: 5_000, timeout: 50 });
    expect(Object.keys(result.errors)).toEqual(["timeout"]);
    expect(result.errorPercent).toBeWithin(5, 15);
  });
});

test("threads share the clients of a scenario", () => {
  const scenario = new LoadWorld().scenario({ connections: 10 });
  const parts = (threads: number) => shares(scenario, threads).map(({ first, count }) => [first, count]);
  expect(parts(1)).toEqual([[0, 10]]);
  expect(parts(3)).toEqual([
    [0, 3],
    [3, 3],
    [6, 4],
  ]);
  expect(parts(16).length).toBe(10);
});

test("each thread's clients are different ones", async () => {
  const world = new LoadWorld();
  const seen = new Set<string>();
  await world.listen((socket, chunk) => {
    seen.add(new TextDecoder().decode(chunk.subarray(5, 10)));
    socket.write(chunk);
  });
  const scenario = world.scenario({ connections: 6, duration: 100 });
  let running = 2;
  for (const share of shares(scenario, 2)) {
    void new Generator(world.runtime, share, () => {}).done.then(() => running--);
  }
  await world.clock.run(() => running === 0, 10_000);
  expect(seen.size).toBe(6);
});
