/** What one proxy does with bytes besides passing them on, in one thread: who looks on, filters, faults. */
import type { ProxyConfig } from "../config/config.ts";
import { same } from "../config/same.ts";
import { type FaultConfig, hits } from "../filter/faults/fault.ts";
import type { ScriptFilter } from "../filter/script.ts";
import type { Runtime } from "../net/runtime.ts";
import { type ObserverMemory, type OnlookerEvents, Onlookers, type SessionOnlookers } from "./onlookers.ts";
import { chanceOf, type Place, SessionSteps, type StepsOwner } from "./steps.ts";

/** What the threads of a proxy are given for it. */
export interface ProcessingShare {
  readonly worker: number;
  /** How many connections there have been, in all threads. */
  readonly memory: { readonly ordinals: SharedArrayBuffer };
  readonly observers: ObserverMemory;
  /** By the paths in the configuration; without them filters that are scripts end their sessions. */
  readonly scripts?: ReadonlyMap<string, ScriptFilter>;
}

const NO_SCRIPTS: ReadonlyMap<string, ScriptFilter> = new Map();

export class Processing {
  readonly #runtime: Runtime;
  readonly #onlookers: Onlookers;
  readonly #ordinals: Int32Array;
  #scripts: ReadonlyMap<string, ScriptFilter>;
  #config: ProxyConfig;

  constructor(runtime: Runtime, config: ProxyConfig, share: ProcessingShare, events: OnlookerEvents) {
    this.#runtime = runtime;
    this.#config = config;
    this.#ordinals = new Int32Array(share.memory.ordinals);
    this.#scripts = share.scripts ?? NO_SCRIPTS;
    this.#onlookers = new Onlookers(runtime, config, share.observers, share.worker, events);
  }

  /** For the next session. Chance goes by the ordinal, so that a seed repeats it whichever thread it comes to. */
  place(): Place {
    return { weight: this.#onlookers.weight, ordinal: Atomics.add(this.#ordinals, 0, 1) + 1 };
  }

  get faults(): readonly FaultConfig[] {
    return this.#config.faults;
  }

  /** Another configuration for the sessions to come; true: the faults are others, for those that live as well. */
  configure(config: ProxyConfig, observers: ObserverMemory, scripts = this.#scripts): boolean {
    const before = this.#config;
    this.#config = config;
    this.#scripts = scripts;
    this.#onlookers.configure(config, observers);
    return !same(before.faults, config.faults);
  }

  /** The fault because of which a client gets no target: its service is down. */
  down(ordinal: number): string | undefined {
    const { faults, seed } = this.#config;
    const down = faults.find((fault) => {
      const { type, after, name } = fault;
      return type === "down" && after.bytes + after.time === 0 && hits(fault, chanceOf(seed, ordinal, name));
    });
    return down && `${down.name}: down`;
  }

  /** The steps of a session; undefined: it has none, its bytes are passed on as they are. */
  steps(owner: StepsOwner): SessionSteps | undefined {
    const { faults, filters } = this.#config;
    const onlookers = this.#onlookers.any ? this.#onlookers.meet(owner) : undefined;
    if (!onlookers && filters.length === 0 && faults.length === 0) return undefined;
    return this.#made(owner, filters, onlookers);
  }

  /** Steps for a session that has begun without: nobody can look at it from the beginning any more. */
  lateSteps(owner: StepsOwner): SessionSteps {
    return this.#made(owner, [], undefined);
  }

  /** No session is left, and none will come. */
  stop(): Promise<void> {
    return this.#onlookers.stop();
  }

  cut(): void {
    this.#onlookers.cut();
  }

  #made(owner: StepsOwner, filters: ProxyConfig["filters"], onlookers: SessionOnlookers | undefined): SessionSteps {
    const { name, seed, mux } = this.#config;
    const treatment = { runtime: this.#runtime, proxy: name, seed, filters, scripts: this.#scripts, mux };
    return new SessionSteps(owner, treatment, onlookers);
  }
}
