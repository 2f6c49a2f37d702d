/** Observers that are no streams: datagrams and files, in virtual time. */
import { describe, expect, test } from "bun:test";
import type { Chunk, Endpoint } from "../../src/net/runtime.ts";
import { type Frame, FrameReader } from "../../src/observe/frame-reader.ts";
import { pattern } from "../contract/probe.ts";
import { runtimeOf } from "../sim/runtime.ts";
import { joined, same } from "./bytes.ts";
import { observer, World } from "./world.ts";

const UDP = "udp://10.0.0.1:9000";

async function listener(world: World, host = "10.0.0.1"): Promise<{ bytes: Uint8Array; from: Endpoint }[]> {
  const received: { bytes: Uint8Array; from: Endpoint }[] = [];
  const socket = await runtimeOf(world.network, world.machine).datagram(
    { host, port: 9_000 },
    { receiveBuffer: 1 << 20 },
  );
  socket.on({ message: (chunk: Chunk, from) => received.push({ bytes: chunk.slice(), from }), close() {} });
  socket.resume();
  return received;
}

function framesOf(parts: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = [];
  const reader = new FrameReader((frame) => frames.push(frame));
  for (const part of parts) {
    reader.push(part);
    expect(reader.pending).toBe(0);
  }
  return frames;
}

describe("udp", () => {
  test("each read is a datagram, cut into pieces of 1,400 bytes, also what came before the socket was open", async () => {
    const world = new World();
    const received = await listener(world);
    const stage = world.observe(observer({}, UDP));
    const { upstream } = stage.session();
    upstream.send(100, 3_000);
    await world.run(10);
    upstream.send(1_400, 1);
    await world.run(10);
    expect(received.map(({ bytes }) => bytes.length)).toEqual([100, 1_400, 1_400, 200, 1_400, 1]);
    expect(same(joined(received.map(({ bytes }) => bytes)), pattern(0, 4_501))).toBe(true);
    expect(stage.count()).toMatchObject({ bytes: 4_501, lost: 0, gaps: 0, connections: 1 });
  });

  test("framed, each datagram is a frame, line and bytes", async () => {
    const world = new World();
    const received = await listener(world);
    const { upstream, observers } = world.observe(observer({ format: "framed" }, UDP)).session();
    upstream.send(3_000);
    observers.end("client_closed");
    await world.run(20);
    const frames = framesOf(received.map(({ bytes }) => bytes));
    expect(frames).toHaveLength(received.length);
    expect(same(joined(frames.map(({ bytes }) => bytes)), pattern(0, 3_000))).toBe(true);
    expect(received.every(({ bytes }) => bytes.length <= 1_400)).toBe(true);
    expect(frames.at(-1)?.event).toBe("close");
  });

  test("all sessions send from one socket, which stays until the proxy goes", async () => {
    const world = new World();
    const received = await listener(world);
    const stage = world.observe(observer({}, UDP));
    for (const size of [10, 20, 30]) {
      const { upstream, observers } = stage.session();
      upstream.send(size);
      await world.run(10);
      observers.end("client_closed");
    }
    expect(received.map(({ bytes }) => bytes.length)).toEqual([10, 20, 30]);
    expect(new Set(received.map(({ from }) => from.port)).size).toBe(1);
    expect(stage.observers.live).toBe(0);
    expect(world.process.others).toBe(1);
    await stage.observers.stop();
    await world.run(10);
    expect(world.process.others).toBe(0);
    expect(world.left).toEqual([]);
  });

  test("a name is resolved, again after a while, and a name that is none is a failure", async () => {
    const world = new World();
    const [first, second] = [await listener(world), await listener(world, "10.0.0.2")];
    const stage = world.observe(observer({}, "udp://collector:9000"));
    const { upstream } = stage.session();
    upstream.send(10);
    await world.run(1_000);
    expect(stage.count()).toMatchObject({ waiting: 10 });
    expect(stage.count().connectFailures).toBeGreaterThan(1);
    expect(world.told.map(({ event }) => event)).toEqual(["unreachable"]);
    world.network.names.set("collector", ["fd00::1", "10.0.0.1"]);
    await world.run(5_000);
    expect(first).toHaveLength(1);
    world.network.names.set("collector", ["10.0.0.2"]);
    stage.session();
    await world.run(40_000);
    upstream.send(10);
    await world.run(10);
    expect(first).toHaveLength(2);
    stage.session();
    await world.run(1_000);
    upstream.send(10);
    await world.run(10);
    expect([first.length, second.length]).toEqual([2, 1]);
  });

  test("a socket that is still to be opened when all is over is closed", async () => {
    const world = new World();
    world.network.names.set("collector", ["10.0.0.1"]);
    const stage = world.observe(observer({}, "udp://collector:9000"));
    const { observers } = stage.session();
    observers.end("client_closed");
    await stage.observers.stop();
    await world.run(1_000);
    expect(world.process.others).toBe(0);
  });

  test("datagrams that are one too many are lost, and frames tell of them; what is known only later is a gap", async () => {
    const world = new World();
    const received = await listener(world);
    const { datagram } = world.runtime;
    let [full, late] = [false, 0];
    Object.assign(world.runtime, {
      datagram: async (...args: Parameters<typeof datagram>) => {
        const socket = await datagram(...args);
        const { send } = socket;
        let refused = 0;
        Object.defineProperty(socket, "unsent", { get: () => refused + late });
        socket.send = (...args) => {
          if (full) refused++;
          else send.apply(socket, args);
        };
        return socket;
      },
    });
    const stage = world.observe(observer({ format: "framed" }, UDP));
    const { upstream } = stage.session();
    upstream.send(10);
    await world.run(10);
    full = true;
    upstream.send(20, 30);
    expect(stage.count()).toMatchObject({ bytes: 10, lost: 50, gaps: 1 });
    expect(world.told).toEqual([{ event: "behind", observer: UDP, session: 1 }]);
    full = false;
    late = 3;
    upstream.send(40);
    await world.run(10);
    expect(stage.count()).toMatchObject({ bytes: 50, lost: 50, gaps: 4 });
    const frames = framesOf(received.map(({ bytes }) => bytes));
    expect(frames).toMatchObject([
      { offset: 0, length: 10, gap: 0 },
      { offset: 60, length: 40, gap: 50 },
    ]);
  });
});

