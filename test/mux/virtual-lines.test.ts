/** The connections of a multiplexer in virtual time: pauses, ages, idleness, and no timer for nothing. */
import { expect, test } from "bun:test";
import { get, modbus, ok } from "./talker.ts";
import { VirtualMux } from "./virtual.ts";

/** Milliseconds between attempts. */
function pauses(attempts: readonly number[]): number[] {
  return attempts.slice(1).map((at, index) => at - (attempts[index] as number));
}

test("attempts that fail have pauses between them, each about twice as long, up to five seconds", async () => {
  const it = new VirtualMux({ warm: 1 });
  await it.time.pass(0);
  it.wires[0]?.say("out of step\n");
  it.fate = "ECONNREFUSED";
  await it.time.pass(60_000);
  const [, ...after] = it.attempts;
  expect(after.length).toBeGreaterThan(12);
  for (const [index, pause] of pauses(after).entries()) {
    const most = Math.min(5_000, 200 * 2 ** index);
    expect(pause).toBeGreaterThanOrEqual(most / 2);
    expect(pause).toBeLessThanOrEqual(most);
  }
  expect(it.count("redials")).toBe(after.length);
});

test("a target that accepts and closes at once is not connected without pauses", async () => {
  const it = new VirtualMux({ warm: 1 });
  it.fate = "closes";
  await it.time.pass(1_000);
  expect(it.attempts.length).toBeLessThan(8);
  await it.time.pass(60_000);
  expect(it.attempts.length).toBeLessThan(40);
});

test("a connection that was good for something is replaced at once", async () => {
  const it = new VirtualMux({ warm: 1 });
  const client = await it.client();
  for (let round = 0; round < 20; round++) {
    const wire = it.wires[round];
    client.say("hello\n");
    wire?.say("hello\n");
    wire?.finish();
    await it.time.pass(0);
  }
  expect(it.time.now).toBe(0);
  expect(it.wires.length).toBe(21);
});

test("who comes during a pause is refused, and one who comes behind it is not", async () => {
  const it = new VirtualMux();
  it.fate = "ECONNREFUSED";
  expect((await it.client()).refused).toBe("ECONNREFUSED");
  expect((await it.client()).refused).toBe("ECONNREFUSED");
  expect(it.attempts.length).toBe(1);
  it.fate = "accepts";
  await it.time.pass(100);
  expect((await it.client()).refused).toBeUndefined();
  expect(it.attempts.length).toBe(2);
});

test("a connection that is too old takes no more requests, and ends behind the replies that are due", async () => {
  const it = new VirtualMux({ maxAge: 10_000, inFlight: 4 });
  const [one, other] = [await it.client(), await it.client()];
  one.say("one\n");
  await it.time.pass(11_000);
  other.say("other\n");
  expect(it.wires[0]).toMatchObject({ sent: "one\n", ended: false });
  it.wires[0]?.say("reply\n");
  expect(one.text).toBe("reply\n");
  expect(it.wires[0]).toMatchObject({ sent: "one\n", ended: true });
  it.wires[0]?.finish();
  await it.time.pass(0);
  expect(it.wires[1]?.sent).toBe("other\n");
});

test("a target that does not close its side is not waited for for ever", async () => {
  const it = new VirtualMux({ maxAge: 10_000 });
  const client = await it.client();
  while (!it.wires[0]?.ended) await it.time.pass(100);
  client.say("hello\n");
  expect(it.wires.length).toBe(1);
  await it.time.pass(2_000);
  expect(it.wires[0]?.aborted).toBe(true);
  expect(it.wires[1]?.sent).toBe("hello\n");
});

test("a connection is idle from its last request on, and not while a reply is due", async () => {
  const it = new VirtualMux({ idle: 1_000, timeout: 0 });
  const client = await it.client();
  await it.time.pass(900);
  client.say("one\n");
  await it.time.pass(5_000);
  expect(it.wires[0]?.ended).toBe(false);
  it.wires[0]?.say("one\n");
  await it.time.pass(1_100);
  expect(it.wires[0]?.ended).toBe(true);
});

