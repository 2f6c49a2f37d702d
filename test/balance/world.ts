/** A machine in virtual time, and targets on another one that the test plays: checks and names are tested on it. */
import type { HealthRules } from "../../src/balance/health.ts";
import { HEALTH } from "../../src/config/config.ts";
import { type Address, parseAddress } from "../../src/net/address.ts";
import type { Chunk, Listener, Runtime, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { Random } from "../peers/random.ts";
import { Clock } from "../sim/clock.ts";
import { Network } from "../sim/network.ts";
import { EASY, Process } from "../sim/process.ts";
import { runtimeOf } from "../sim/runtime.ts";

const HABITS = { ...EASY, lag: 0 };
const LISTEN = { noDelay: true, keepAlive: 0, buffer: 65_536, backlog: 100 };

export const TARGET = parseAddress("10.0.0.1:80", "target");

/** A target's end of a connection. */
export class Peer implements StreamEvents {
  readonly socket: StreamSocket;
  received = "";
  /** It has seen the FIN of the check. */
  ended = false;
  closed = false;
  error: string | undefined;
  readonly #said: (peer: Peer) => void;

  /** `said`: what it does when it has heard something. */
  constructor(socket: StreamSocket, said: (peer: Peer) => void) {
    this.socket = socket;
    this.#said = said;
    socket.on(this);
    socket.resume();
  }

  /** Sends, one write for each. */
  say(...parts: readonly (string | Uint8Array)[]): void {
    for (const part of parts) this.socket.write(typeof part === "string" ? new TextEncoder().encode(part) : part);
  }

  data(chunk: Chunk): void {
    this.received += new TextDecoder().decode(chunk);
    this.#said(this);
  }

  drain(): void {}

  end(): void {
    this.ended = true;
    this.socket.end();
  }

  close(error?: { readonly code: string }): void {
    this.closed = true;
    this.error = error?.code;
  }
}

/** What a target does when it is connected, and when it has heard something. */
export interface Behaviour {
  connected?(peer: Peer): void;
  said?(peer: Peer): void;
}

export class World {
  readonly random: Random;
  readonly clock: Clock;
  readonly network: Network;
  readonly process: Process;
  readonly runtime: Runtime;
  /** The targets' ends of all connections there have been. */
  readonly peers: Peer[] = [];
  /** The addresses from which targets were to be connected. */
  readonly sources: (string | undefined)[] = [];
  readonly #machine: Process;

  /** `segment`: bytes that travel at once. */
  constructor(seed = 1, segment = 65_536) {
    this.random = new Random(seed);
    this.clock = new Clock(this.random);
    const weather = { latency: 1, segment, sendBuffer: 1 << 20, receiveBuffer: 1 << 20, resetOvertakes: false };
    this.network = new Network(this.clock, this.random, () => weather);
    this.process = new Process("weir", this.clock, this.random, HABITS);
    this.#machine = new Process("targets", this.clock, this.random, HABITS);
    const runtime = runtimeOf(this.network, this.process);
    const connect: Runtime["connect"] = (to, options) => {
      this.sources.push(options.source);
      return runtime.connect(to, options);
    };
    this.runtime = { ...runtime, connect };
  }

  /** A target that listens. */
  target(behaviour: Behaviour = {}, address: Address = TARGET): Promise<Listener> {
    return runtimeOf(this.network, this.#machine).listen(address, LISTEN, (socket) => {
      const peer = new Peer(socket, (each) => behaviour.said?.(each));
      this.peers.push(peer);
      behaviour.connected?.(peer);
    });
  }

  /** Lets `ms` milliseconds pass, or less if `done` before. */
  async run(ms: number, done: () => boolean = () => false): Promise<void> {
    const end = this.clock.now + ms;
    this.clock.after(ms, () => {});
    await this.clock.run(done, end);
  }

  /** What weir's process still holds, and what it has done wrong. */
  get left(): readonly string[] {
    const { timers, sockets, attempts, misuses } = this.process;
    const counts = { timers, sockets: sockets.size, attempts: attempts.size };
    const held = Object.entries(counts).filter(([, count]) => count > 0);
    return [...held.map(([what, count]) => `${count} ${what}`), ...misuses];
  }
}

/** A check of the shortest kind, connecting alone, with a second for it; `rules` make it another one. */
export function health(rules: Partial<HealthRules> = {}): HealthRules {
  return { ...HEALTH, ...rules };
}
