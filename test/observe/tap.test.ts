/** Where observers are joined to a session: bytes pass as they are, in order, and no drain is lost or too early. */
import { expect, test } from "bun:test";
import { observer, World } from "./world.ts";

test("a session with nobody to copy a direction has nothing in its way", async () => {
  const { observers } = new World().observe(observer({ copies: "downstream" })).session();
  expect(observers.tap("upstream")).toBeUndefined();
  expect(observers.tap("downstream")).toBe(observers.tap("downstream"));
});

test("it holds nothing", async () => {
  const world = new World();
  const { upstream } = world.observe(observer()).session();
  upstream.room = false;
  upstream.send(1_000, 1_000);
  expect(upstream.path.held).toBe(0);
  expect(upstream).toMatchObject({ arrived: 1_000, blocked: true });
});

test("the client waits for the target, and for an observer that blocks, and for no other", async () => {
  const world = new World();
  await world.listen(({ socket }) => socket.pause());
  const { upstream } = world
    .observe(observer({ whenFull: "block", buffer: 1_024 }), observer({ buffer: 1_024 }))
    .session();
  await world.run(50);
  upstream.send(...Array(200).fill(1_000));
  expect(upstream.blocked).toBe(true);
  const { arrived } = upstream;
  // Room at the target alone is not enough …
  upstream.drainSink();
  expect(upstream).toMatchObject({ blocked: true, arrived, drains: 0 });
  // … and neither is room at the observer.
  upstream.room = false;
  world.watchers[0]?.socket.resume();
  await world.run(1_000);
  expect(upstream).toMatchObject({ blocked: true, arrived: arrived + 1_000, drains: 1 });
  upstream.drainSink();
  await world.run(1_000);
  expect(upstream).toMatchObject({ blocked: false, waiting: 0, arrived: 200_000 });
});

test("an observer that blocks holds both directions back, and lets both go on", async () => {
  const world = new World();
  await world.listen(({ socket }) => socket.pause());
  const { upstream, downstream } = world
    .observe(observer({ copies: "both", whenFull: "block", buffer: 1_024 }))
    .session();
  await world.run(50);
  upstream.send(...Array(200).fill(1_000));
  downstream.send(...Array(200).fill(1_000));
  expect([upstream.blocked, downstream.blocked]).toEqual([true, true]);
  expect(downstream.arrived).toBe(1_000);
  world.watcher.socket.resume();
  await world.run(100_000, () => upstream.waiting + downstream.waiting === 0);
  expect([upstream.arrived, downstream.arrived]).toEqual([200_000, 200_000]);
});

test("an observer that is still full after it has taken something lets the session go on later", async () => {
  const world = new World();
  await world.listen(({ socket }) => socket.pause());
  const { upstream, downstream } = world
    .observe(observer({ copies: "both", whenFull: "block", buffer: 1_024, format: "framed" }))
    .session();
  await world.run(50);
  upstream.send(200_000, 200_000, 200_000);
  downstream.send(200_000, 200_000);
  expect([upstream.waiting, downstream.waiting]).toEqual([1, 1]);
  world.watcher.socket.resume();
  await world.run(100_000, () => upstream.waiting + downstream.waiting === 0);
  expect([upstream.arrived, downstream.arrived]).toEqual([600_000, 400_000]);
});

test("an observer that is lost while it blocks lets the session go on", async () => {
  const world = new World();
  await world.listen(({ socket }) => socket.pause());
  const stage = world.observe(observer({ whenFull: "block", buffer: 1_024 }));
  const { upstream } = stage.session();
  await world.run(50);
  upstream.send(...Array(200).fill(1_000));
  expect(upstream.blocked).toBe(true);
  stage.observers.cut();
  expect(upstream).toMatchObject({ blocked: false, waiting: 0, arrived: 200_000 });
});

test("a FIN passes behind the bytes, and framed observers are told of it", async () => {
  const world = new World();
  await world.listen();
  const { upstream, downstream, observers } = world.observe(observer({ format: "framed", copies: "both" })).session();
  await world.run(50);
  upstream.send(100);
  upstream.finish();
  downstream.send(50);
  downstream.finish();
  observers.end("client_closed");
  await world.run(100);
  expect([upstream.ended, downstream.ended]).toEqual([true, true]);
  const lines = world.watcher.text.match(/\{"time.*\}/g)?.map((line) => JSON.parse(line)) ?? [];
  expect(lines.map(({ direction, event, length, reason }) => [direction, event, length, reason])).toEqual([
    ["upstream", undefined, 100, undefined],
    ["upstream", "end", 0, undefined],
    ["downstream", undefined, 50, undefined],
    ["downstream", "end", 0, undefined],
    [undefined, "close", 0, "client_closed"],
  ]);
});
