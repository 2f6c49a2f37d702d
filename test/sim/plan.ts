/** What happens in the storm of one seed, as far as it is decided beforehand. */
import { DEFAULTS, type ProxyConfig, type Timeouts } from "../../src/config/config.ts";
import type { Address } from "../../src/net/address.ts";
import type { Script } from "./endpoint.ts";
import type { Fate } from "./network.ts";
import type { Habits } from "./process.ts";
import type { Random } from "./random.ts";
import type { Weather } from "./wire.ts";

/**
 * `gentle`: everybody means well, so every byte has to arrive and every connection to end well. `patient`: peers
 * break connections, but weir has all the time in the world, so what it has read has to arrive. `rough`: anything.
 */
type Kind = "gentle" | "patient" | "rough";

export interface Plan {
  readonly kind: Kind;
  /** Threads of the native engine; 0: portable. */
  readonly workers: number;
  readonly config: ProxyConfig;
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

type Part = Pick<Script, "echoes" | "starts" | "finish">;
interface Dialogue {
  readonly client: Part;
  readonly target: Part;
}

const talk = (starts: Script["starts"], finish: Script["finish"], echoes = false): Part => ({ starts, finish, echoes });

/** Conversations that come to an end when nobody breaks them. */
const DIALOGUES: readonly Dialogue[] = [
  { client: talk("at once", "end"), target: talk("at once", "end") },
  { client: talk("at once", "end"), target: talk("at once", "end", true) },
  { client: talk("at once", "end"), target: talk("after the end", "end") },
  { client: talk("at once", "end after the peer"), target: talk("after the first byte", "end") },
  { client: talk("after the first byte", "end"), target: talk("at once", "end") },
  { client: talk("after the end", "end"), target: talk("at once", "end") },
  { client: talk("at once", "end after the peer"), target: talk("at once", "end") },
];

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
  const scripts = { random, kind, scale };
  return {
    kind,
    workers,
    limit,
    told,
    scale,
    dialogue,
    config: makeConfig(random, rough, scale),
    habits: makeHabits(random, scale),
    clients: random.size(1, limit < 1_000 ? 60 : 24),
    arrivals: random.pick([0, 10, 1_000]),
    shutdownAt,
    grace: random.pick([0, 0, 10, 1_000, 20_000]),
    hurryAt: random.chance(0.2) ? random.between(0, 500) : undefined,
    deaths: workers > 0 && rough && random.chance(0.3) ? [random.between(0, 500), random.between(0, 5_000)] : [],
    watchesReads: random.chance(0.2),
    fates: rough && random.chance(0.5) ? FATES : ["arrives"],
    weather: () => makeWeather(random, scale),
    client: (id) => makeScript(scripts, id, dialogue?.client),
    target: (id) => makeScript(scripts, id, dialogue?.target),
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
  const maybe = (least: number, most: number) => (random.chance(0.4) ? 0 : random.size(least, most));
  const timeouts: Timeouts = rough
    ? { connect: maybe(5, 10_000), idle: maybe(20, 10_000), fin: maybe(20, 5_000), lifetime: maybe(20, 50_000) }
    : { connect: 60_000, idle: 0, fin: 0, lifetime: 0 };
  return {
    ...DEFAULTS.proxy,
    name: "storm",
    listen: random.chance(0.8) ? { kind: "tcp", host: "127.0.0.1", port: 0 } : { kind: "unix", path: "/run/weir.sock" },
    targets: [random.pick(TARGETS)],
    timeouts,
    buffer: random.size(scale >> 7, scale),
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

/** One side of a connection: its part in the dialogue, or anything at all. */
function makeScript(
  { random, kind, scale }: Pick<Plan, "kind" | "scale"> & { random: Random },
  id: number,
  part?: Part,
) {
  const rough = kind === "rough";
  const send = Math.max(4, random.size(4, 2 * scale));
  const own: Part = {
    echoes: random.chance(0.2),
    starts: random.pick(["at once", "at once", "after the first byte", "after the end"]),
    finish: random.pick(["end", "end", "end after the peer", "reset", "close", "nothing"]),
  };
  const accidents: Script["accident"][] = rough
    ? ["none", "none", "reset", "close", "sever"]
    : ["none", "none", "reset"];
  const script: Script = {
    id,
    send,
    ...(part ?? own),
    write: random.size(Math.max(1, send >> 5), send),
    pace: random.pick([0, 0, 1, 20]),
    stallEvery: random.chance(0.5) ? Number.POSITIVE_INFINITY : random.size(Math.max(1, scale >> 4), scale),
    stallFor: random.pick([1, 100, rough ? 3_000 : 500]),
    readsUpTo: rough && random.chance(0.1) ? random.size(1, scale) : Number.POSITIVE_INFINITY,
    accident: kind === "gentle" ? "none" : random.pick(accidents),
    accidentAt: random.size(0, random.pick([5, 100, 5_000])),
  };
  return script;
}
