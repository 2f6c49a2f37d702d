/** An observer that does not keep up, in virtual time: what becomes of what it does not take, and how it ends. */
import { describe, expect, test } from "bun:test";
import { parseAddress } from "../../src/net/address.ts";
import { pattern } from "../contract/probe.ts";
import { same } from "./bytes.ts";
import { ADDRESS, observer, World } from "./world.ts";

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
    session.upstream.send(...Array(900).fill(1_000));
    session.observers.end("client_closed");
    world.watcher.onData = ({ socket }) => {
      socket.pause();
      world.clock.after(4_000, () => socket.resume());
    };
    world.watcher.socket.resume();
    await world.run(59_000);
    expect(world.left).not.toEqual([]);
    await world.run(7_000);
    expect(world.left).toEqual([]);
    expect(stage.count().lost).toBeGreaterThan(0);
  });
});

describe("the end", () => {
  test("an observer that breaks off before it has got all is connected again for the rest", async () => {
    const world = new World();
    await world.listen(({ socket }) => socket.pause());
    const stage = world.observe(observer());
    const { upstream, observers } = stage.session();
    await world.run(2_000);
    upstream.send(...Array(200).fill(1_000));
    observers.end("client_closed");
    const { waiting } = stage.count();
    expect(waiting).toBeGreaterThan(0);
    world.watcher.socket.abort();
    await world.run(300);
    expect(world.watchers).toHaveLength(2);
    world.watcher.socket.resume();
    await world.run(2_000);
    expect(world.watcher).toMatchObject({ length: waiting, ended: true, closed: true });
    expect(stage.count()).toMatchObject({ bytes: 200_000, waiting: 0, lost: 0, gaps: 1 });
    expect(world.left).toEqual([]);
  });

  test("what comes behind it is for nobody", async () => {
    const world = new World();
    await world.listen();
    const stage = world.observe(observer({ format: "framed" }));
    const { upstream, observers } = stage.session();
    await world.run(50);
    observers.end("client_closed");
    upstream.send(1_000);
    upstream.finish();
    observers.end("target_closed");
    await world.run(50);
    expect(world.watcher.text).toMatch(/^[^\n]*"reason":"client_closed"[^\n]*\n$/);
    expect(stage.count()).toMatchObject({ bytes: 0, lost: 1_000, gaps: 1 });
    expect([upstream.arrived, upstream.ended]).toEqual([1_000, true]);
    expect(world.left).toEqual([]);
  });

  test("cut with bytes on their way is a gap of which nobody knows the size", async () => {
    const world = new World();
    await world.listen(({ socket }) => socket.pause());
    const stage = world.observe(observer());
    const { upstream } = stage.session();
    await world.run(50);
    upstream.send(40_000);
    await world.run(50);
    stage.observers.cut();
    expect(stage.count()).toMatchObject({ bytes: 40_000, waiting: 0, lost: 0, gaps: 1 });
  });

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
    raw?.sent("upstream", 700);
    expect(stage.count().bytes).toBe(700);
    upstream.send(...Array(200).fill(1_000));
    expect(raw?.direct).toBeUndefined();
    observers.end("client_closed");
    expect(raw?.direct).toBeUndefined();
  });
});
