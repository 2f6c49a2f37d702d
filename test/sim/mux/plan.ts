/** What happens in a storm over shared connections, as far as it is decided beforehand. */
import { DEFAULTS, type ProxyConfig, plainTarget } from "../../../src/config/config.ts";
import { MUX } from "../../../src/mux/mux-config.ts";
import type { Address } from "../../../src/net/address.ts";
import type { Random } from "../../peers/random.ts";
import type { Habits } from "../process.ts";
import type { Weather } from "../wire.ts";
import { type Codec, makeCodec } from "./codecs.ts";

/** What a client does beyond asking and waiting. */
export const WHIMS = ["leaves", "stalls inside a message", "sends garbage", "reads slowly"] as const;
export type Whim = (typeof WHIMS)[number];

/** What a target does instead of answering. */
export const TEMPERS = ["never", "late", "finish", "reset", "half", "garbage"] as const;
export type Temper = (typeof TEMPERS)[number];

export interface MuxPlan {
  /** In a gentle storm everybody behaves, and every request is answered; in a patient one targets do. */
  readonly kind: "gentle" | "patient" | "rough";
  /** The network takes whatever it is given at once. */
  readonly bulk: boolean;
  readonly codec: Codec;
  readonly workers: number;
  readonly config: ProxyConfig;
  readonly habits: Habits;
  readonly clients: number;
  /** Milliseconds within which they come. */
  readonly arrivals: number;
  /** Milliseconds of a target's thinking, at most. */
  readonly thinking: number;
  readonly shutdownAt: number;
  readonly grace: number;
  /** That a target does not answer as it should. */
  readonly anger: number;
  /** That a target takes no more requests over a connection, and says so. */
  readonly spending: number;
  readonly weather: () => Weather;
}

const TARGETS: readonly Address[] = [
  { kind: "tcp", host: "10.0.0.1", port: 7000 },
  { kind: "tcp", host: "10.0.0.2", port: 7000 },
];

export function makeMuxPlan(random: Random): MuxPlan {
  const kind = random.pick(["gentle", "patient", "patient", "rough", "rough", "rough", "rough"] as const);
  const rough = kind === "rough";
  const scale = random.size(8, random.pick([30, 300, 3_000, 20_000]));
  const codec = makeCodec(random, scale);
  const connections = random.pick([1, 1, 1, 2, 4]);
  const inFlight = random.pick([1, 1, 2, 8, 64]);
  // Smallest pieces of streams: a few bytes are many events.
  const least = random.chance(0.1) ? 1 : Math.max(24, scale >> 4);
  // And many messages in one piece are what comes of much pipelining.
  const bulk = random.fork("bulk").chance(0.3);
  const piece = (times: number) => (bulk ? 65_536 : random.size(least, Math.max(2 * least, times * scale)));
  const maybe = (least: number, most: number) => (random.chance(0.5) ? 0 : random.size(least, most));
  const mux = {
    ...MUX,
    ...codec.settings,
    connections,
    inFlight,
    inFlightPerClient: random.pick([0, 0, 1, inFlight]),
    queuePerClient: random.pick([1, 3, 100]),
    timeout: rough ? random.size(50, 5_000) : 0,
    messageTimeout: rough ? maybe(50, 5_000) : 0,
    requestRetries: random.pick([0, 1, 3]),
    maxAge: maybe(20, 2_000),
    idle: maybe(20, 2_000),
    warm: random.pick([0, 0, 1, connections]),
    closeWithLast: random.chance(0.3),
  };
  return {
    kind,
    bulk,
    codec,
    workers: random.pick([0, 0, 1, 2]),
    config: {
      ...DEFAULTS.proxy,
      name: "storm",
      listen: { kind: "tcp", host: "127.0.0.1", port: 0 },
      targets: TARGETS.slice(0, random.pick([1, 1, 2])).map(plainTarget),
      timeouts: rough
        ? { hello: 0, connect: 1_000, idle: maybe(100, 20_000), fin: maybe(100, 20_000), lifetime: 0 }
        : { hello: 0, connect: 60_000, idle: 0, fin: 0, lifetime: 0 },
      retries: random.pick([0, 2]),
      buffer: Math.max(1, random.size(scale >> 3, 4 * scale)),
      mux,
    },
    habits: {
      lag: random.pick([0.01, 0.5, 5]),
      read: piece(4),
      tellsUnacknowledged: random.chance(0.7),
      // Else who leaves while nothing is read from him holds up the others until a timeout.
      tellsResetWhilePaused: random.chance(0.5) || kind === "patient",
      resetDiscards: random.chance(0.2),
      pauseAccept: true,
      links: random.chance(0.5),
      // A batch of requests, and a message on both sides of it.
      whole: 65_536 + 3 * (scale + 500),
    },
    clients: random.size(1, 24),
    arrivals: random.pick([0, 10, 1_000]),
    thinking: random.pick([0, 1, 30]),
    shutdownAt: rough && random.chance(0.3) ? random.between(0, 5_000) : 60_000,
    grace: random.pick([0, 1_000, 20_000]),
    spending: random.fork("spending").pick([0, 0.02, 0.3]),
    anger: rough ? random.pick([0, 0.02, 0.2]) : 0,
    weather: () => ({
      latency: random.pick([0.1, 1, 20]),
      segment: piece(2),
      sendBuffer: piece(4),
      receiveBuffer: piece(4),
      resetOvertakes: rough && random.chance(0.3),
    }),
  };
}
