/** What happens in a storm of datagrams, as far as it is decided beforehand. */

import { BALANCES, type ProxyConfig, plainTarget } from "../../../src/config/config.ts";
import { parseFault } from "../../../src/config/fault-options.ts";
import { udpRelayConfig } from "../../../src/datagram/relay/relay-config.ts";
import type { Endpoint } from "../../../src/net/runtime.ts";
import type { Random } from "../../peers/random.ts";
import { EASY, type Habits } from "../process.ts";

export interface DatagramPlan {
  /** In a calm storm the network loses nothing and everything is counted to the last datagram. */
  readonly kind: "calm" | "rough";
  readonly workers: number;
  readonly config: ProxyConfig;
  /** What it becomes on the way. */
  readonly next: ProxyConfig;
  readonly habits: Habits;
  readonly clients: readonly Endpoint[];
  /** Of each client. */
  readonly questions: number;
  /** Milliseconds in which they are asked. */
  readonly time: number;
  /** Answers to each of them at most. */
  readonly answers: number;
  readonly weather: { readonly loss: number; readonly doubles: number; readonly reorders: number };
  /** That a target comes and goes. */
  readonly absent: number;
  /** When something happens to the proxy, if it does. */
  readonly killAt: number | undefined;
  readonly changeAt: number | undefined;
  readonly closeAt: number | undefined;
  readonly grace: number;
}

export const PLACE: Endpoint = { host: "10.0.0.1", port: 53 };
export const TARGETS: readonly Endpoint[] = [1, 2, 3].map((n) => ({ host: `10.0.1.${n}`, port: 53 }));

export function makeDatagramPlan(random: Random): DatagramPlan {
  const calm = random.chance(0.5);
  const workers = random.pick([0, 0, 1, 2]);
  const time = random.size(10, 200_000);
  const clients = Array.from({ length: random.size(1, 40) }, (_, index) => {
    // Some share a host.
    return { host: `10.2.0.${1 + (index >> random.between(0, 2))}`, port: 1_000 + index };
  });
  const config = makeConfig(random, calm, time);
  const maybe = (probability: number) => (random.chance(probability) ? random.fraction() * time : undefined);
  return {
    kind: calm ? "calm" : "rough",
    workers,
    config,
    next: random.chance(0.5) ? { ...config, ...changes(random, time) } : config,
    habits: { ...EASY, lag: random.pick([0, 0.5, 5, 50]) },
    clients,
    questions: random.size(1, 30),
    time,
    answers: random.pick([0, 1, 1, 1, 3]),
    weather: calm
      ? { loss: 0, doubles: 0, reorders: 0 }
      : { loss: random.pick([0, 0.1]), doubles: random.pick([0, 0.1]), reorders: random.pick([0, 0.2]) },
    absent: calm ? 0 : random.pick([0, 0, 0.3]),
    killAt: calm || workers === 0 ? undefined : maybe(0.3),
    changeAt: maybe(0.3),
    closeAt: maybe(0.3),
    grace: random.pick([0, 1_000, 100_000]),
  };
}

function makeConfig(random: Random, calm: boolean, time: number): ProxyConfig {
  const targets = TARGETS.slice(0, random.between(1, TARGETS.length)).map((end) =>
    plainTarget({ kind: "tcp", ...end }),
  );
  const config = udpRelayConfig("dns", "udp://10.0.0.1:53", targets);
  return {
    ...config,
    balance: random.pick(BALANCES),
    maxConnections: random.pick([0, 1, 3, 10, 100]),
    timeouts: { ...config.timeouts, ...changes(random, time).timeouts, lifetime: random.chance(0.2) ? 5_000 : 0 },
    proxyProtocol: { ...config.proxyProtocol, send: random.pick(["off", "v2"]) },
    faults: calm && random.chance(0.5) ? [] : faults(random),
    seed: random.between(0, 1_000),
  };
}

function changes(random: Random, time: number): Pick<ProxyConfig, "timeouts" | "faults"> {
  const idle = random.size(100, Math.max(1_000, time));
  return { timeouts: { hello: 5_000, connect: 5_000, fin: 30_000, lifetime: 0, idle }, faults: faults(random) };
}

function faults(random: Random): ProxyConfig["faults"] {
  const all = [
    "drop_datagram:probability=0.3",
    "reorder_datagram:probability=0.5",
    "delay_datagram:latency=50ms,jitter=50ms",
  ];
  return all
    .filter(() => random.chance(0.3))
    .map((text) => parseFault(`${text},stream=${random.pick(["upstream", "downstream"])},toxicity=0.7`));
}
