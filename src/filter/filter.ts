/** Filters: steps that a configuration puts into the path of every session of a proxy. */
import { createDrop, type DropConfig } from "./drop.ts";
import { Limit, type LimitConfig } from "./limit.ts";
import { Reject, type RejectConfig } from "./reject.ts";
import { Replace, type ReplaceConfig } from "./replace.ts";
import { type FilterSession, Script, type ScriptConfig, type ScriptFilter } from "./script.ts";
import type { Step, StepContext } from "./step.ts";

/** Plain: it can be cloned and sent to other threads. */
export type FilterConfig = ReplaceConfig | DropConfig | LimitConfig | RejectConfig | ScriptConfig;

export type FilterType = FilterConfig["type"];

/** What a script is told of its session, and the scripts by the path in their configuration. */
export interface FilterPlace {
  readonly session: Omit<FilterSession, "options">;
  readonly scripts: ReadonlyMap<string, ScriptFilter>;
}

/**
 * One filter of one session. What comes back makes its step for a direction, to be called once for each and before the
 * first byte; undefined where the filter is not for that direction. What a step does to the session it does when bytes
 * or the FIN come, or later, never before it is made.
 */
export function createFilter(config: FilterConfig, place: FilterPlace): (context: StepContext) => Step | undefined {
  const make = makerOf(config, place);
  return (context) =>
    config.direction === "both" || config.direction === context.direction ? make(context) : undefined;
}

type MakeStep = (context: StepContext) => Step;

type Makers = {
  readonly [T in FilterType]: (config: Extract<FilterConfig, { type: T }>, place: FilterPlace) => MakeStep;
};

const MAKERS: Makers = {
  replace: (config) => (context) => new Replace(config, context),
  drop: (config) => (context) => createDrop(config, context),
  limit: (config) => (context) => new Limit(config, context),
  reject: (config) => (context) => new Reject(config, context),
  script: (config, { session, scripts }) => {
    const script = new Script(config, scripts.get(config.path), session);
    return (context) => script.step(context);
  },
};

function makerOf<T extends FilterType>(config: Extract<FilterConfig, { type: T }>, place: FilterPlace): MakeStep {
  const make: Makers[T] = MAKERS[config.type];
  return make(config, place);
}