describe("file", () => {
  test("all sessions append to one, which is closed when none has it", async () => {
    const world = new World();
    const stage = world.observe(observer({ format: "framed", copies: "both" }, "file:/tmp/copies"));
    const [a, b] = [stage.session(), stage.session()];
    a.upstream.send(100, 200);
    b.downstream.send(50);
    a.upstream.send(10);
    expect(world.process.files.opened).toBe(1);
    a.observers.end("client_closed");
    b.observers.end("target_closed");
    expect(world.process.files.opened).toBe(0);
    const frames = framesOf([world.process.files.read("/tmp/copies")]);
    expect(frames.map(({ session, event, length }) => [session, event, length])).toEqual([
      [1, "data", 100],
      [1, "data", 200],
      [2, "data", 50],
      [1, "data", 10],
      [1, "close", 0],
      [2, "close", 0],
    ]);
    expect(stage.count()).toMatchObject({ bytes: 360, lost: 0, waiting: 0, connections: 0 });
    expect(world.left).toEqual([]);
  });

  test("or each has its own", async () => {
    const world = new World();
    const stage = world.observe(observer({}, "file:/tmp/{session}-{session}.bin"));
    for (const size of [100, 200]) {
      const { upstream, observers } = stage.session();
      upstream.send(size);
      observers.end("client_closed");
    }
    const { files } = world.process;
    expect(files.names).toEqual(["/tmp/1-1.bin", "/tmp/2-2.bin"]);
    expect(same(files.read("/tmp/2-2.bin"), pattern(0, 200))).toBe(true);
    expect(files.opened).toBe(0);
  });

  test("a full disk makes reads wait, and they are written when there is room again", async () => {
    const world = new World();
    const { files } = world.process;
    const stage = world.observe(observer({ buffer: 2_500 }, "file:/tmp/a"));
    const { upstream } = stage.session();
    upstream.send(1_000);
    files.capacity = 1_500;
    upstream.send(1_000, 1_000, 1_000);
    expect(stage.count()).toMatchObject({ bytes: 1_000, waiting: 2_000, lost: 1_000, connections: 0 });
    await world.run(400);
    expect(files.read("/tmp/a").length).toBe(1_000);
    files.capacity = 100_000;
    await world.run(5_000);
    expect(same(files.read("/tmp/a"), pattern(0, 3_000))).toBe(true);
    upstream.send(500);
    expect(stage.count()).toMatchObject({ bytes: 3_500, waiting: 0, lost: 1_000, connections: 1 });
    expect(upstream.arrived).toBe(4_500);
    expect(files.opened).toBe(1);
  });

  test("a file that one session could not write is opened anew, while another goes on with it", async () => {
    const world = new World();
    const { files } = world.process;
    const stage = world.observe(observer({}, "file:/tmp/a"));
    const [a, b] = [stage.session(), stage.session()];
    files.capacity = 10;
    a.upstream.send(100);
    files.capacity = 1_000;
    await world.run(200);
    expect(files.opened).toBe(2);
    b.upstream.send(50);
    expect(files.read("/tmp/a").length).toBe(150);
    for (const { observers } of [a, b]) observers.end("client_closed");
    expect(files.opened).toBe(0);
  });

  test("one that cannot be opened is tried ten times and then lost", async () => {
    const world = new World();
    world.process.files.locked.set("/tmp/a", "EACCES");
    const stage = world.observe(observer({}, "file:/tmp/a"));
    const { upstream, observers } = stage.session();
    upstream.send(1_000);
    await world.run(60_000);
    expect(stage.count()).toMatchObject({ connectFailures: 10, lost: 1_000 });
    expect(observers.feeds("upstream")[0]?.state).toBe("gone");
    expect(world.told).toEqual([
      { event: "unreachable", observer: "file:/tmp/a", code: "EACCES", message: "Cannot open /tmp/a (EACCES)" },
    ]);
    expect(world.left).toEqual([]);
  });
});
