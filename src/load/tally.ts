/** Counts what the clients of one thread see, and makes a sample of it each second. */
import type { Runtime } from "../net/runtime.ts";
import { Recorder } from "./recorder.ts";
import type { Sample } from "./sample.ts";
import type { Scenario } from "./scenario.ts";

export class Tally {
  /** Milliseconds on the clock of `exactNow`: what was due before is not counted. */
  readonly begin: number;
  /** Nothing is due from here on. */
  readonly end: number;
  /** Clients that are connected now. */
  connections = 0;
  readonly #runtime: Pick<Runtime, "exactNow">;
  readonly #latencies = new Recorder();
  /** Undefined where requests are due when they are sent. */
  readonly #services: Recorder | undefined;
  readonly #size: number;
  #requests = 0;
  #late = 0;
  #bytes = 0;
  #errors: Record<string, number> = {};
  #second = 0;

  constructor(runtime: Pick<Runtime, "exactNow">, begin: number, { duration, rate, messageSize }: Scenario) {
    this.#runtime = runtime;
    this.begin = begin;
    this.end = begin + duration;
    this.#size = messageSize;
    this.#services = rate === null ? undefined : new Recorder();
  }

  /** A reply is whole: `due` and `sent` are when its request was due, and when it was really sent. Answers what time it is. */
  replied(due: number, sent: number): number {
    const now = this.#runtime.exactNow();
    if (due < this.begin) return now;
    this.#requests++;
    this.#bytes += this.#size;
    if (now > this.end) this.#late++;
    this.#latencies.record(now - due);
    this.#services?.record(now - sent);
    return now;
  }

  failed(due: number, code: string): void {
    if (due >= this.begin) this.#errors[code] = (this.#errors[code] ?? 0) + 1;
  }

  /**
   * So many requests, due one after the other with `interval` milliseconds between, have no reply yet. They count as
   * errors, and their latency so far as latency: it would be left out of the worst ones otherwise.
   */
  unfinished(due: number, count: number, interval: number): void {
    const now = this.#runtime.exactNow();
    for (let each = 0; each < count; each++) {
      const at = due + each * interval;
      if (at < this.begin) continue;
      this.failed(at, "unfinished");
      this.#latencies.record(now - at);
    }
  }

  sample(): Sample {
    const sample = {
      second: this.#second++,
      requests: this.#requests,
      late: this.#late,
      bytes: this.#bytes,
      errors: this.#errors,
      connections: this.connections,
      latencies: this.#latencies.take(),
      services: this.#services?.take() ?? [],
    };
    this.#requests = 0;
    this.#late = 0;
    this.#bytes = 0;
    this.#errors = {};
    return sample;
  }
}
