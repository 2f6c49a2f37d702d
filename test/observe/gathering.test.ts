/** Small reads that follow each other soon, in virtual time: when they go, and that they are in order and all there. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { pattern } from "../contract/probe.ts";
import { same } from "./bytes.ts";
import { observer, World } from "./world.ts";

async function opened(settings: Parameters<typeof observer>[0] = {}) {
  const world = new World();
  await world.listen();
  const stage = world.observe(observer(settings));
  const { upstream, downstream, observers } = stage.session();
  await world.run(1_000, () => stage.count().connections === 1);
  const [feed] = observers.feeds("upstream");
  if (!feed) throw new Error("no feed");
  return { world, stage, upstream, downstream, observers, feed };
}

describe("small reads", () => {
  test("go at once after a silence, and those that follow soon go together", async () => {
    const { world, stage, upstream, feed } = await opened();
    upstream.send(64);
    expect(stage.count()).toMatchObject({ bytes: 64, waiting: 0 });
    upstream.send(64, 64, 64);
    expect(stage.count()).toMatchObject({ bytes: 64, waiting: 192 });
    await world.run(2);
    expect(stage.count()).toMatchObject({ bytes: 256, waiting: 0 });
    await world.run(2);
    expect(feed.size).toBe(0);
    upstream.send(64);
    expect(stage.count()).toMatchObject({ bytes: 320, waiting: 0 });
    await world.run(100);
    expect(same(world.watcher.bytes, pattern(0, 320))).toBe(true);
    await world.run(1_000);
    expect(world.left).toEqual(["1 sockets"]);
  });

  test("wait for no tick when many are gathered", async () => {
    const { stage, upstream } = await opened();
    upstream.send(...Array(40).fill(1_000));
    expect(stage.count().waiting).toBeLessThanOrEqual(16_384);
    expect(stage.count().bytes).toBeGreaterThanOrEqual(40_000 - 16_384);
  });

  test("go before a large one, which waits for nothing", async () => {
    const { world, stage, upstream, feed } = await opened();
    upstream.send(64, 64);
    expect(feed.direct).toBeUndefined();
    upstream.send(65_536);
    expect(stage.count()).toMatchObject({ waiting: 0 });
    await world.run(100);
    expect(same(world.watcher.bytes, pattern(0, 65_664))).toBe(true);
  });

  test("go when the session ends, and the FIN behind them", async () => {
    const { world, stage, upstream, observers } = await opened();
    upstream.send(64, 64);
    observers.end("client_closed");
    expect(stage.count()).toMatchObject({ bytes: 128, waiting: 0 });
    await world.run(100);
    expect(world.watcher).toMatchObject({ length: 128, ended: true, closed: true });
    expect(world.left).toEqual([]);
  });

  test("go one by one as frames", async () => {
    const { stage, upstream } = await opened({ format: "framed" });
    upstream.send(64, 64);
    expect(stage.count()).toMatchObject({ bytes: 128, waiting: 0 });
  });

  test("do not hold a session back whose observer is to block it, though its buffer is tiny", async () => {
    const { upstream, feed } = await opened({ whenFull: "block", buffer: 100 });
    upstream.send(...Array(50).fill(64));
    expect(feed.full).toBe(false);
    expect(upstream.drains).toBe(0);
  });
});

test("whatever the sizes and the times, all of it arrives in order", async () => {
  const read = fc.tuple(fc.integer({ min: 1, max: 6_000 }), fc.integer({ min: 0, max: 4 }));
  await fc.assert(
    fc.asyncProperty(fc.array(read, { maxLength: 60 }), async (reads) => {
      const { world, stage, upstream, observers } = await opened();
      for (const [size, ms] of reads) {
        upstream.send(size);
        if (ms > 0) await world.run(ms);
      }
      observers.end("client_closed");
      await world.run(1_000);
      const sum = reads.reduce((total, [size]) => total + size, 0);
      expect(same(world.watcher.bytes, pattern(0, sum))).toBe(true);
      expect(stage.count()).toMatchObject({ bytes: sum, lost: 0, gaps: 0, waiting: 0, connections: 0 });
      expect(world.left).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