test("a connection that is kept warm costs no timer after timer", async () => {
  const it = new VirtualMux({ warm: 1, idle: 1_000 });
  await it.time.pass(100_000);
  expect(it.wires[0]?.ended).toBe(false);
  expect(it.time.rung).toBeLessThan(200);
});

test("when all is cut a connection that is being closed is cut as well", async () => {
  const it = new VirtualMux({ closeWithLast: true });
  const client = await it.client();
  client.socket?.abort();
  await it.time.pass(0);
  expect(it.wires[0]?.ended).toBe(true);
  let closed = false;
  void it.mux.close().then(() => {
    closed = true;
  });
  it.mux.abort();
  await it.time.pass(0);
  expect(it.wires[0]?.aborted).toBe(true);
  expect(closed).toBe(true);
});

test("when nobody needs it any more nothing is left of it", async () => {
  const it = new VirtualMux({ closeWithLast: true, idle: 1_000, maxAge: 60_000 });
  const client = await it.client();
  client.say("hello\n");
  it.wires[0]?.say("hello\n");
  client.socket?.end();
  await it.time.pass(0);
  expect(client).toMatchObject({ text: "hello\n", ended: true, closed: true, code: undefined });
  it.wires[0]?.finish();
  await it.time.pass(60_000);
  expect(it.time.timers).toBe(0);
  for (const cell of ["lines", "requestsQueued", "requestsInFlight"] as const) expect(it.count(cell)).toBe(0);
});

test("a shorter timeout holds for those who come next, whoever waits with a longer one", async () => {
  const it = new VirtualMux({ timeout: 60_000, inFlight: 2, connections: 2 });
  const [one, other] = [await it.client(), await it.client()];
  one.say("one\n");
  it.configure({ timeout: 1_000 });
  other.say("other\n");
  await it.time.pass(2_000);
  expect(one.ended).toBe(false);
  expect(other).toMatchObject({ ended: true, reason: "request_timeout" });
});

test("bytes of a reply that was given up do not wait for a client that does not read", async () => {
  const it = new VirtualMux({ protocol: "http", inFlight: 8, timeout: 1_000 });
  const [slow, other] = [await it.client(), await it.client()];
  const [wire] = it.wires;
  slow.say(get("/big"));
  other.say(get("/dripping"));
  slow.say(get("/given-up"));
  slow.socket?.pause();
  wire?.say(ok("x".repeat(100_000)));
  wire?.say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
  for (let left = 99; left > 0; left--) {
    wire?.say("x");
    await it.time.pass(20);
  }
  expect(it.count("requestTimeouts")).toBe(1);
  wire?.say(`x${ok("late".repeat(10)).slice(0, 60)}`);
  slow.socket?.resume();
  await it.time.pass(0);
  expect(wire?.paused).toBe(false);
  wire?.say(ok("late".repeat(10)).slice(60));
  expect(slow.text.length).toBeGreaterThan(100_000);
  expect(it.count("repliesDropped")).toBe(1);
  other.say(get("/again"));
  wire?.say(ok("again"));
  expect(other.text).toEndWith(ok("again"));
});

test("modbus: a target that has left very many requests unanswered is still asked", async () => {
  const it = new VirtualMux({ protocol: "modbus", inFlight: 10_000, queuePerClient: 10_000, timeout: 1_000 });
  const client = await it.client();
  for (let round = 0; round < 5; round++) {
    client.say(modbus(round, 1, 6, "abcd").repeat(10_000));
    await it.time.pass(2_000);
  }
  expect(it.count("requestTimeouts")).toBe(50_000);
  const before = it.wires.reduce((sum, { sent }) => sum + sent.length, 0);
  client.say(modbus(7, 1, 6, "cdef"));
  await it.time.pass(100);
  expect(it.wires.reduce((sum, { sent }) => sum + sent.length, 0)).toBe(before + 12);
});
