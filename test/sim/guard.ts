/**
 * The part of a storm that is about guarding and balancing: limits, queues, several targets, PROXY headers, and what is
 * changed about them while connections live. It draws from chances of its own, so that old seeds stay what they were.
 */
import { DEFAULTS, HEALTH, type ProxyConfig, plainTarget, type TargetConfig } from "../../src/config/config.ts";
import { formatAddress, type TcpAddress } from "../../src/net/address.ts";
import { parseCidr } from "../../src/net/cidr.ts";
import type { ProxyControl } from "../../src/proxy/control.ts";
import type { Random } from "../peers/random.ts";
import type { Kind } from "../peers/scripts.ts";

/** What is done to the proxy while connections live. */
export interface Change {
  readonly at: number;
  readonly run: (proxy: ProxyControl) => void;
}

export interface Guard {
  /** What is different from a plain proxy. */
  readonly config: Partial<ProxyConfig>;
  readonly changes: readonly Change[];
  /** Clients speak for others. */
  readonly proxied: boolean;
}

const NONE: Guard = { config: {}, changes: [], proxied: false };

/** `first`: the target that there is anyway. */
export function makeGuard(random: Random, kind: Kind, first: TargetConfig, listensOnTcp: boolean): Guard {
  if (!random.chance(0.5)) return NONE;
  const rough = kind === "rough";
  // Who means well waits for as long as it takes.
  const queue = rough
    ? { size: random.pick([0, 1, 5, 1_000]), timeout: random.pick([0, 20, 2_000]) }
    : { size: 1_000_000, timeout: 0 };
  const config: Partial<ProxyConfig> = {
    queue,
    maxConnections: random.pick([0, 1, 2, 5, 20]),
    targets: makeTargets(random, first),
    balance: random.pick(["round_robin", "least_connections", "random_two", "source_hash", "first"]),
    slowStart: random.pick([0, 100]),
    noneHealthy: random.pick(["refuse", "try_all"]),
    perSource: rough
      ? {
          maxConnections: random.pick([0, 0, 1, 5]),
          perSecond: random.pick([0, 0, 1, 100]),
          burst: random.pick([1, 10]),
        }
      : DEFAULTS.proxy.perSource,
    health: rough && random.chance(0.4) ? { ...HEALTH, interval: 50, timeout: 500 } : null,
  };
  const proxied = listensOnTcp && random.chance(0.5);
  const timeout = rough ? random.pick([0, 30, 5_000]) : 0;
  const proxyProtocol = { send: "off", timeout, acceptFrom: proxied ? [parseCidr("0.0.0.0/0")] : [] } as const;
  return { config: { ...config, proxyProtocol }, proxied, changes: makeChanges(random, config, rough) };
}

const OTHERS: readonly TcpAddress[] = [
  { kind: "tcp", host: "10.0.0.2", port: 7000 },
  { kind: "tcp", host: "10.0.0.3", port: 7000 },
];

function makeTargets(random: Random, first: TargetConfig): readonly TargetConfig[] {
  const others = OTHERS.slice(0, random.pick([0, 0, 1, 2])).map(plainTarget);
  return [first, ...others].map((target, index) => ({
    ...target,
    weight: random.pick([1, 1, 3]),
    backup: index > 0 && random.chance(0.2),
    maxConnections: random.pick([0, 0, 1, 3]),
  }));
}

/** A reload, or a word about a target; in the end everybody can be reached again. */
function makeChanges(random: Random, config: Partial<ProxyConfig>, rough: boolean): Change[] {
  const { targets = [], maxConnections = 0 } = config;
  const name = ({ address }: TargetConfig) =>
    address.kind === "tcp" || address.kind === "unix" ? formatAddress(address) : "";
  const at = () => random.between(0, random.pick([20, 500, 3_000]));
  const changes: Change[] = [];
  if (targets.length > 1 && random.chance(0.3)) {
    const target = name(random.pick(targets.slice(1)));
    const [out, back] = [at(), at()];
    const state = random.pick(["drain", "disabled"] as const);
    changes.push({ at: out, run: (proxy) => proxy.setTarget(target, { state }) });
    changes.push({ at: out + back, run: (proxy) => proxy.setTarget(target, { state: "ready" }) });
    changes.push({ at: at(), run: (proxy) => proxy.setTarget(target, { weight: 2 }) });
  }
  if (random.chance(0.4)) {
    const other = { maxConnections: maxConnections === 0 ? 0 : random.pick([maxConnections, 1, 10]) };
    const fewer = random.chance(0.3) && !rough ? { targets: targets.slice(0, 1) } : {};
    changes.push({ at: at(), run: (proxy) => void proxy.configure({ ...proxy.config, ...other, ...fewer }) });
    changes.push({ at: at() + 500, run: (proxy) => void proxy.configure({ ...proxy.config, ...config }) });
  }
  return changes;
}
