/**
 * The targets of one proxy as the control plane holds them: who they are, written down or found in DNS, how they are,
 * and what was said about them at run time. Threads are given shares of them, see `Target`.
 */
import type { DnsConfig, ProxyConfig, TargetConfig } from "../config/config.ts";
import { same } from "../config/same.ts";
import { CELL, Counters } from "../metrics/counters.ts";
import { type Address, formatAddress } from "../net/address.ts";
import type { SocketError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import { type DnsName, formatTarget, isAddress } from "../net/target-name.ts";
import { randomFrom } from "./hash.ts";
import { HealthCheck, type HealthRules } from "./health.ts";
import { NameWatch } from "./names.ts";
import { countersOf, Target, type TargetShare, type TargetState, targetMemory } from "./target.ts";

/** A target and what the configuration says about it. */
export interface Found {
  readonly address: Address;
  readonly config: Omit<TargetConfig, "address">;
}

/** One target at one moment. */
export interface TargetView {
  readonly address: string;
  readonly state: TargetState;
  /** By its health checks, if there are any. */
  readonly healthy: boolean;
  /** What the last check has found wrong; null: nothing, or there is none. */
  readonly check: string | null;
  readonly weight: number;
  readonly backup: boolean;
  readonly maxConnections: number;
  readonly active: number;
  /** For which TLS clients it is; without, for all. */
  readonly sni?: readonly string[] | undefined;
  readonly alpn?: readonly string[] | undefined;
}

/** What can be said about a target at run time. */
export interface TargetChange {
  readonly state?: TargetState;
  readonly weight?: number;
}

export interface GroupEvents {
  /** The targets are others: threads need to be told. */
  changed(shares: readonly TargetShare[]): void;
  /** A target is no longer well, or is again. */
  health?(target: string, healthy: boolean, wrong: string | undefined): void;
  /** A name cannot be resolved, or (without error) can again. */
  name?(name: string, error: SocketError | undefined): void;
  /** DNS knows targets that it did not know, or no longer knows some. */
  found?(added: readonly string[], removed: readonly string[]): void;
}

type Settings = Pick<ProxyConfig, "name" | "targets" | "health" | "dns"> &
  Partial<Pick<ProxyConfig, "source" | "proxyProtocol" | "listen">>;

/** Targets that have gone and keep their own figures. */
const GONE = 100;

interface Member {
  share: TargetShare;
  readonly target: Target;
  check: HealthCheck | undefined;
}

export class TargetGroup {
  readonly #runtime: Runtime;
  readonly #workers: number;
  readonly #events: GroupEvents;
  readonly #random: () => number;
  #settings: Settings;
  #members = new Map<string, Member>();
  /** Those that are no longer chosen: they may have connections left, and what they have counted stays counted. */
  readonly #gone = new Map<string, Member>();
  /** What is left of those that have gone long ago. */
  readonly #forgotten: Counters;
  #names: NameWatch[] = [];
  /** Each name was asked for once. */
  #atWork = false;
  /** What names stand for, by their texts: another configuration may say the same in other objects. */
  #found = new Map<string, readonly Found[]>();

  /** `workers`: threads that count for themselves. */
  constructor(runtime: Runtime, settings: Settings, workers: number, events: GroupEvents) {
    this.#runtime = runtime;
    this.#workers = workers;
    this.#events = events;
    this.#random = randomFrom(runtime.wallClock());
    this.#settings = settings;
    this.#forgotten = new Counters(settings.name, "gone");
    this.#enrol(false);
  }

  /** Starts health checks and resolves names; resolves when each name was asked for once. */
  async start(): Promise<void> {
    this.#watchNames();
    for (const member of this.#members.values()) this.#watchHealth(member);
    await Promise.all(this.#names.map(({ asked }) => asked));
    this.#atWork = true;
  }

  get shares(): readonly TargetShare[] {
    return [...this.#members.values()].map(({ share }) => share);
  }

  get views(): readonly TargetView[] {
    return [...this.#members.values()].map(({ target, check }) => ({
      address: target.name,
      state: target.state,
      healthy: target.healthy,
      check: check?.wrong ?? null,
      weight: target.weight,
      backup: target.config.backup,
      maxConnections: target.config.maxConnections,
      active: target.active,
      sni: target.config.sni,
      alpn: target.config.alpn,
    }));
  }

  /** What all threads have counted, for each target there is or was; for those of long ago together, as `gone`. */
  get counters(): readonly Counters[] {
    const each = [...this.#members.values(), ...this.#gone.values()].map((member) => this.#countersOf(member));
    return this.#forgotten.get(CELL.targetConnections) > 0
      ? [...each, Counters.sum([this.#forgotten], this.#settings.name)]
      : each;
  }

  /** False: there is no such target. */
  set(address: string, { state, weight }: TargetChange): boolean {
    const member = this.#members.get(address);
    if (!member) return false;
    const { target } = member;
    const before = target.state;
    const idle = !target.open;
    if (weight !== undefined) target.weight = weight;
    if (state !== undefined) target.state = state;
    if (idle && target.open) target.begin(this.#runtime.wallClock());
    if (target.state === "disabled") this.#stopHealth(member);
    else if (before === "disabled") this.#watchHealth(member);
    this.#events.changed(this.shares);
    return true;
  }

  /** Other targets or checks; a target that stays keeps its connections and, without other words, its health. */
  configure(settings: Settings): void {
    const before = this.#settings;
    this.#settings = settings;
    if (!same(before.targets, settings.targets) || !same(before.dns, settings.dns)) this.#watchNames();
    const others = !same(checksOf(before), checksOf(settings));
    for (const member of others ? this.#members.values() : []) {
      // Whoever counts as well now does so before threads are told.
      if (settings.health) this.#stopCheck(member);
      else this.#stopHealth(member);
    }
    this.#enrol(true);
    for (const member of others ? this.#members.values() : []) this.#watchHealth(member);
  }

  /** A thread is gone, with its connections: how many of them had a target. */
  abandon(worker: number): number {
    let lost = 0;
    for (const { share, target } of [...this.#members.values(), ...this.#gone.values()]) {
      lost += target.abandoned(countersOf(share, this.#settings.name, worker));
    }
    return lost;
  }

  stop(): void {
    for (const name of this.#names) name.stop();
    for (const { check } of this.#members.values()) check?.stop();
  }

  #watchNames(): void {
    for (const name of this.#names) name.stop();
    const { targets, dns } = this.#settings;
    const known = this.#found;
    this.#found = new Map();
    this.#names = targets.flatMap((target) => {
      const { address, ...config } = target;
      if (isAddress(address)) return [];
      // Until the new answer comes, the old one holds.
      const name = formatTarget(address);
      this.#found.set(name, known.get(name) ?? []);
      return [this.#watchName(address, config, dns)];
    });
  }

  #watchName(address: DnsName, config: Found["config"], dns: DnsConfig): NameWatch {
    return new NameWatch(this.#runtime, address, config, dns, {
      found: (found) => {
        const before = new Set(this.#members.keys());
        this.#found.set(formatTarget(address), found);
        this.#enrol(true);
        const added = [...this.#members.keys()].filter((name) => !before.has(name));
        const removed = [...before].filter((name) => !this.#members.has(name));
        if (added.length + removed.length > 0) this.#events.found?.(added, removed);
      },
      failed: (error) => this.#events.name?.(formatTarget(address), error),
    });
  }

  /** Makes the members what configuration and names say. `late`: whoever is new comes to others that are at work. */
  #enrol(late: boolean): void {
    const before = this.#members;
    const members = new Map<string, Member>();
    for (const found of this.#wanted()) {
      const name = formatAddress(found.address);
      if (!members.has(name)) members.set(name, this.#member(name, found, before, late));
    }
    this.#members = members;
    for (const [name, member] of before) {
      if (members.has(name)) continue;
      this.#stopHealth(member);
      this.#gone.set(name, member);
    }
    this.#forget();
    this.#events.changed(this.shares);
  }

  #wanted(): readonly Found[] {
    return this.#settings.targets.flatMap((target) => {
      const { address, ...config } = target;
      return isAddress(address) ? [{ address, config }] : (this.#found.get(formatTarget(address)) ?? []);
    });
  }

  #member(name: string, { address, config }: Found, before: Map<string, Member>, late: boolean): Member {
    const known = before.get(name) ?? this.#gone.get(name);
    if (known) {
      this.#gone.delete(name);
      const idle = !known.target.open;
      // A weight that was set at run time holds until the configuration has another one.
      if (known.share.config.weight !== config.weight) known.target.weight = config.weight;
      if (idle && known.target.open) known.target.begin(this.#runtime.wallClock());
      known.share = { ...known.share, config };
      known.target.config = config;
      if (!before.has(name)) this.#join(known, late);
      return known;
    }
    const share = { address, config, memory: targetMemory(this.#workers, config.weight) };
    const target = new Target(share, this.#settings.name, 0);
    const member: Member = { share, target, check: undefined };
    this.#join(member, late);
    return member;
  }

  #join(member: Member, late: boolean): void {
    if (!late) return;
    // Those behind the first answers are as old as everybody: no slow start.
    if (this.#atWork) member.target.begin(this.#runtime.wallClock());
    this.#watchHealth(member);
  }

  #watchHealth(member: Member): void {
    const rules = checksOf(this.#settings);
    if (!rules || member.check || member.target.state === "disabled") return;
    const { target } = member;
    const changed = (healthy: boolean, wrong: string | undefined) => {
      target.judged(healthy, this.#runtime.wallClock());
      this.#events.health?.(target.name, healthy, wrong);
      // Who waits for a target may have one now, or may have to look for another.
      this.#events.changed(this.shares);
    };
    // What other checks have found holds until these know better.
    const { healthy } = target;
    member.check = new HealthCheck(this.#runtime, target.address, rules, this.#random, { changed }, healthy);
  }

  /** Nobody looks any more: it counts as well until somebody knows better. */
  #stopHealth(member: Member): void {
    this.#stopCheck(member);
    member.target.judged(true, 0);
  }

  #stopCheck(member: Member): void {
    member.check?.stop();
    member.check = undefined;
  }

  /** The oldest of too many that have gone lose their name. */
  #forget(): void {
    for (const [name, member] of this.#gone) {
      if (this.#gone.size <= GONE) return;
      const counters = this.#countersOf(member);
      if (member.target.active + counters.get(CELL.lines) > 0) continue;
      this.#gone.delete(name);
      this.#forgotten.include(counters);
    }
  }

  #countersOf({ share }: Member): Counters {
    const { name } = this.#settings;
    return Counters.sum(Array.from({ length: this.#workers }, (_, worker) => countersOf(share, name, worker)));
  }
}

/** Checks go the way that connections go. */
function checksOf({ health, source, proxyProtocol, listen }: Settings): HealthRules | null {
  const datagrams = listen?.kind === "udp";
  return health && { ...health, source: source ?? null, header: proxyProtocol?.send ?? "off", datagrams };
}
