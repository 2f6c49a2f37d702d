/**
 * The steps of one session: who looks on, filters, faults. An onlooker sees what the client sends and receives, so it is
 * first on the way upstream and last on the way back. Faults come and go while the session lives.
 *
 *     client ──► onlookers ──► filters ──► faults ──► target
 *     client ◄── onlookers ◄── faults ◄── filters ◄── target
 */
import { hashOf, mix, randomFrom } from "../balance/hash.ts";
import { same } from "../config/same.ts";
import { createFault, type FaultConfig, hits } from "../filter/faults/fault.ts";
import { createFilter, type FilterConfig } from "../filter/filter.ts";
import type { ScriptFilter } from "../filter/script.ts";
import type { Direction, Step, StepContext } from "../filter/step.ts";
import type { Reason } from "../metrics/reason.ts";
import type { MuxConfig } from "../mux/mux-config.ts";
import { formatAddress } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import type { SessionOnlookers, Watched } from "./onlookers.ts";
import type { Relay, Steps } from "./relay.ts";
import type { Rules } from "./rules.ts";

/** A session among the others of its proxy. */
export interface Place {
  /** What it counts for among the descriptors of the process. */
  readonly weight: number;
  /** The how manieth it is. */
  readonly ordinal: number;
}

/** The session that steps belong to, and what they may do with it. */
export interface StepsOwner extends Watched {
  readonly place: Place;
  readonly rules: Pick<Rules, "config">;
  cut(reason: Reason, rule: string): void;
  /** False: it has ended already. */
  finish(reason: Reason, rule: string): boolean;
}

/** What is done with the bytes of the sessions of a proxy. */
export interface Treatment {
  readonly runtime: Runtime;
  readonly proxy: string;
  /** All chance comes from it and from the session's ordinal: ids are given to several proxies, and to threads. */
  readonly seed: number;
  readonly filters: readonly FilterConfig[];
  readonly scripts: ReadonlyMap<string, ScriptFilter>;
  /** How clients share connections, where they do. */
  readonly mux: MuxConfig | null;
}

/** A fault as this session has it: without a step if the dice were against it. */
interface Drawn {
  readonly config: FaultConfig;
  readonly step: Step | undefined;
}

/** The chance that a session has in something of that name. `session`: its ordinal. */
export function chanceOf(seed: number, session: number, name: string): () => number {
  return randomFrom(mix(seed ^ mix(session)) ^ hashOf(name));
}

export class SessionSteps {
  readonly #owner: StepsOwner;
  readonly #treatment: Treatment;
  readonly #onlookers: SessionOnlookers | undefined;
  /** The steps straight behind the faults. */
  #behind: Readonly<Partial<Record<Direction, Step>>> = {};
  #faults: readonly Drawn[] = [];

  constructor(owner: StepsOwner, treatment: Treatment, onlookers: SessionOnlookers | undefined) {
    this.#owner = owner;
    this.#treatment = treatment;
    this.#onlookers = onlookers;
  }

  /** What the relay begins with: the target is there. */
  begin(target: string, faults: readonly FaultConfig[]): Steps {
    this.#onlookers?.begin(target);
    const looking = {
      upstream: this.#onlookers?.steps("upstream") ?? [],
      downstream: this.#onlookers?.steps("downstream") ?? [],
    };
    const filtering = this.#filters(target);
    const last = looking.downstream.at(-1);
    if (last) this.#behind = { downstream: last };
    this.#faults = faults.map((config) => this.#draw(config));
    const failing = (direction: Direction) =>
      this.#faults.flatMap(({ config, step }) => (step && config.stream === direction ? step : []));
    return {
      upstream: [...looking.upstream, ...filtering.upstream, ...failing("upstream")],
      downstream: [...filtering.downstream, ...failing("downstream"), ...looking.downstream.toReversed()],
    };
  }

  /** Other faults from now on. Those that are as before go on; one that goes passes on what it holds. */
  change(faults: readonly FaultConfig[], relay: Relay): void {
    const staying = this.#faults.filter(({ config }) => faults.some((each) => same(each, config)));
    for (const drawn of this.#faults) {
      if (drawn.step && !staying.includes(drawn)) relay.from(drawn.config.stream).path?.remove(drawn.step);
    }
    this.#faults = faults.map((config) => staying.find((each) => same(each.config, config)) ?? this.#draw(config));
    const behind: Partial<Record<Direction, Step>> = { ...this.#behind };
    // From the last to the first: each is put in front of the one that follows it.
    for (const drawn of this.#faults.toReversed()) {
      const { stream } = drawn.config;
      if (!drawn.step) continue;
      if (!staying.includes(drawn)) relay.from(stream).insert(drawn.step, behind[stream]);
      behind[stream] = drawn.step;
    }
  }

  /** The session is over. */
  ended(reason: Reason, error: string | null): void {
    this.#onlookers?.ended(reason, error);
  }

  #draw(config: FaultConfig): Drawn {
    const { seed, mux } = this.#treatment;
    const random = chanceOf(seed, this.#owner.place.ordinal, config.name);
    if (!hits(config, random)) return { config, step: undefined };
    return { config, step: this.#made(config.stream, random, (context) => createFault(config, context, mux)) };
  }

  #filters(target: string): Steps {
    const { proxy, filters, scripts, seed } = this.#treatment;
    const { id, place, client } = this.#owner;
    const session = { id, client: formatAddress(client), target, proxy };
    const makers = filters.map((config) => createFilter(config, { session, scripts }));
    const made = (direction: Direction) =>
      makers.flatMap((make, index) => {
        const random = chanceOf(seed, place.ordinal, `filter ${index} ${direction}`);
        return this.#made(direction, random, make) ?? [];
      });
    return { upstream: made("upstream"), downstream: made("downstream") };
  }

  #made<S extends Step | undefined>(direction: Direction, random: () => number, make: (context: StepContext) => S): S {
    const step: S = make({
      runtime: this.#treatment.runtime,
      random,
      direction,
      buffer: this.#owner.rules.config.buffer,
      cut: (reason, rule) => this.#owner.cut(reason, rule),
      close: (reason, rule) => {
        // What it has passed on is followed by the FIN, what it holds is not passed on any more.
        if (this.#owner.finish(reason, rule)) step?.next.end();
        // It is broken already: nobody may take what there is for complete, nor wait for what is held.
        else this.#owner.cut(reason, rule);
      },
    });
    return step;
  }
}
