/** One observer of one session, in virtual time: what it gets, what becomes of what it does not take, and how it ends. */
import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/net/address.ts";
import { pattern } from "../contract/probe.ts";
import { ADDRESS, observer, same, World } from "./world.ts";

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
    let stopped = false;
    void stage.observers.stop().then(() => {
      stopped = true;
    });
    await world.run(4_900);
    expect(stopped).toBe(false);
    await world.run(200);
    expect(stopped).toBe(true);
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

describe("an observer that stalls", () => {
  const stalling = async (settings: Parameters<typeof observer>[0]) => {
    const world = new World();
    await world.listen(({ socket }) => socket.pause());
    const stage = world.observe(observer({ buffer: 10_000, ...settings }));
    const session = stage.session();
    await world.run(50);
    return { world, stage, session };
  };

  test("drop: loses whole reads, is told so once, and gets the rest when it goes on", async () => {
    const { world, stage, session } = await stalling({ whenFull: "drop" });
    for (let n = 0; n < 200; n++) {
      session.upstream.send(1_000);
      await world.run(5);
    }
    const { bytes, lost, gaps, waiting } = stage.count();
    expect(bytes + lost + waiting).toBe(200_000);
    expect({ gaps, waiting }).toEqual({ gaps: 1, waiting: 10_000 });
    expect(session.observers.feeds("upstream")[0]?.size).toBeLessThanOrEqual(10_000);
    expect(session.upstream).toMatchObject({ arrived: 200_000, drains: 0 });
    expect(world.told).toEqual([{ event: "behind", observer: ADDRESS, session: 1 }]);
    world.watcher.socket.resume();
    await world.run(1_000);
    session.upstream.send(300);
    await world.run(100);
    expect(world.watcher.length).toBe(200_300 - lost);
    const before = pattern(0, bytes + waiting);
    expect(same(world.watcher.bytes.subarray(0, before.length), before)).toBe(true);
    expect(same(world.watcher.bytes.subarray(before.length), pattern(200_000, 300))).toBe(true);
    session.upstream.send(...Array(200).fill(1_000));
    expect(stage.count().gaps).toBe(2);
    expect(world.told).toHaveLength(1);
  });

  test("disconnect: is reset, and gone for this session", async () => {
    const { world, stage, session } = await stalling({ whenFull: "disconnect" });
    session.upstream.send(...Array(200).fill(1_000));
    world.watcher.socket.resume();
    await world.run(60_000);
    expect(world.watcher).toMatchObject({ closed: true, error: "ECONNRESET" });
    expect(session.observers.feeds("upstream")[0]?.state).toBe("gone");
    const { bytes, lost } = stage.count();
    expect(bytes + lost).toBe(200_000);
    expect(stage.count()).toMatchObject({ disconnects: 1, waiting: 0, connections: 0 });
    expect(world.told).toEqual([{ event: "disconnected", observer: ADDRESS, session: 1 }]);
    expect(world.watchers).toHaveLength(1);
    expect(world.left).toEqual([]);
    stage.session();
    await world.run(100);
    expect(world.watchers).toHaveLength(2);
  });

  test("block: holds the client back, and it gets every byte", async () => {
    const { world, stage, session } = await stalling({ whenFull: "block" });
    session.upstream.send(...Array(200).fill(1_000));
    await world.run(60_000);
    expect(session.upstream).toMatchObject({ blocked: true, drains: 0 });
    expect(session.upstream.waiting).toBeGreaterThan(50);
    expect(stage.count().waiting).toBe(10_000);
    world.watcher.socket.resume();
    await world.run(5_000);
    expect(session.upstream).toMatchObject({ blocked: false, waiting: 0, arrived: 200_000 });
    expect(same(world.watcher.bytes, pattern(0, 200_000))).toBe(true);
    expect(stage.count()).toMatchObject({ bytes: 200_000, lost: 0, gaps: 0, waiting: 0 });
  });

  test("block: a read bigger than the buffer is kept all the same", async () => {
    const { world, session } = await stalling({ whenFull: "block" });
    session.upstream.send(100_000, 100_000, 100_000);
    expect(session.upstream).toMatchObject({ blocked: true, waiting: 1 });
    world.watcher.socket.resume();
    await world.run(5_000);
    expect(same(world.watcher.bytes, pattern(0, 300_000))).toBe(true);
  });

  test("block: who never comes holds the client back until it is lost", async () => {
    const world = new World();
    const { upstream } = world.observe(observer({ whenFull: "block", buffer: 1_024 })).session();
    upstream.send(...Array(10).fill(1_000));
    await world.run(15_000);
    expect(upstream).toMatchObject({ blocked: true, waiting: 8 });
    await world.run(15_000);
    expect(upstream).toMatchObject({ blocked: false, waiting: 0, arrived: 10_000 });
  });

  test("at the end of the session: it has five seconds to go on", async () => {
    const { world, stage, session } = await stalling({});
    session.upstream.send(...Array(200).fill(1_000));
    session.observers.end("client_closed");
    await world.run(4_900);
    expect(stage.count().waiting).toBe(10_000);
    // What was on its way before it stalled was progress.
    await world.run(1_200);
    expect(world.left).toEqual([]);
    const { bytes, lost } = stage.count();
    expect(bytes + lost).toBe(200_000);
    world.watcher.socket.resume();
    await world.run(100);
    expect(world.watcher.error).toBe("ECONNRESET");
  });

  test("at the end of the session: one that is slow is waited for as long as it goes on", async () => {
    const { world, stage, session } = await stalling({ buffer: 1_000_000 });
    const { watcher } = world;
    session.upstream.send(...Array(200).fill(1_000));
    session.observers.end("client_closed");
    const sip = () => {
      watcher.socket.resume();
      world.clock.after(4, () => watcher.socket.pause());
      world.clock.after(1_000, sip);
    };
    sip();
    await world.run(59_000, () => watcher.closed);
    expect(world.clock.now).toBeGreaterThan(10_000);
    await world.run(10);
    expect([watcher.length, watcher.ended]).toEqual([200_000, true]);
    expect(stage.count()).toMatchObject({ bytes: 200_000, lost: 0, gaps: 0 });
    expect(world.left).toEqual([]);
  });

  test("at the end of the session: a minute is the most it gets", async () => {
    const { world, stage, session } = await stalling({ buffer: 1_000_000 });
    const { watcher } = world;
    session.upstream.send(...Array(900).fill(1_000));
    session.observers.end("client_closed");
    watcher.onData = ({ socket }) => {
      socket.pause();
      world.clock.after(4_000, () => socket.resume());
    };
    watcher.socket.resume();
    await world.run(59_000);
    expect(world.left).not.toEqual([]);
    await world.run(7_000);
    expect(world.left).toEqual([]);
    expect(stage.count().lost).toBeGreaterThan(0);
  });
});

