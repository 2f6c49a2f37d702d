/** A machine in virtual time with observers on another one, and sessions whose two ends the test plays. */
import { Path } from "../../src/filter/path.ts";
import type { Direction, Inlet } from "../../src/filter/step.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import type { Chunk, Listener, Runtime, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import type { ObserverEvent } from "../../src/observe/observer.ts";
import { parseObserverAddress } from "../../src/observe/observer-address.ts";
import { type ObserverConfig, plainObserver } from "../../src/observe/observer-config.ts";
import { OBSERVER_CELL, ObserverCounters } from "../../src/observe/observer-counters.ts";
import { Observers, type SessionObservers } from "../../src/observe/observers.ts";
import { pattern } from "../contract/probe.ts";
import { Random } from "../peers/random.ts";
import { Clock } from "../sim/clock.ts";
import { Network } from "../sim/network.ts";
import { EASY, Process } from "../sim/process.ts";
import { runtimeOf } from "../sim/runtime.ts";
import type { Weather } from "../sim/wire.ts";
import { joined, same } from "./bytes.ts";

const LISTEN = { noDelay: true, keepAlive: 0, buffer: 65_536, backlog: 100 };
const WEATHER: Weather = {
  latency: 1,
  segment: 65_536,
  sendBuffer: 16_384,
  receiveBuffer: 16_384,
  resetOvertakes: false,
};

export const ADDRESS = "10.0.0.1:6000";

/** An observer's end of a connection. */
export class Watcher implements StreamEvents {
  readonly socket: StreamSocket;
  readonly chunks: Uint8Array[] = [];
  length = 0;
  ended = false;
  closed = false;
  error: string | undefined;
  /** It closes its side when weir has closed its own. */
  polite = true;
  onData: ((watcher: Watcher) => void) | undefined;

  constructor(socket: StreamSocket) {
    this.socket = socket;
    socket.on(this);
    socket.resume();
  }

  get bytes(): Uint8Array {
    return joined(this.chunks);
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  data(chunk: Chunk): void {
    this.chunks.push(chunk.slice());
    this.length += chunk.length;
    this.onData?.(this);
  }

  drain(): void {}

  end(): void {
    this.ended = true;
    if (this.polite) this.socket.end();
  }

  close(error?: { readonly code: string }): void {
    this.closed = true;
    this.error = error?.code;
  }
}

export class World {
  readonly random: Random;
  readonly clock: Clock;
  readonly network: Network;
  readonly process: Process;
  readonly machine: Process;
  readonly runtime: Runtime;
  /** All connections that observers have had. */
  readonly watchers: Watcher[] = [];
  readonly told: ObserverEvent[] = [];

  constructor(seed = 1, weather: Partial<Weather> = {}) {
    this.random = new Random(seed);
    this.clock = new Clock(this.random);
    this.network = new Network(this.clock, this.random, () => ({ ...WEATHER, ...weather }));
    this.process = new Process("weir", this.clock, this.random, { ...EASY, lag: 0, read: 1 << 20 });
    this.machine = new Process("observers", this.clock, this.random, { ...EASY, lag: 0 });
    this.runtime = runtimeOf(this.network, this.process);
  }

  /** Observers that listen; `connected`: what each does first. */
  listen(connected: (watcher: Watcher) => void = () => {}, at: string | Address = ADDRESS): Promise<Listener> {
    const address = typeof at === "string" ? parseAddress(at, "target") : at;
    return runtimeOf(this.network, this.machine).listen(address, LISTEN, (socket) => {
      const watcher = new Watcher(socket);
      this.watchers.push(watcher);
      connected(watcher);
    });
  }

  /** The connection that came last. */
  get watcher(): Watcher {
    const watcher = this.watchers.at(-1);
    if (!watcher) throw new Error("nobody has connected an observer");
    return watcher;
  }

  observe(...configs: readonly ObserverConfig[]): Stage {
    return new Stage(this, configs);
  }

