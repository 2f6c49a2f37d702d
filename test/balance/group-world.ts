/** A group of targets in virtual time, with two workers that the test plays. */
import { TargetGroup } from "../../src/balance/group.ts";
import { Target, type TargetShare } from "../../src/balance/target.ts";
import { DEFAULTS, HEALTH, type HealthConfig, plainTarget, type TargetConfig } from "../../src/config/config.ts";
import { CELL } from "../../src/metrics/counters.ts";
import { parseTarget } from "../../src/net/target-name.ts";
import { World } from "./world.ts";

const WORKERS = 2;
type Settings = ConstructorParameters<typeof TargetGroup>[1];

export function target(text: string, config: Partial<TargetConfig> = {}): TargetConfig {
  return { ...plainTarget(parseTarget(text)), ...config };
}

export function settings(
  targets: readonly (string | TargetConfig)[],
  checks: Partial<HealthConfig> | null = null,
): Settings {
  return {
    name: "db",
    targets: targets.map((each) => (typeof each === "string" ? target(each) : each)),
    health: checks && { ...HEALTH, interval: 1_000, ...checks },
    dns: { ...DEFAULTS.proxy.dns, interval: 1_000 },
  };
}

/** A group that has started, and what it has told; names are asked for every second. */
export async function started(first: Settings, world = new World()) {
  const told: string[] = [];
  let shares: readonly TargetShare[] = [];
  let well: readonly string[] = [];
  let onFound = () => {};
  const group = new TargetGroup(world.runtime, first, WORKERS, {
    changed(now) {
      shares = now;
      const threads = shares.map((share) => new Target(share, "db", 0));
      well = threads.filter(({ healthy }) => healthy).map(({ name }) => name);
      told.push("changed");
    },
    health: (name, healthy, wrong) => told.push(`${name} is ${healthy ? "well" : wrong}`),
    name: (name, error) => told.push(`${name}: ${error ? error.code : "found again"}`),
    found(added, removed) {
      onFound();
      told.push([...added.map((name) => `+${name}`), ...removed.map((name) => `-${name}`)].join(" "));
    },
  });
  const start = group.start();
  await world.run(100);
  await start;
  return {
    world,
    group,
    /** What to do, beside remembering, when it is told that DNS knows others. */
    onFound(run: () => void): void {
      onFound = run;
    },
    /** What has been told since the last time. */
    told: () => told.splice(0),
    /** Who was well when threads were told last. */
    well: () => well,
    names: () => group.views.map(({ address }) => address),
    view: (name: string) => group.views.find(({ address }) => address === name),
    /** A target as a worker has it. */
    target(name: string, worker = 0): Target {
      const share = shares.find(({ address }) => address.kind === "tcp" && `${address.host}:${address.port}` === name);
      if (!share) throw new Error(`no share of ${name}`);
      return new Target(share, "db", worker);
    },
    /** Targets and how many connections they were ever given. */
    given: () => group.counters.map((each) => [each.target, each.get(CELL.targetConnections)] as const),
  };
}
