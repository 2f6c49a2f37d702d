/** One observer of one session, in virtual time: what it gets, and what if it comes late, goes, or never comes. */
import { describe, expect, test } from "bun:test";
import { pattern } from "../contract/probe.ts";
import { same } from "./bytes.ts";
import { observer, World } from "./world.ts";

describe("an observer that keeps up", () => {
  test("gets what the client sends, and the FIN when the session is over", async () => {
    const world = new World();
    await world.listen();
    const stage = world.observe(observer());
    const { upstream, downstream, observers } = stage.session();
    upstream.send(1_000, 1, 50_000);
    downstream.send(700);
    await world.run(100);
    expect(same(world.watcher.bytes, pattern(0, 51_001))).toBe(true);
    expect(world.watcher.ended).toBe(false);
    observers.end("client_closed");
    await world.run(100);
    expect(world.watcher).toMatchObject({ ended: true, closed: true, error: undefined });
    expect(stage.count()).toMatchObject({ bytes: 51_001, lost: 0, gaps: 0, waiting: 0, connections: 0 });
    expect(world.left).toEqual([]);
  });

  test.each([
    ["downstream", 700],
    ["both", 1_700],
  ] as const)("gets %s if that is asked for", async (copies, bytes) => {
    const world = new World();
    await world.listen();
    const { upstream, downstream, observers } = world.observe(observer({ copies })).session();
    upstream.send(1_000);
    downstream.send(700);
    observers.end("client_closed");
    await world.run(100);
    expect(world.watcher).toMatchObject({ length: bytes, ended: true });
  });

  test("costs no memory while nothing waits", async () => {
    const world = new World();
    await world.listen();
    const { upstream, observers } = world.observe(observer()).session();
    const [feed] = observers.feeds("upstream");
    upstream.send(500);
    expect(feed?.size).toBeGreaterThan(0);
    await world.run(100);
    upstream.send(500);
    expect(feed?.size).toBe(0);
    expect(feed?.direct).toBeDefined();
  });

  test("is read, whatever it sends, and its FIN does not mean that it reads nothing more", async () => {
    const world = new World();
    await world.listen(({ socket }) => {
      socket.write(pattern(0, 200_000));
      socket.end();
    });
    const stage = world.observe(observer());
    const { upstream } = stage.session();
    await world.run(1_000);
    upstream.send(1_000);
    await world.run(100);
    expect(world.watcher.length).toBe(1_000);
    expect(world.watcher.socket.buffered).toBe(0);
    expect(stage.count()).toMatchObject({ connections: 1, connectFailures: 0, gaps: 0 });
  });

  test("several of one session know nothing of each other", async () => {
    const world = new World();
    await world.listen();
    await world.listen(({ socket }) => socket.abort(), "10.0.0.2:6000");
    const { upstream } = world.observe(observer(), observer({}, "10.0.0.2:6000"), observer({}, "10.0.0.3:1")).session();
    upstream.send(...Array(50).fill(1_000));
    await world.run(60_000);
    expect(world.watchers[0]?.length).toBe(50_000);
    expect(upstream).toMatchObject({ arrived: 50_000, drains: 0 });
  });
});

describe("an observer that comes late", () => {
  test("gets what has waited, in order, and then the rest", async () => {
    const world = new World();
    const stage = world.observe(observer());
    const { upstream } = stage.session();
    upstream.send(1_000, 1_000);
    await world.run(400);
    await world.listen();
    upstream.send(500);
    await world.run(1_000);
    upstream.send(500);
    await world.run(100);
    expect(same(world.watcher.bytes, pattern(0, 3_000))).toBe(true);
    expect(stage.count()).toMatchObject({ bytes: 3_000, lost: 0, gaps: 0, waiting: 0, connections: 1 });
    expect(world.told.map(({ event }) => event)).toEqual(["unreachable", "reachable"]);
  });

  test("gets what was left when the session had ended meanwhile, if it comes soon", async () => {
    const world = new World();
    const { upstream, observers } = world.observe(observer()).session();
    upstream.send(2_000);
    observers.end("client_closed");
    await world.run(3_000);
    await world.listen();
    await world.run(2_000);
    expect(world.watcher).toMatchObject({ length: 2_000, ended: true, closed: true });
    expect(world.left).toEqual([]);
  });

  test("is not waited for when the session ended without a byte for it", async () => {
    const world = new World();
    world.network.fate = () => "silence";
    const { observers } = world.observe(observer()).session();
    await world.run(100);
    observers.end("client_closed");
    expect(world.left).toEqual([]);
  });
});

