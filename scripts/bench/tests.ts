/** What is measured: each test as an entry of one table. */
import { setTimeout as sleep } from "node:timers/promises";
import { load, loadWhile, serve } from "./loader.ts";
import type { Usage } from "./process.ts";
import type { Row } from "./report.ts";
import { SETTLE } from "./stand.ts";

/** One contender, started and listening on `port`, and the limits of one look at it. */
export interface Bed {
  readonly loader: string;
  readonly port: number;
  /** Where the target tells how many bytes it has received. */
  readonly tally: number;
  /** How long the load lasts. */
  readonly seconds: number;
  /** Connections held in `idle`. */
  readonly idle: number;
  /** What the contender has used so far; undefined when nothing is between. */
  readonly cost: () => Usage | undefined;
}

export interface Test {
  readonly about: string;
  readonly target: "echo" | "sink" | "source" | "stuck";
  /**
   * Without, contenders are warmed and looked at by turns, for short. `whole`: once each, where a turn would be mostly its
   * beginning; `memory`: once, as the test itself says, which measures nothing but the relay.
   */
  readonly by?: "whole" | "memory";
  readonly measure: (bed: Bed) => Promise<Row>;
}

export const TESTS: Readonly<Record<string, Test>> = {
  tput1: { about: "one stream, client to server", target: "sink", measure: (bed) => push(bed, 1) },
  flood: {
    about: "the same under 20,000 connections a second from a source that guard and haproxy refuse",
    target: "sink",
    by: "whole",
    measure: flooded,
  },
  floodby: {
    about: "the same with the flood beside the contender, at a program that resets at once: what the machine has left",
    target: "sink",
    by: "whole",
    measure: floodedBeside,
  },
  tput1r: { about: "one stream, server to client", target: "source", measure: (bed) => pull(bed, 1) },
  tput8: { about: "eight streams, client to server", target: "sink", measure: (bed) => push(bed, 8) },
  rr64: { about: "ping-pong of 64 B on 64 connections", target: "echo", measure: (bed) => pingpong(bed, 64, 64) },
  rr1000: {
    about: "ping-pong of 64 B on 1,000 connections",
    target: "echo",
    by: "whole",
    measure: (bed) => pingpong(bed, 1000, 64),
  },
  rr8k: { about: "ping-pong of 8 KB on 10 connections", target: "echo", measure: (bed) => pingpong(bed, 10, 8192) },
  rr16k: { about: "ping-pong of 16 KB on 16 connections", target: "echo", measure: (bed) => pingpong(bed, 16, 16384) },
  cps: { about: "connect, one request, close; 32 at a time", target: "echo", measure: (bed) => connects(bed, 32) },
  idle: { about: "memory per idle connection", target: "echo", by: "memory", measure: idle },
  stall: { about: "memory for a reader that does not read", target: "stuck", by: "memory", measure: stall },
};

/** Load before a relay's memory is looked at. */
const FIRST_SECONDS = 1;
/** Until a relay has given back what it gives back when nothing goes on: weir's housekeeping takes 5 to 11 seconds. */
const REST_MS = 12_000;
const STALL_BYTES = 100e6;
const MB = 1e6;

async function push(bed: Bed, streams: number): Promise<Row> {
  return throughput(bed, ["push", bed.port, bed.tally, streams]);
}

/** Connections that are refused, each second. */
const FLOOD = 20_000;

async function floodedBeside(bed: Bed): Promise<Row> {
  const { program, answer } = await serve(bed.loader, "refuse");
  try {
    return await underFlood(bed, answer("port"));
  } finally {
    await program.stop();
  }
}

/** A contender without rules relays the flood: its figure says what the same load costs when it is let in. */
function flooded(bed: Bed): Promise<Row> {
  return underFlood(bed, bed.port);
}

async function underFlood(bed: Bed, port: number): Promise<Row> {
  const flood = load(bed.loader, ["flood", port, FLOOD], bed.seconds + 1);
  const row = await push(bed, 1);
  const answer = await flood;
  return { ...row, refused_s: answer("count") / answer("seconds") };
}

