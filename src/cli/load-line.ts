/** From the command line of `weir load` to what is to run. */
import type { Assertion } from "../load/assertion.ts";
import { parseLoadTarget } from "../load/load-target.ts";
import { MATRIX, type Scenario, type Settings, scenarioOf } from "../load/scenario.ts";
import { loadScenarios } from "../load/scenario-file.ts";
import { UsageError } from "../net/errors.ts";
import type { Run } from "./command.ts";
import type { Flags } from "./config-flags.ts";
import type { Host } from "./host.ts";
import { reader } from "./read-file.ts";

export interface Planned {
  readonly scenario: Scenario;
  readonly assertions: readonly Assertion[];
}

/** What a load without a name is called. */
const NAME = "load";

/**
 * The scenarios, in their order; what the command line says holds for all of them.
 *
 * @throws {UsageError} for a file that cannot be read or is wrong, for a missing target, and for flags that contradict each other.
 */
export async function loadPlan(host: Host, line: Run): Promise<readonly Planned[]> {
  const flags = line.flags as Flags<"load">;
  const { scenarios: path, matrix, assert = [] } = flags;
  if (path !== undefined && matrix) {
    throw new UsageError("EUSAGE", "weir load: --scenarios and --matrix both say what to run; keep one");
  }
  const said = settingsOf(line, flags);
  if (path !== undefined) {
    const file = loadScenarios(await reader(host, "scenarios")(path), path);
    return file.scenarios.map(({ name, settings, assertions }) => ({
      scenario: scenarioOf(name, { target: file.target }, settings, said),
      assertions: [...file.assertions, ...assertions, ...assert],
    }));
  }
  const named = matrix ? MATRIX : [{ name: NAME }];
  return named.map(({ name, ...settings }) => ({ scenario: scenarioOf(name, settings, said), assertions: assert }));
}

function settingsOf({ positionals: [target = ""] }: Run, flags: Flags<"load">): Settings {
  const { connections, duration, warmup, ramp, reconnect, verify, timeout, rate } = flags;
  const where = target === "" ? undefined : parseLoadTarget(target);
  const size = flags["message-size"];
  return {
    ...{ target: where, connections, duration, warmup, ramp, reconnect, verify, timeout },
    messageSize: size,
    rate: rate?.perSecond,
  };
}
