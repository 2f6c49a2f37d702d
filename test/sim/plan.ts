/** What happens in the storm of one seed, as far as it is decided beforehand. */
import { DEFAULTS, type ProxyConfig, plainTarget, type TargetConfig, type Timeouts } from "../../src/config/config.ts";
import type { Address } from "../../src/net/address.ts";
import { parseCidr } from "../../src/net/cidr.ts";
import type { Script } from "../peers/endpoint.ts";
import type { Random } from "../peers/random.ts";
import { DIALOGUES, type Dialogue, type Kind, makeScript } from "../peers/scripts.ts";
import { type Alter, makeAlter } from "./alter.ts";
import { type Greeting, makeGreeting } from "./greeting.ts";
import { type Guard, makeGuard } from "./guard.ts";
import type { Fate } from "./network.ts";
import type { Habits } from "./process.ts";
import type { Weather } from "./wire.ts";

export interface Plan {
  /** How peers behave; in a rough storm weir has short timeouts and few descriptors, too. */
  readonly kind: Kind;
  /** Threads of the native engine; 0: portable. */
  readonly workers: number;
  readonly config: ProxyConfig;
  readonly guard: Guard;
  readonly alter: Alter;
  /** What clients say first, if they speak TLS. */
  readonly greeting: Greeting | undefined;
  readonly habits: Habits;
  /** Descriptors there really are, and what the platform tells of them. */
  readonly limit: number;
  readonly told: number | undefined;
  readonly clients: number;
  /** Milliseconds within which they come. */
  readonly arrivals: number;
  readonly shutdownAt: number;
  readonly grace: number;
  readonly hurryAt: number | undefined;
  readonly deaths: readonly number[];
  readonly watchesReads: boolean;
  readonly fates: readonly Fate[];
  readonly dialogue: Dialogue | undefined;
  /** The size of things, bytes: streams are about as long, buffers shorter. */
  readonly scale: number;
  readonly weather: () => Weather;
  readonly client: (id: number) => Script;
  readonly target: (id: number) => Script;
}

const NAMED: Address = { kind: "tcp", host: "target.test", port: 7000 };
const TARGETS: readonly Address[] = [
  { kind: "tcp", host: "10.0.0.1", port: 7000 },
  { kind: "unix", path: "/run/target.sock" },
  NAMED,
];

export function makePlan(random: Random): Plan {
  const kind: Kind = random.pick(["gentle", "gentle", "patient", "rough", "rough", "rough"]);
  const rough = kind === "rough";
  const scale = random.size(64, random.pick([300, 3_000, 60_000]));
  const dialogue = rough && random.chance(0.5) ? undefined : random.pick(DIALOGUES);
  const workers = random.pick([0, 0, 1, 2, 3]);
  const limit = rough && random.chance(0.25) ? random.between(68, 110) : 1_000_000;
  const told = limit < 1_000 ? random.pick([undefined, limit, limit, limit + 20]) : undefined;
  const shutdownAt = rough ? random.between(0, random.pick([50, 2_000, 60_000])) : 0;
  const plain = makeConfig(random, rough, scale);
  const [target] = plain.targets as [TargetConfig];
  const guard = makeGuard(random.fork("guard"), kind, target, plain.listen.kind === "tcp");
  const alter = makeAlter(random.fork("alter"), kind, scale);
  const altered = { ...plain, ...guard.config, ...alter.config };
  const greeting = makeGreeting(random.fork("greeting"), kind, altered, guard);
  return {
    kind,
    workers,
    limit,
    told,
    scale,
    dialogue,
    config: { ...altered, ...greeting?.config },
    guard,
    alter,
    greeting,
    // A hello that has come in many reads goes on in one piece.
    habits: { ...makeHabits(random, scale), ...(greeting && { whole: 8_192 }) },
    clients: random.size(1, limit < 1_000 ? 60 : 24),
    arrivals: random.pick([0, 10, 1_000]),
    shutdownAt,
    grace: random.pick([0, 0, 10, 1_000, 20_000]),
    hurryAt: random.chance(0.2) ? random.between(0, 500) : undefined,
    deaths: workers > 0 && rough && random.chance(0.3) ? [random.between(0, 500), random.between(0, 5_000)] : [],
    watchesReads: random.chance(0.2),
    fates: rough && random.chance(0.5) ? FATES : ["arrives"],
    weather: () => makeWeather(random, scale),
    client: (id) => makeScript(random, kind, scale, id, dialogue?.client),
    target: (id) => makeScript(random, kind, scale, id, dialogue?.target),
  };
}

const FATES: readonly Fate[] = [
  ...Array<Fate>(12).fill("arrives"),
  "ECONNREFUSED",
  "silence",
  "silence",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
];

function makeConfig(random: Random, rough: boolean, scale: number): ProxyConfig {
  // What came later has chances of its own: the storms of old seeds stay what they were.
  const access = random.fork("access");
  const maybe = (least: number, most: number) => (random.chance(0.4) ? 0 : random.size(least, most));
  const timeouts: Timeouts = rough
    ? {
        hello: 5_000,
        connect: maybe(5, 10_000),
        idle: maybe(20, 10_000),
        fin: maybe(20, 5_000),
        lifetime: maybe(20, 50_000),
      }
    : { hello: 0, connect: 60_000, idle: 0, fin: 0, lifetime: 0 };
  return {
    ...DEFAULTS.proxy,
    name: "storm",
    listen: random.chance(0.8) ? { kind: "tcp", host: "127.0.0.1", port: 0 } : { kind: "unix", path: "/run/weir.sock" },
    targets: [plainTarget(random.pick(TARGETS))],
    timeouts,
    deny: rough && access.chance(0.1) ? [parseCidr("127.0.0.0/8")] : [],
    refuse: access.pick(["reset", "close"]),
    retries: random.fork("retries").pick([0, 0, 1, 5]),
    buffer: Math.max(1, random.size(scale >> 7, scale)),
  };
}

function makeHabits(random: Random, scale: number): Habits {
  return {
    lag: random.pick([0.01, 0.5, 5]),
    read: random.size(Math.max(1, scale >> 6), scale),
    tellsUnacknowledged: random.chance(0.7),
    tellsResetWhilePaused: random.chance(0.5),
    resetDiscards: random.chance(0.2),
    pauseAccept: random.chance(0.7),
    links: random.chance(0.5),
  };
}

function makeWeather(random: Random, scale: number): Weather {
  const least = Math.max(1, scale >> 6);
  return {
    latency: random.pick([0.1, 1, 20]),
    segment: random.size(least, scale),
    sendBuffer: random.size(least, 2 * scale),
    receiveBuffer: random.size(least, 2 * scale),
    resetOvertakes: random.chance(0.3),
  };
}