async function pull(bed: Bed, streams: number): Promise<Row> {
  return throughput(bed, ["pull", bed.port, streams]);
}

async function throughput(bed: Bed, args: readonly (string | number)[]): Promise<Row> {
  const { answer, cpuSeconds, peak } = await measured(bed, args);
  const bytes = answer("bytes");
  if (bytes === 0) throw new Error("Not one byte came through");
  return {
    gbit_s: (bytes * 8) / answer("seconds") / 1e9,
    ...(cpuSeconds === undefined ? {} : { cpu_s_per_gb: cpuSeconds / (bytes / 1e9) }),
    ...peak,
    errors: answer("errors"),
  };
}

async function pingpong(bed: Bed, conns: number, size: number): Promise<Row> {
  const { count, cpuPerAnswer, rest } = await requests(bed, ["pingpong", bed.port, conns, size]);
  return { req_s: count, ...(cpuPerAnswer === undefined ? {} : { cpu_us_per_req: cpuPerAnswer }), ...rest };
}

async function connects(bed: Bed, conns: number): Promise<Row> {
  const { count, cpuPerAnswer, rest } = await requests(bed, ["connect", bed.port, conns, 64]);
  return { conn_s: count, ...(cpuPerAnswer === undefined ? {} : { cpu_us_per_conn: cpuPerAnswer }), ...rest };
}

async function requests(bed: Bed, args: readonly (string | number)[]) {
  const { answer, cpuSeconds, peak } = await measured(bed, args);
  const count = answer("count");
  if (count === 0) throw new Error("Not one request was answered");
  return {
    count: count / answer("seconds"),
    cpuPerAnswer: cpuSeconds === undefined ? undefined : (cpuSeconds / count) * 1e6,
    rest: { p50_us: answer("p50_us"), p99_us: answer("p99_us"), ...peak, errors: answer("errors") },
  };
}

async function measured(bed: Bed, args: readonly (string | number)[]) {
  const before = bed.cost();
  const answer = await load(bed.loader, args, bed.seconds);
  const after = bed.cost();
  if (before === undefined || after === undefined) return { answer, cpuSeconds: undefined, peak: {} };
  return { answer, cpuSeconds: after.cpuSeconds - before.cpuSeconds, peak: { peak_mb: after.peakBytes / MB } };
}

/** Each connection makes one request before it falls silent: so the relay has opened its other side, too. */
async function idle(bed: Bed): Promise<Row> {
  const warm = () => load(bed.loader, ["pingpong", bed.port, 16, 64], FIRST_SECONDS);
  await warm();
  await sleep(REST_MS);
  const rest = bed.cost();
  await warm();
  await sleep(SETTLE);
  const before = bed.cost();
  let after = before;
  const limit = 10 + bed.idle / 500;
  const answer = await loadWhile(bed.loader, ["hold", bed.port, bed.idle, 64], limit, () => {
    after = bed.cost();
  });
  const held = answer("count");
  if (held === 0) throw new Error("Not one connection stayed open");
  return {
    held,
    rss_rest_mb: (rest?.rssBytes ?? 0) / MB,
    rss_after_mb: (after?.rssBytes ?? 0) / MB,
    bytes_per_conn: ((after?.anonymousBytes ?? 0) - (before?.anonymousBytes ?? 0)) / held,
    errors: answer("errors"),
  };
}

async function stall(bed: Bed): Promise<Row> {
  // What fits every socket's buffer: the relay sets up whatever it reads into, and nothing piles up.
  await load(bed.loader, ["stall", bed.port, 16384], FIRST_SECONDS);
  await sleep(SETTLE);
  const before = bed.cost();
  let after = before;
  const answer = await loadWhile(bed.loader, ["stall", bed.port, STALL_BYTES], 10, () => {
    after = bed.cost();
  });
  return {
    taken_mb: answer("bytes") / MB,
    growth_mb: ((after?.anonymousBytes ?? 0) - (before?.anonymousBytes ?? 0)) / MB,
    peak_mb: (after?.peakBytes ?? 0) / MB,
    errors: answer("errors"),
  };
}