describe("an observer that cannot be reached", () => {
  test.each(["ECONNREFUSED", "silence"] as const)("%s: it is tried ten times and then lost", async (fate) => {
    const world = new World();
    world.network.fate = () => fate;
    const stage = world.observe(observer());
    const { upstream, observers } = stage.session();
    upstream.send(1_000);
    await world.run(120_000, () => world.left.length === 0);
    const patience = { ECONNREFUSED: 22_000, silence: 72_000 }[fate];
    expect(world.clock.now).toBeGreaterThan(patience - 2_000);
    expect(world.clock.now).toBeLessThan(patience);
    expect(stage.count()).toMatchObject({ connectFailures: 10, lost: 1_000, gaps: 1, waiting: 0 });
    upstream.send(500);
    expect(stage.count()).toMatchObject({ lost: 1_500, gaps: 2 });
    expect(observers.feeds("upstream")[0]?.state).toBe("gone");
    expect(upstream.arrived).toBe(1_500);
    observers.end("client_closed");
    expect(world.told.map(({ event }) => event)).toEqual(["unreachable"]);
  });

  test("keeps nobody when it is told to stop", async () => {
    const world = new World();
    world.network.fate = () => "silence";
    const stage = world.observe(observer());
    const { upstream, observers } = stage.session();
    upstream.send(1_000);
    observers.end("client_closed");
    let stopped = 0;
    for (const wait of [stage.observers.stop(), stage.observers.stop()]) {
      void wait.then(() => {
        stopped++;
      });
    }
    await world.run(4_900);
    expect(stopped).toBe(0);
    await world.run(200);
    expect(stopped).toBe(2);
    expect(world.left).toEqual([]);
  });
});

describe("an observer that goes", () => {
  test("is connected again, and goes on with what it had not been sent", async () => {
    const world = new World();
    await world.listen();
    const stage = world.observe(observer());
    const { upstream } = stage.session();
    upstream.send(1_000);
    await world.run(2_000);
    world.watcher.socket.abort();
    await world.run(50);
    expect(stage.count()).toMatchObject({ connections: 0 });
    upstream.send(1_000, 1_000);
    await world.run(1_000);
    expect(world.watchers.map(({ length }) => length)).toEqual([1_000, 2_000]);
    expect(same(world.watcher.bytes, pattern(1_000, 2_000))).toBe(true);
    expect(stage.count()).toMatchObject({ bytes: 3_000, lost: 0, gaps: 1, connections: 1 });
  });

  test("is lost if it goes at once, ten times in a row", async () => {
    const world = new World();
    await world.listen(({ socket }) => socket.abort());
    const stage = world.observe(observer());
    const { observers } = stage.session();
    await world.run(120_000);
    expect(world.watchers).toHaveLength(10);
    expect(observers.feeds("upstream")[0]?.state).toBe("gone");
    expect(stage.count()).toMatchObject({ connectFailures: 0, connections: 0 });
    expect(world.left).toEqual([]);
  });

  test("is connected for as long as the session lives if each connection lasts", async () => {
    const world = new World();
    await world.listen(({ socket }) => world.clock.after(1_500, () => socket.abort()));
    world.observe(observer()).session();
    await world.run(60_000);
    expect(world.watchers.length).toBeGreaterThan(30);
  });

  test("at the end of a session is not connected again", async () => {
    const world = new World();
    await world.listen((watcher) => {
      watcher.polite = false;
    });
    const { upstream, observers } = world.observe(observer()).session();
    upstream.send(1_000);
    await world.run(100);
    observers.end("client_closed");
    await world.run(100);
    world.watcher.socket.abort();
    await world.run(10);
    expect(world.left).toEqual([]);
    expect(world.watchers).toHaveLength(1);
  });
});
