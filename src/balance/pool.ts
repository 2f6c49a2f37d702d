/** The targets of one proxy in one thread: who may be chosen, and who is. */
import type { ProxyConfig } from "../config/config.ts";
import { formatAddress } from "../net/address.ts";
import { hashOf, randomFrom } from "./hash.ts";
import { Routes, routeOf, type Said } from "./routes.ts";
import { STRATEGIES, type Strategy } from "./strategies.ts";
import { Target, type TargetShare } from "./target.ts";

type Settings = Pick<ProxyConfig, "balance" | "slowStart" | "noneHealthy"> & Partial<Pick<ProxyConfig, "targets">>;

/** Who is given a target. */
export interface Source {
  /** Its address, which is asked for only when it decides. */
  readonly host: string;
  /** What it has said, where targets are for some clients; who has said nothing speaks no TLS. */
  readonly said?: Said | undefined;
}

/**
 * "busy": those that could be chosen have all the connections they may have. "none": there is none. "unrouted": none
 * is for this client.
 */
export type Choice = Target | "busy" | "none" | "unrouted";

export class Pool {
  readonly #proxy: string;
  readonly #worker: number;
  readonly #wallClock: () => number;
  readonly #random: () => number;
  #settings: Settings;
  #strategy: Strategy;
  #targets: readonly Target[] = [];
  /** As long as targets are for some clients. */
  routes: Routes | undefined;
  /** Filled anew for each choice. */
  readonly #candidates: Target[] = [];

  /** `wallClock`: milliseconds since 1970. */
  constructor(proxy: string, settings: Settings, worker: number, wallClock: () => number) {
    this.#proxy = proxy;
    this.#worker = worker;
    this.#wallClock = wallClock;
    this.#random = randomFrom(wallClock() + worker);
    this.#settings = settings;
    this.#strategy = STRATEGIES[settings.balance](this.#random);
    this.routes = Routes.of(settings.targets ?? []);
  }

  get targets(): readonly Target[] {
    return this.#targets;
  }

  /** Other targets, or the same with other settings; a target that stays keeps its connections and its turns. */
  replace(shares: readonly TargetShare[]): void {
    const before = new Map(this.#targets.map((target) => [target.name, target]));
    this.#targets = shares.map((share) => {
      const known = before.get(formatAddress(share.address));
      if (!known) return new Target(share, this.#proxy, this.#worker);
      known.config = share.config;
      known.route = routeOf(share.config);
      return known;
    });
  }

  configure(settings: Settings): void {
    if (settings.balance !== this.#settings.balance) this.#strategy = STRATEGIES[settings.balance](this.#random);
    if (settings.targets !== this.#settings.targets) this.routes = Routes.of(settings.targets ?? []);
    this.#settings = settings;
  }

  /**
   * A target for a client, with a place taken on it: whoever gets it gives it back. `tried` are left out.
   *
   * Those that are well come first, then backups that are; then those that could not be connected lately, which may
   * be back; and whoever the health checks have given up only if the configuration says so. As long as there are some,
   * those behind them stay out of it even if the others are busy, but for a client that has tried in vain already. All
   * that among the targets that are for this client.
   */
  choose(source: Source, tried: readonly Target[]): Choice {
    const now = this.#wallClock();
    const routes = this.routes?.find(source.said ?? null);
    if (routes?.length === 0) return "unrouted";
    let choice: Choice = "none";
    for (const level of LEVELS) {
      if (level === UNHEALTHY && this.#settings.noneHealthy === "refuse") break;
      if (this.#among(level, now, tried, routes) === 0) continue;
      choice = this.#take(source, now) ?? "busy";
      if (choice !== "busy" || tried.length === 0) break;
    }
    return choice;
  }

  /** Fills the candidates with those of a level that have room; answers how many there are, with room or not. */
  #among(level: Level, now: number, tried: readonly Target[], routes: readonly string[] | undefined): number {
    const candidates = this.#candidates;
    candidates.length = 0;
    let found = 0;
    for (const target of this.#targets) {
      if (!target.open || !level(target, now) || tried.includes(target)) continue;
      if (routes && !routes.includes(target.route)) continue;
      found++;
      if (!target.full) candidates.push(target);
    }
    return found;
  }

  #take(source: Source, now: number): Target | undefined {
    const candidates = this.#candidates;
    while (candidates.length > 0) {
      const chosen = candidates.length === 1 ? (candidates[0] as Target) : this.#preferred(source, now);
      // Another thread may have been faster.
      if (chosen.take()) return chosen;
      candidates.splice(candidates.indexOf(chosen), 1);
    }
    return undefined;
  }

  #preferred(source: Source, now: number): Target {
    const { balance, slowStart } = this.#settings;
    for (const each of this.#candidates) each.weigh(now, slowStart);
    return this.#strategy(this.#candidates, balance === "source_hash" ? hashOf(source.host) : 0);
  }
}

type Level = (target: Target, now: number) => boolean;

const UNHEALTHY: Level = () => true;

/** Each takes in those of the one before, of which there were none, or none with room. */
const LEVELS: readonly Level[] = [
  (target, now) => !target.config.backup && target.healthy && !target.leftAlone(now),
  (target, now) => target.healthy && !target.leftAlone(now),
  (target) => target.healthy,
  UNHEALTHY,
];
