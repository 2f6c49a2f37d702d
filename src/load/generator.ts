/** A scenario, or one thread's share of it: its clients, from the first that begins to the last that is done. */
import type { ConnectOptions, Runtime, Timer } from "../net/runtime.ts";
import type { ClientTls } from "../net/tls.ts";
import { Client } from "./client.ts";
import { DatagramLine } from "./datagram-line.ts";
import type { Line, LineEvents, LineSetup } from "./line.ts";
import { Pacer } from "./pacer.ts";
import { Pattern } from "./pattern.ts";
import type { Sample } from "./sample.ts";
import type { Scenario } from "./scenario.ts";
import { StreamLine } from "./stream-line.ts";
import { Tally } from "./tally.ts";

/** Plain data. */
export interface LoadShare {
  readonly scenario: Scenario;
  /** Of all clients of the scenario, counted from 0, this thread's begin here. */
  readonly first: number;
  readonly count: number;
}

const SECOND = 1_000;
/** Milliseconds between two looks for requests that take too long, at most. */
const LOOK = 100;

export class Generator {
  /** Resolves when every client is done, after the last sample. */
  readonly done: Promise<void>;
  readonly #runtime: Runtime;
  readonly #tally: Tally;
  readonly #pacer: Pacer;
  readonly #tell: (sample: Sample) => void;
  readonly #clients: readonly Client[];
  readonly #timers = new Set<Timer>();
  #running: number;
  #resolveDone: () => void = () => {};

  /**
   * Begins at once. `tell` gets a sample for each second that is measured, and a last one. `clientTls`: for a target with
   * TLS.
   */
  constructor(runtime: Runtime, share: LoadShare, tell: (sample: Sample) => void, clientTls?: ClientTls) {
    const { scenario, first, count } = share;
    const { rate, ramp, warmup, timeout } = scenario;
    const start = runtime.exactNow();
    this.#runtime = runtime;
    this.#tell = tell;
    this.#pacer = new Pacer(runtime);
    this.#tally = new Tally(runtime, start + ramp + warmup, scenario);
    this.#running = count;
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
    const options: ConnectOptions = { noDelay: true, keepAlive: 0, buffer: 262_144, timeout, clientTls };
    const setup = { runtime, scenario, options, pattern: new Pattern(scenario.messageSize) };
    const interval = rate === null ? 0 : (SECOND * scenario.connections) / rate;
    const finished = () => this.#finished();
    this.#clients = Array.from({ length: count }, (_, index) => {
      const number = first + index;
      const begins = start + ((ramp + interval) * number) / scenario.connections;
      const pace = { first: begins, interval, timeout };
      return new Client(runtime, this.#tally, this.#pacer, pace, (events) => lineTo(setup, number, events), finished);
    });
    const { begin, end } = this.#tally;
    this.#every(begin - start + SECOND, SECOND, () => this.#report());
    const look = Math.min(LOOK, Math.max(1, timeout / 4));
    this.#every(look, look, () => this.#look());
    // Behind the last look at what takes too long.
    this.#once(end - start + timeout + 2 * look, () => this.#giveUp(true));
  }

  /** Ends before its time. What is under way is no error. */
  stop(): void {
    this.#giveUp(false);
  }

  #look(): void {
    const now = this.#runtime.exactNow();
    for (const client of this.#clients) client.look(now);
  }

  #giveUp(counted: boolean): void {
    for (const client of this.#clients) client.giveUp(counted);
  }

  #report(): void {
    this.#tell(this.#tally.sample());
  }

  #finished(): void {
    if (--this.#running > 0) return;
    for (const timer of this.#timers) timer.cancel();
    this.#pacer.close();
    this.#report();
    this.#resolveDone();
  }

  #once(ms: number, run: () => void): void {
    const timer = this.#runtime.after(Math.max(0, ms), () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  /** First after `delay`; one that comes late does not delay those behind it. */
  #every(delay: number, period: number, run: () => void): void {
    const at = this.#runtime.exactNow() + delay;
    this.#once(delay, () => {
      this.#every(at + period - this.#runtime.exactNow(), period, run);
      run();
    });
  }
}

function lineTo(setup: LineSetup, client: number, events: LineEvents): Line {
  const { target } = setup.scenario;
  if (target.kind === "udp") return new DatagramLine(setup, target, client, events);
  return new StreamLine(setup, target, client, events);
}

/** The clients of a scenario over `threads` of them, as evenly as can be; fewer threads where there are fewer clients. */
export function shares(scenario: Scenario, threads: number): readonly LoadShare[] {
  const count = Math.min(threads, scenario.connections);
  return Array.from({ length: count }, (_, index) => {
    const first = Math.floor((scenario.connections * index) / count);
    const next = Math.floor((scenario.connections * (index + 1)) / count);
    return { scenario, first, count: next - first };
  });
}
