/**
 * The part of a storm that is about what happens to bytes on their way: observers, filters, faults, and faults that come
 * and go while connections live. It draws from chances of its own, so that old seeds stay what they were.
 */
import type { ProxyConfig } from "../../src/config/config.ts";
import type { FaultConfig } from "../../src/filter/faults/fault.ts";
import type { FilterConfig } from "../../src/filter/filter.ts";
import type { TcpAddress } from "../../src/net/address.ts";
import type { StreamSocket } from "../../src/net/runtime.ts";
import { OBSERVER, type ObserverConfig } from "../../src/observe/observer-config.ts";
import type { Random } from "../peers/random.ts";
import type { Kind } from "../peers/scripts.ts";
import type { Change } from "./guard.ts";
import { OBSERVERS } from "./socket.ts";

/** What an observer does when it is connected. */
export type Temper = "reads" | "stalls" | "resets" | "finishes" | "absent";

export interface Alter {
  readonly config: Partial<ProxyConfig>;
  readonly changes: readonly Change[];
  readonly observers: readonly { readonly address: TcpAddress; readonly temper: Temper }[];
}

const NONE: Alter = { config: {}, changes: [], observers: [] };

export function makeAlter(random: Random, kind: Kind, scale: number): Alter {
  if (!random.chance(0.4)) return NONE;
  const rough = kind === "rough";
  const observers = Array.from({ length: random.pick([0, 1, 1, 3]) }, (_, n) => makeObserver(random, rough, scale, n));
  const config: Partial<ProxyConfig> = {
    observers: observers.map(({ config }) => config),
    filters: random.chance(0.3) ? [makeFilter(random, scale)] : [],
    faults: random.chance(0.6) ? makeFaults(random, rough, scale) : [],
    seed: random.between(1, 1_000_000),
  };
  const changes: Change[] = [];
  const faults = (at: number, list: readonly FaultConfig[]) =>
    changes.push({ at, run: (proxy) => void proxy.configure({ ...proxy.config, faults: list }) });
  for (let count = random.pick([0, 0, 1, 4]); count > 0; count--) {
    faults(random.between(0, random.pick([20, 500, 3_000])), makeFaults(random, rough, scale));
  }
  // What holds bytes for ever does so no longer.
  if (changes.length > 0 || !rough) faults(10_000, []);
  return { config, changes, observers };
}

function makeObserver(random: Random, rough: boolean, scale: number, n: number) {
  const address: TcpAddress = { kind: "tcp", host: OBSERVERS, port: 7_001 + n };
  const temper: Temper = random.pick(["reads", "reads", "stalls", "resets", "finishes", "absent"]);
  // Who is waited for has to read.
  const patient = temper === "reads" || rough;
  const whenFull = random.pick(
    patient ? (["drop", "disconnect", "block", "block"] as const) : (["drop", "disconnect"] as const),
  );
  // A frame for each byte, and each waited for, takes longer than anybody has.
  const slow = whenFull === "block" && !rough;
  const config: ObserverConfig = {
    ...OBSERVER,
    address,
    copies: random.pick(["upstream", "upstream", "downstream", "both"]),
    buffer: random.size(Math.max(1, scale >> (slow ? 1 : 6)), scale),
    whenFull,
    format: slow ? "raw" : random.pick(["raw", "raw", "framed"]),
  };
  return { address, temper, config };
}

/** Bytes of peers are noise: nothing like this is in them. */
const NOWHERE = "no peer has ever said this";

function makeFilter(random: Random, scale: number): FilterConfig {
  const direction = random.pick(["upstream", "downstream", "both"] as const);
  if (random.chance(0.5)) {
    return { type: "limit", direction, rate: random.pick([10, 100]) * scale, burst: random.size(2, scale) };
  }
  const pattern = { kind: "literal", bytes: new TextEncoder().encode(NOWHERE) } as const;
  return { type: "replace", direction, pattern, with: new Uint8Array([1]) };
}

const MILD = ["latency", "bandwidth", "slicer", "slow_close", "timeout"] as const;
const BAD = [...MILD, "reset_peer", "limit_data", "down"] as const;
type Played = (typeof BAD)[number];

function makeFaults(random: Random, rough: boolean, scale: number): readonly FaultConfig[] {
  return Array.from({ length: random.pick([1, 1, 2, 3]) }, (_, n) => {
    const type = random.pick<Played>(rough && random.chance(0.3) ? BAD : MILD);
    return {
      name: `${type}-${n}`,
      type,
      stream: random.pick(["upstream", "downstream"]),
      toxicity: random.pick([1, 1, 0.5]),
      after: { bytes: random.pick([0, 0, scale >> 1]), time: random.pick([0, 0, 50]) },
      attributes: attributesOf(type, random, rough, scale),
    };
  });
}

function attributesOf(type: Played, random: Random, rough: boolean, scale: number) {
  const attributes: Readonly<Record<Played, () => Readonly<Record<string, number>>>> = {
    latency: () => ({ latency: random.pick([0, 1, 50, 500]), jitter: random.pick([0, 20, 300]) }),
    bandwidth: () => ({ rate: Math.max(1, (random.pick([1, 10, 100]) * scale) / 1_000) }),
    slicer: () => ({
      average_size: random.size(Math.max(2, scale >> 6), scale),
      size_variation: random.between(0, Math.max(1, scale >> 7)),
      delay: random.pick([0, 100, 5_000]),
    }),
    slow_close: () => ({ delay: random.pick([0, 10, 2_000]) }),
    timeout: () => ({ timeout: rough ? random.pick([0, 100]) : 0 }),
    reset_peer: () => ({ timeout: random.pick([0, 100]) }),
    limit_data: () => ({ bytes: random.size(1, scale) }),
    down: () => ({}),
  };
  return attributes[type]();
}

/** Plays an observer on an accepted connection. */
export function playObserver(socket: StreamSocket, temper: Temper, random: Random): void {
  let received = 0;
  const enough = random.size(1, 10_000);
  socket.on({
    data(chunk) {
      received += chunk.length;
      if (received < enough) return;
      if (temper === "resets") socket.abort();
      else if (temper === "finishes") socket.end();
    },
    drain() {},
    end: () => socket.end(),
    broken: () => socket.abort(),
    close() {},
  });
  // Who stalls learns of the end all the same, in the way of a process that is killed.
  if (temper !== "stalls") socket.resume();
}
