/** Observers over real sockets, on the runtime that runs the tests. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { runtime } from "#runtime";
import { type Address, formatAddress } from "../../src/net/address.ts";
import { FrameReader } from "../../src/observe/frame-reader.ts";
import { parseObserverAddress } from "../../src/observe/observer-address.ts";
import { type ObserverConfig, plainObserver } from "../../src/observe/observer-config.ts";
import { OBSERVER_CELL, ObserverCounters } from "../../src/observe/observer-counters.ts";
import { Observers, type SessionObservers } from "../../src/observe/observers.ts";
import { open } from "../contract/datagram-probe.ts";
import { Kit, LOOPBACK } from "../contract/kit.ts";
import { Probe, pattern } from "../contract/probe.ts";
import { same } from "./bytes.ts";

const CHUNK = 65_536;

let kit: Kit;
beforeEach(() => {
  kit = new Kit(runtime);
});
afterEach(() => kit.clean());

/** One session with one observer, whose client sends bytes of the pattern. */
class Stage {
  readonly counters = new ObserverCounters("web", "observer");
  readonly observers: Observers;
  readonly session: SessionObservers;
  sent = 0;
  #drained: () => void = () => {};

  constructor(address: string, settings: Partial<ObserverConfig> = {}) {
    const config = { ...plainObserver(parseObserverAddress(address)), ...settings };
    this.observers = new Observers(runtime, [{ config, counters: this.counters }], () => {});
    this.session = this.observers.session({ proxy: "web", id: 1, client: "127.0.0.1:5000" });
    const tap = this.session.tap("upstream");
    if (tap) tap.previous = { drain: () => this.#drained() };
    kit.later(() => this.observers.cut());
  }

  write(size = CHUNK): boolean {
    const chunk = pattern(this.sent, size);
    this.sent += size;
    return this.session.tap("upstream")?.write(chunk) ?? true;
  }

  /** Sends so much, waiting whenever it is told to. */
  async send(total: number): Promise<void> {
    while (total > this.sent) {
      const drained = new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
      if (!this.write()) await drained;
    }
  }

  async over(): Promise<void> {
    this.session.end("client_closed");
    await this.observers.stop();
  }

  get(cell: keyof typeof OBSERVER_CELL): number {
    return this.counters.get(OBSERVER_CELL[cell]);
  }
}

/** An observer that listens, and the first that connects to it. */
async function listening(at: Address = LOOPBACK, resumed = true): Promise<{ address: string; probe: Promise<Probe> }> {
  let accepted: (probe: Probe) => void = () => {};
  const probe = new Promise<Probe>((resolve) => {
    accepted = resolve;
  });
  const listener = await kit.listen(at, (socket) => {
    const probe = new Probe(socket, resumed);
    kit.later(() => probe.abort());
    accepted(probe);
  });
  return { address: formatAddress(listener.address), probe };
}

describe.each(["tcp", "unix"] as const)("%s", (kind) => {
  const at = (): Address => (kind === "tcp" ? LOOPBACK : { kind, path: join(kit.directory(), "s") });

  test("block: every byte arrives at an observer that stalls at first, and then the FIN", async () => {
    const { address, probe } = await listening(at(), false);
    const stage = new Stage(address, { whenFull: "block", buffer: 100_000 });
    const sending = stage.send(20_000_000);
    const watcher = await probe;
    watcher.resume();
    await sending;
    const over = stage.over();
    await watcher.untilEnd();
    watcher.finish();
    await over;
    expect(watcher.received).toBe(stage.sent);
    expect([stage.get("bytes"), stage.get("lost"), stage.get("waiting")]).toEqual([stage.sent, 0, 0]);
  });

  test("drop: a stalled observer costs no more than its buffer, and the session does not wait", async () => {
    const { address, probe } = await listening(at(), false);
    const stage = new Stage(address, { buffer: 1 << 20 });
    const watcher = await probe;
    while (stage.get("lost") < 10_000_000) {
      for (let n = 0; n < 20; n++) expect(stage.write()).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const [feed] = stage.session.feeds("upstream");
    expect(feed?.size).toBeLessThanOrEqual(1 << 20);
    expect(stage.get("bytes") + stage.get("lost") + stage.get("waiting")).toBe(stage.sent);
    watcher.raw = true;
    watcher.onData = () => {
      watcher.bytes = new Uint8Array(0);
    };
    watcher.resume();
    const over = stage.over();
    await watcher.untilEnd();
    watcher.finish();
    await over;
    expect(watcher.received).toBe(stage.get("bytes"));
    expect(stage.get("bytes") + stage.get("lost")).toBe(stage.sent);
  });

  test("an observer that resets is connected again, one that is gone is nobody's loss", async () => {
    const { address, probe } = await listening(at());
    const stage = new Stage(address);
    const watcher = await probe;
    stage.write();
    await watcher.until(() => watcher.received > 0, "bytes");
    watcher.abort();
    for (let n = 0; n < 100; n++) {
      expect(stage.write()).toBe(true);
      await new Promise((resolve) => setImmediate(resolve));
    }
    stage.observers.cut();
    await stage.over();
    expect(stage.write()).toBe(true);
    expect(stage.get("bytes") + stage.get("lost")).toBe(stage.sent);
    expect(stage.get("connections")).toBe(0);
  });
});

test("udp: reads arrive, those from before the socket was open as well", async () => {
  const probe = await open(kit);
  const { host, port } = probe.socket.local;
  const stage = new Stage(`udp://${host}:${port}`);
  stage.write(3_000);
  await probe.untilReceived(3);
  stage.write(10);
  await probe.untilReceived(4);
  expect(probe.received.map(({ bytes }) => bytes.length)).toEqual([1_400, 1_400, 200, 10]);
  await stage.over();
});

test("file: frames of a real file are read again", async () => {
  const path = join(kit.directory(), "copies");
  const stage = new Stage(`file:${path}`, { format: "framed" });
  for (let n = 0; n < 10; n++) stage.write(10_000);
  await stage.over();
  const events: string[] = [];
  const reader = new FrameReader((frame) => {
    events.push(frame.event);
    if (frame.event === "data") expect(same(frame.bytes, pattern(frame.offset, frame.length))).toBe(true);
  });
  reader.push(kit.content(path));
  expect(events).toEqual([...Array(10).fill("data"), "close"]);
  expect(reader.pending).toBe(0);
});
