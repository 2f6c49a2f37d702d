/** What a load has come to: the samples of all its threads, added up, and what percentiles can be asked of. */
import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import { LATENCY_MAX } from "./recorder.ts";
import type { Sample } from "./sample.ts";
import type { Scenario } from "./scenario.ts";

/** Milliseconds, all of them. */
export interface Distribution {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly p9999: number;
}

/** One second, of all threads together. */
export interface Second {
  readonly second: number;
  readonly requests: number;
  readonly errors: number;
  readonly connections: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Percentiles that plots are made of: closer together the nearer they come to 100. */
const CURVE = [0, 10, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.95, 99.99, 99.995, 99.999];

interface Moment {
  requests: number;
  errors: number;
  connections: number;
  readonly latencies: Histogram;
}

export class Result {
  readonly scenario: Scenario;
  /** Requests with their whole reply. */
  requests = 0;
  /** Bytes of replies. */
  bytes = 0;
  /** By name, the most frequent first. */
  #errors = new Map<string, number>();
  #late = 0;
  /** Milliseconds that were really measured: less than the scenario has when somebody ended it. */
  measured: number;
  readonly #latencies = histogram();
  readonly #services = histogram();
  readonly #seconds: Moment[] = [];

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.measured = scenario.duration;
  }

  add(sample: Sample): void {
    const moment = this.#moment(sample.second);
    this.requests += sample.requests;
    this.bytes += sample.bytes;
    this.#late += sample.late;
    moment.requests += sample.requests;
    moment.connections += sample.connections;
    for (const [code, count] of Object.entries(sample.errors)) {
      this.#errors.set(code, (this.#errors.get(code) ?? 0) + count);
      moment.errors += count;
    }
    record(sample.latencies, this.#latencies, moment.latencies);
    record(sample.services, this.#services);
  }

  get errors(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#errors].sort(([, a], [, b]) => b - a));
  }

  get failures(): number {
    return [...this.#errors.values()].reduce((sum, count) => sum + count, 0);
  }

  /** 0 to 100; 0 where nothing was asked. */
  get errorPercent(): number {
    const all = this.requests + this.failures;
    return all === 0 ? 0 : (100 * this.failures) / all;
  }

  /** Requests a second, of those that had their reply before the end. */
  get rate(): number {
    return this.measured === 0 ? 0 : (this.requests - this.#late) / (this.measured / 1_000);
  }

  /** Milliseconds that so many percent of all requests took at most, from when they were due; 0 to 100. */
  percentile(percent: number): number {
    return percentileOf(this.#latencies, percent);
  }

  get latencies(): Distribution {
    return distribution(this.#latencies);
  }

  /** From when requests were really sent; null where they are due when they are sent. */
  get services(): Distribution | null {
    return this.scenario.rate === null ? null : distribution(this.#services);
  }

  /** Percentile and milliseconds. */
  get curve(): readonly (readonly [number, number])[] {
    return CURVE.map((percent) => [percent, this.percentile(percent)] as const);
  }

  /** Second by second; replies that came after the end are part of none. */
  get seconds(): readonly Second[] {
    const whole = Math.ceil(this.measured / 1_000);
    return this.#seconds.slice(0, whole).map(({ requests, errors, connections, latencies }, second) => ({
      second,
      requests,
      errors,
      connections,
      p50: percentileOf(latencies, 50),
      p99: percentileOf(latencies, 99),
      max: percentileOf(latencies, 100),
    }));
  }

  /** The latencies in microseconds, as every HdrHistogram library reads them (V2, compressed, base64). */
  get encoded(): string {
    return encodeIntoCompressedBase64(this.#latencies);
  }

  #moment(second: number): Moment {
    while (this.#seconds.length <= second) {
      this.#seconds.push({ requests: 0, errors: 0, connections: 0, latencies: histogram() });
    }
    return this.#seconds[second] as Moment;
  }
}

function histogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_MAX,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: "packed",
  });
}

function record(pairs: readonly number[], ...histograms: readonly Histogram[]): void {
  for (let at = 0; at < pairs.length; at += 2) {
    for (const each of histograms) each.recordValueWithCount(pairs[at] as number, pairs[at + 1] as number);
  }
}

function percentileOf(values: Histogram, percent: number): number {
  return values.totalCount === 0 ? 0 : values.getValueAtPercentile(percent) / 1_000;
}

function distribution(values: Histogram): Distribution {
  const at = (percent: number) => percentileOf(values, percent);
  return {
    min: at(0),
    mean: values.totalCount === 0 ? 0 : values.mean / 1_000,
    max: at(100),
    p50: at(50),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    p9999: at(99.99),
  };
}
