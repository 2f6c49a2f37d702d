/** One worker without its thread: what it does when nobody takes its events. */
import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { targetMemory } from "../../src/balance/target.ts";
import { DEFAULTS, plainTarget } from "../../src/config/config.ts";
import type { FromWorker, ProxyEvent, Wants } from "../../src/engine/protocol.ts";
import { EngineWorker, type WorkerRuntime } from "../../src/engine/worker.ts";
import { BYTES } from "../../src/metrics/counters.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { entranceMemory } from "../../src/proxy/entrance.ts";
import { LOOPBACK } from "../contract/kit.ts";

/** A client that is accepted and can only be reset. */
function client(): StreamSocket {
  let events: StreamEvents | undefined;
  return {
    local: LOOPBACK,
    remote: LOOPBACK,
    buffered: 0,
    on: (given) => {
      events = given;
    },
    write: () => true,
    end() {},
    abort: () => events?.close(),
    pause() {},
    resume() {},
    unacknowledged: () => 0,
  };
}

const NOTHING: Wants = {
  opened: false,
  closed: false,
  failed: false,
  broken: false,
  read: false,
  observer: false,
  trouble: false,
  line: false,
};

async function world() {
  let accept: (socket: StreamSocket) => void = () => {};
  const refusing: WorkerRuntime = {
    ...runtime,
    after: () => ({ cancel() {} }),
    trimHeap() {},
    connect: () => ({ socket: Promise.reject(new SocketError("ECONNREFUSED")), cancel() {} }),
    adoptDatagram: () => {
      throw new Error("there are no datagrams here");
    },
    adopt: (_, address, __, accepting) => {
      accept = accepting;
      return { address, pause() {}, resume() {}, close: async () => {} };
    },
  };
  const sent: FromWorker[] = [];
  const setup = {
    index: 0,
    descriptors: 1_024,
    sessions: new Int32Array(1),
    ledger: new Uint8Array(0),
    ids: new BigUint64Array(new SharedArrayBuffer(8)),
  };
  const worker = new EngineWorker(refusing, setup, { send: (message) => sent.push(message), resolved() {}, stop() {} });
  const target = plainTarget(LOOPBACK);
  const config = { ...DEFAULTS.proxy, name: "db", listen: LOOPBACK, targets: [target] };
  const share = { address: LOOPBACK, config: target, memory: targetMemory(1, 1) };
  await worker.receive({
    type: "open",
    proxy: 1,
    config,
    address: LOOPBACK,
    descriptor: 5,
    cells: new Float64Array(new SharedArrayBuffer(BYTES)),
    workers: 1,
    memory: entranceMemory(config, 1, 1),
    targets: [share],
    observers: [],
    wants: { ...NOTHING, failed: true },
  });
  return {
    worker,
    sent,
    async refuse(count: number) {
      for (let n = 0; n < count; n++) accept(client());
      await Promise.resolve();
      await Promise.resolve();
    },
    events: () => sent.flatMap((message): readonly ProxyEvent[] => (message.type === "events" ? message.events : [])),
    lost: () => sent.reduce((sum, message) => sum + (message.type === "events" ? message.lost : 0), 0),
  };
}

test("events that nobody takes are dropped and counted, and go on when they are taken", async () => {
  const it = await world();
  await it.refuse(12_500);
  expect(it.events()).toHaveLength(10_000);
  await it.worker.receive({ type: "taken", events: 10_000 });
  await it.refuse(500);
  expect(it.events()).toHaveLength(10_500);
  expect(it.lost()).toBe(2_500);
});

test("connections get ids that no other worker gives", async () => {
  const it = await world();
  await it.refuse(1_000);
  const ids = it.events().map((event) => ("record" in event ? event.record.id : 0));
  expect(ids).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
});
