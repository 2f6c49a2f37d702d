/** What is seen from outside of clients that share connections: figures, records, events. On each engine. */
import { describe, expect, test } from "bun:test";
import { openThreads } from "#native";
import { runtime } from "#runtime";
import { adminApp } from "../../src/admin/app.ts";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import { startEngine } from "../../src/engine/engine.ts";
import { MUX, type MuxConfig } from "../../src/mux/mux-config.ts";
import type { LineEvent, MuxTrouble } from "../../src/mux/mux-events.ts";
import { muxView } from "../../src/mux/mux-view.ts";
import { type Address, formatAddress } from "../../src/net/address.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe } from "../contract/probe.ts";
import { ENGINES } from "../proxy/world.ts";

type Mode = (typeof ENGINES)[number];

/** What was told, in order, for those who wait for it. */
class Told<T> {
  readonly all: T[] = [];
  #look: () => void = () => {};

  readonly add = (value: T): void => {
    this.all.push(value);
    this.#look();
  };

  /** The first so many. */
  async first(count: number): Promise<readonly T[]> {
    while (this.all.length < count) {
      await new Promise<void>((resolve) => {
        this.#look = resolve;
      });
    }
    return this.all.slice(0, count);
  }
}

/** A proxy whose clients share connections to a target that does `greet` with each of them, and sends lines back. */
async function world(mode: Mode, config: Partial<MuxConfig> = {}, greet: (target: StreamSocket) => void = () => {}) {
  const kit = new Kit(runtime);
  const serve = (at: Address) =>
    kit.listen(at, (socket) => {
      const probe = new Probe(socket);
      probe.raw = true;
      probe.onData = (chunk) => void socket.write(chunk.slice());
      kit.later(() => probe.abort());
      greet(socket);
    });
  const listener = await serve(LOOPBACK);
  const { engine } = await startEngine(runtime, openThreads, { mode, workers: 2 });
  const [troubles, lines, records] = [new Told<MuxTrouble>(), new Told<LineEvent>(), new Told<ConnectionRecord>()];
  const mux = { ...MUX, protocol: "echo", ...config } as const;
  const proxy = await engine.open(
    { ...DEFAULTS.proxy, name: "cards", listen: LOOPBACK, targets: [plainTarget(listener.address)], mux },
    { mux: { trouble: troubles.add, line: lines.add }, closed: records.add, failed: records.add },
  );
  const app = adminApp(
    {
      runtime,
      engine,
      proxies: [proxy],
      past: [],
      bridges: [],
      ready: true,
      started: { at: 0, wallClock: 0 },
      reload: async () => undefined,
      drain() {},
    },
    { listen: LOOPBACK, token: undefined },
  );
  return {
    kit,
    proxy,
    troubles,
    lines,
    records,
    listener,
    target: formatAddress(listener.address),
    again: () => serve(listener.address),
    get: async (path: string) => await (await app(new Request(`http://weir${path}`))).text(),
    async client(): Promise<Probe> {
      const client = new Probe(await kit.connect(proxy.address));
      client.raw = true;
      return client;
    },
    async [Symbol.asyncDispose]() {
      proxy.cut();
      await proxy.drain();
      await engine.close();
      await kit.clean();
    },
  };
}

/** Asks, and waits for the replies: five bytes each. */
async function ask(client: Probe, requests: number): Promise<void> {
  const goal = client.received + requests * 5;
  client.writeText("ping\n".repeat(requests));
  await client.until(() => client.received >= goal || client.closed, "replies");
}

describe.each(ENGINES)("%s", (mode) => {
  test("requests are counted for the target and for each client", async () => {
    await using it = await world(mode);
    const [one, other] = [await it.client(), await it.client()];
    await ask(one, 3);
    await ask(other, 1);
    await ask(other, 1);
    const counted = { requests: 5, waiting: 0, inFlight: 0, timeouts: 0, retries: 0 };
    const nothing = { repliesDropped: 0, mismatches: 0, redials: 0 };
    const target = { address: it.target, connections: 1, ...counted, ...nothing };
    const view = { protocol: "echo", connections: 1, inFlight: 1, targets: [target] };
    expect(muxView(it.proxy)).toEqual(view as never);
    const { connections } = await it.proxy.connections(10);
    expect(connections.map(({ requests }) => requests).sort()).toEqual([2, 3]);
    expect(JSON.parse(await it.get("/api/proxies")).proxies[0].mux).toEqual(view);
    const page = await it.get("/metrics");
    expect(page).toContain(`weir_mux_requests_total{proxy="cards",target="${it.target}"} 5\n`);
    expect(page).toContain(`weir_mux_reply_seconds_count{proxy="cards",target="${it.target}"} 5\n`);
    one.finish();
    const [record] = await it.records.first(1);
    expect(record).toMatchObject({ reason: "client_closed", requests: 3, bytesUpstream: 15, bytesDownstream: 15 });
  });

  test("a connection to a target is told of when it is there and when it has ended", async () => {
    await using it = await world(mode, { closeWithLast: true });
    const client = await it.client();
    await ask(client, 1);
    client.finish();
    const [opened, closed] = await it.lines.first(2);
    expect(opened).toMatchObject({ event: "opened", target: it.target });
    expect(opened?.local).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(closed).toMatchObject({ ...opened, event: "closed", why: "unused", underWay: 0 });
  });

  test("the requests under way are told of when a target breaks off", async () => {
    await using it = await world(mode, { inFlight: 4 }, (socket) => {
      const probe = new Probe(socket);
      probe.raw = true;
      probe.onData = () => void queueMicrotask(() => socket.abort());
    });
    const client = await it.client();
    await ask(client, 1);
    const [, closed] = await it.lines.first(2);
    expect(closed).toMatchObject({ event: "closed", why: "target_reset", underWay: 1 });
  });

  test("a target that cannot be connected is told of once, and when it can again", async () => {
    await using it = await world(mode);
    await it.listener.close();
    // Who is refused may learn that before he is connected.
    const attempt = () =>
      it.client().then(
        (client) => ask(client, 1).then(() => client.abort()),
        () => undefined,
      );
    for (let n = 0; n < 3; n++) await attempt();
    await it.troubles.first(1);
    await it.again();
    while (it.troubles.all.length < 2) await attempt();
    const refused = { event: "unreachable", target: it.target, code: "ECONNREFUSED" };
    expect(it.troubles.all).toMatchObject([refused, { event: "reachable", target: it.target }]);
    expect(it.records.all[0]).toMatchObject({ reason: "connect_refused", requests: 0 });
  });

  test("a target that speaks without being asked is told of", async () => {
    await using it = await world(mode, {}, (socket) => void socket.write(new TextEncoder().encode("hello\n")));
    const client = await it.client();
    await it.troubles.first(1);
    expect(it.troubles.all[0]).toMatchObject({ event: "mismatch", target: it.target, count: 1 });
    expect(muxView(it.proxy)?.targets[0]?.mismatches).toBeGreaterThan(0);
    const [, closed] = await it.lines.first(2);
    expect(closed).toMatchObject({ event: "closed", why: "mismatch", underWay: 0 });
    client.abort();
  });
});

test("where each client has its own connection nothing of it is shown", async () => {
  const { engine } = await startEngine(runtime, openThreads, { mode: "portable", workers: 1 });
  const proxy = await engine.open({
    ...DEFAULTS.proxy,
    name: "web",
    listen: LOOPBACK,
    targets: [plainTarget(LOOPBACK)],
  });
  expect(muxView(proxy)).toBeNull();
  await proxy.drain();
  await engine.close();
});