describe("the end", () => {
  test("an observer that never closes its side is left after five seconds", async () => {
    const world = new World();
    await world.listen((watcher) => {
      watcher.polite = false;
    });
    const stage = world.observe(observer());
    const { upstream, observers } = stage.session();
    upstream.send(1_000);
    await world.run(100);
    observers.end("client_closed");
    await world.run(5_100);
    expect(world.watcher).toMatchObject({ length: 1_000, ended: true });
    expect(world.left).toEqual([]);
    expect(stage.count()).toMatchObject({ bytes: 1_000, lost: 0, gaps: 0 });
  });

  test("cut ends everything at once, and what waits is lost", async () => {
    const world = new World();
    await world.listen(({ socket }) => socket.pause());
    const stage = world.observe(observer(), observer({}, "10.0.0.2:1"));
    const { upstream } = stage.session();
    await world.run(50);
    upstream.send(...Array(100).fill(1_000));
    let stopped = false;
    void stage.observers.stop().then(() => {
      stopped = true;
    });
    stage.observers.cut();
    await world.run(10);
    expect(stopped).toBe(true);
    expect(world.left).toEqual([]);
    for (const index of [0, 1]) {
      const { bytes, lost, waiting, gaps } = stage.count(index);
      expect({ sum: bytes + lost, waiting, gaps }).toEqual({ sum: 100_000, waiting: 0, gaps: 1 });
    }
    upstream.send(500);
    expect(upstream.arrived).toBe(100_500);
  });

  test("bytes that go past the feed are counted, and only a feed that keeps up lets them", async () => {
    const world = new World();
    await world.listen(({ socket }) => socket.pause());
    const stage = world.observe(observer(), observer({ format: "framed" }));
    const { upstream, observers } = stage.session();
    const [raw, framed] = observers.feeds("upstream");
    expect(raw?.direct).toBeUndefined();
    await world.run(50);
    expect(raw?.direct?.remote).toEqual(parseAddress(ADDRESS, "target"));
    expect(framed?.direct).toBeUndefined();
    raw?.sent(700);
    expect(stage.count().bytes).toBe(700);
    upstream.send(...Array(200).fill(1_000));
    expect(raw?.direct).toBeUndefined();
    observers.end("client_closed");
    expect(raw?.direct).toBeUndefined();
  });
});