  /** Lets `ms` milliseconds pass, or less if `done` before. */
  async run(ms: number, done: () => boolean = () => false): Promise<void> {
    const end = this.clock.now + ms;
    this.clock.after(ms, () => {});
    await this.clock.run(done, end);
  }

  /** What weir's process still holds, and what it has done wrong. */
  get left(): readonly string[] {
    const { timers, sockets, attempts, misuses, files } = this.process;
    const counts = { timers, sockets: sockets.size, attempts: attempts.size, files: files.opened };
    const held = Object.entries(counts).filter(([, count]) => count > 0);
    return [...held.map(([what, count]) => `${count} ${what}`), ...misuses];
  }
}

/** The observers of a proxy, and their counters. */
export class Stage {
  readonly observers: Observers;
  readonly counters: readonly ObserverCounters[];
  #sessions = 0;

  constructor(world: World, configs: readonly ObserverConfig[]) {
    this.counters = configs.map((_, index) => new ObserverCounters("web", `${index}`));
    const shares = configs.map((config, index) => ({ config, counters: this.counters[index] as ObserverCounters }));
    this.observers = new Observers(world.runtime, shares, (event) => world.told.push(event));
  }

  session(): Session {
    const id = ++this.#sessions;
    return new Session(this.observers.session({ proxy: "web", id, client: "10.0.0.9:5000" }));
  }

  /** What is counted for one of them, by name. */
  count(index = 0): Record<keyof typeof OBSERVER_CELL, number> {
    const counters = this.counters[index] as ObserverCounters;
    const cells = Object.entries(OBSERVER_CELL).map(([name, cell]) => [name, counters.get(cell)]);
    return Object.fromEntries(cells) as Record<keyof typeof OBSERVER_CELL, number>;
  }
}

/** A session with both its directions. */
export class Session {
  readonly observers: SessionObservers;
  readonly upstream: Line;
  readonly downstream: Line;

  constructor(observers: SessionObservers) {
    this.observers = observers;
    this.upstream = new Line(observers, "upstream");
    this.downstream = new Line(observers, "downstream");
  }
}

/** One direction: bytes of the pattern are written at one end, as far as there is room, and arrive at the other. */
export class Line implements Inlet {
  readonly path: Path;
  /** Bytes that have been written, and that have arrived. */
  sent = 0;
  arrived = 0;
  ended = false;
  drains = 0;
  /** The sender was told to wait. */
  blocked = false;
  /** What the receiver says to each write; {@link drainSink} makes room. */
  room = true;
  #full = false;
  readonly #waiting: number[] = [];

  constructor(observers: SessionObservers, direction: Direction) {
    const tap = observers.tap(direction);
    this.path = new Path(this, this, tap ? [tap] : []);
  }

  /** Reads of these sizes, each as soon as there is room. */
  send(...sizes: readonly number[]): void {
    this.#waiting.push(...sizes);
    this.#go();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  finish(): void {
    this.path.end();
  }

  drainSink(): void {
    this.room = true;
    this.#full = false;
    this.path.drain();
  }

  drain(): void {
    this.drains++;
    this.blocked = false;
    this.#go();
  }

  write(chunk: Chunk): boolean {
    if (this.ended) throw new Error("a write after the end");
    if (this.#full) throw new Error("a write after one that returned false, before drain");
    if (!same(chunk, pattern(this.arrived, chunk.length))) throw new Error(`wrong bytes at ${this.arrived}`);
    this.arrived += chunk.length;
    this.#full = !this.room;
    return this.room;
  }

  end(): void {
    this.ended = true;
  }

  #go(): void {
    while (!this.blocked) {
      const size = this.#waiting.shift();
      if (size === undefined) return;
      const chunk = pattern(this.sent, size);
      this.sent += size;
      this.blocked = !this.path.write(chunk);
      // It was on loan.
      chunk.fill(0xdb);
    }
  }
}

export function observer(settings: Partial<Omit<ObserverConfig, "address">> = {}, address = ADDRESS): ObserverConfig {
  return { ...plainObserver(parseObserverAddress(address)), ...settings };
}
