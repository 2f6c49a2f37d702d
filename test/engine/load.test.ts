/** Loads on both engines: real sockets, and threads that share them. */
import { describe, expect, test } from "bun:test";
import { openThreads } from "#native";
import { runtime } from "#runtime";
import { type Engine, startEngine } from "../../src/engine/engine.ts";
import type { Result } from "../../src/load/result.ts";
import { runScenario } from "../../src/load/run-scenario.ts";
import { type Settings, scenarioOf } from "../../src/load/scenario.ts";
import { DatagramEcho } from "../../src/proxy/datagram-echo.ts";
import { EchoServer } from "../../src/proxy/echo.ts";
import { NOBODY } from "../contract/kit.ts";
import { failure } from "../failure.ts";
import { ENGINES } from "../proxy/world.ts";

const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;
const NEVER = new Promise<void>(() => {});
/** Short, as these are about what is counted and not about how much. */
const SHORT = { duration: 200, warmup: 0 };

async function run(engine: Engine, settings: Settings): Promise<Result> {
  const scenario = scenarioOf("test", { ...SHORT, ...settings });
  return await runScenario(runtime, engine, scenario, { progress() {}, stopped: NEVER });
}

describe.each(ENGINES)("on the %s engine", (mode) => {
  async function world(run: (engine: Engine) => Promise<void>): Promise<void> {
    const { engine } = await startEngine(runtime, openThreads, { mode, workers: 2 });
    try {
      await run(engine);
    } finally {
      await engine.close();
    }
  }

  test.each([1, 64, 100_000])("messages of %i bytes come back, each to who has sent it", (messageSize) =>
    world(async (engine) => {
      const echo = await EchoServer.open(runtime, LOOPBACK);
      const result = await run(engine, { target: echo.address, connections: 7, messageSize });
      expect(result.errors).toEqual({});
      expect(result.requests).toBeGreaterThan(0);
      expect(result.bytes).toBe(result.requests * messageSize);
      await echo.stop(0, Promise.resolve());
    }),
  );

  test("a fixed rate is kept, and every request accounted for", () =>
    world(async (engine) => {
      const echo = await EchoServer.open(runtime, LOOPBACK);
      const result = await run(engine, { target: echo.address, connections: 5, rate: 500, duration: 1_000 });
      expect(result.requests + result.failures).toBe(500);
      expect(result.services).not.toBeNull();
      await echo.stop(0, Promise.resolve());
    }));

  test("a connection for each request", () =>
    world(async (engine) => {
      const echo = await EchoServer.open(runtime, LOOPBACK);
      const result = await run(engine, { target: echo.address, connections: 3, reconnect: true });
      expect(result.errors).toEqual({});
      expect(result.requests).toBeGreaterThan(0);
      await echo.stop(0, Promise.resolve());
    }));

  test("datagrams", () =>
    world(async (engine) => {
      const echo = await DatagramEcho.open(runtime, { kind: "udp", host: "127.0.0.1", port: 0 });
      const result = await run(engine, { target: echo.address, connections: 3, messageSize: 1_200 });
      expect(result.requests).toBeGreaterThan(0);
      expect(result.failures).toBe(0);
      await echo.stop();
    }));

  test("nobody is there", () =>
    world(async (engine) => {
      const result = await run(engine, { target: NOBODY, connections: 2 });
      expect(Object.keys(result.errors)).toEqual(["ECONNREFUSED"]);
      expect(result.requests).toBe(0);
      const udp = { ...NOBODY, kind: "udp" } as const;
      const datagrams = await run(engine, { target: udp, connections: 1, timeout: 500 });
      expect(datagrams.requests).toBe(0);
      expect(datagrams.failures).toBeGreaterThan(0);
    }));

  test("a name is resolved once, and one that is none is an error", () =>
    world(async (engine) => {
      const echo = await EchoServer.open(runtime, LOOPBACK);
      const { port } = echo.address as typeof LOOPBACK;
      const local = { kind: "tcp", host: "localhost", port } as const;
      expect((await run(engine, { target: local })).requests).toBeGreaterThan(0);
      const nowhere = await failure(run(engine, { target: { ...local, host: "nowhere.invalid" } }));
      expect(["ENOTFOUND", "EAI_AGAIN"]).toContain((nowhere as { code?: string }).code ?? "");
      await echo.stop(0, Promise.resolve());
    }));
});

test("more clients than descriptors are refused before the first of them connects", async () => {
  const { engine } = await startEngine({ ...runtime, descriptors: 100 }, openThreads, { mode: "portable", workers: 1 });
  const scenario = scenarioOf("many", { target: { ...LOOPBACK, port: 1 }, connections: 100 });
  const watch = { progress() {}, stopped: NEVER };
  const why = await failure(runScenario({ ...runtime, descriptors: 100 }, engine, scenario, watch));
  expect(String(why)).toContain('scenario "many": 100 clients need as many descriptors, and this process may have 100');
});

test("who is asked to stop reports what was measured until then", async () => {
  const echo = await EchoServer.open(runtime, LOOPBACK);
  const { engine } = await startEngine(runtime, openThreads, { mode: "portable", workers: 1 });
  const scenario = scenarioOf("long", { target: echo.address, duration: 60_000, warmup: 0 });
  let stop = () => {};
  const stopped = new Promise<void>((resolve) => {
    stop = resolve;
  });
  // The first second is over: there is something to report.
  const result = await runScenario(runtime, engine, scenario, { progress: () => stop(), stopped });
  expect(result.measured).toBeWithin(900, 60_000);
  expect(result.requests).toBeGreaterThan(0);
  expect(result.failures).toBe(0);
  await echo.stop(0, Promise.resolve());
});
