/** Makes one load, and adds up what its threads tell. */
import type { Engine } from "../engine/engine.ts";
import { isIPv4, isIPv6, isTls } from "../net/address.ts";
import { SocketError } from "../net/errors.ts";
import type { Runtime } from "../net/runtime.ts";
import { type ClientTls, PLAIN_CLIENT_TLS } from "../net/tls.ts";
import { Result } from "./result.ts";
import type { Scenario } from "./scenario.ts";

/** Milliseconds for the target's name. */
const RESOLVING = 5_000;
/** Descriptors that are not for clients. */
const SPARE = 64;

export interface LoadWatch {
  /** After each second of each thread. `elapsed`: milliseconds since the load began. */
  progress(result: Result, elapsed: number): void;
  /** Resolves when somebody wants it to end. */
  readonly stopped: Promise<void>;
}

/**
 * Rejects with a {@link SocketError} if the target's name does not resolve or there are too few descriptors, or if a thread
 * dies.
 */
export async function runScenario(
  runtime: Runtime,
  engine: Engine,
  scenario: Scenario,
  watch: LoadWatch,
  clientTls: ClientTls = PLAIN_CLIENT_TLS,
): Promise<Result> {
  checkDescriptors(runtime, scenario);
  const result = new Result(scenario);
  const began = runtime.now();
  const tls = isTls(scenario.target) ? withName(clientTls, scenario) : undefined;
  const located = { ...scenario, target: await resolved(runtime, scenario.target) };
  const load = engine.load(
    located,
    (sample) => {
      result.add(sample);
      watch.progress(result, runtime.now() - began);
    },
    tls,
  );
  let over = false;
  void watch.stopped.then(() => {
    if (over) return;
    const lead = scenario.ramp + scenario.warmup;
    result.measured = Math.max(0, Math.min(scenario.duration, runtime.now() - began - lead));
    load.stop();
  });
  try {
    await load.done;
  } finally {
    over = true;
  }
  return result;
}

/** Every thread connects to the same address, and nobody asks DNS for each connection. */
async function resolved(runtime: Runtime, target: Scenario["target"]): Promise<Scenario["target"]> {
  if (target.kind === "unix" || isIPv4(target.host) || isIPv6(target.host)) return target;
  const [first, ...others] = await runtime.resolve(target.host, { servers: [], timeout: RESOLVING });
  const hosts = [first ?? target.host, ...others];
  // Most servers have an address of IPv4, and some names have one of IPv6 that leads nowhere.
  return { ...target, host: hosts.find(isIPv4) ?? (hosts[0] as string) };
}

/** The certificate is for the name, not for the address. */
function withName(tls: ClientTls, { target }: Scenario): ClientTls {
  return tls.serverName === undefined && target.kind === "tcp" ? { ...tls, serverName: target.host } : tls;
}

function checkDescriptors({ descriptors = Number.POSITIVE_INFINITY }: Runtime, { name, connections }: Scenario): void {
  if (connections + SPARE <= descriptors) return;
  const why = `${connections} clients need as many descriptors, and this process may have ${descriptors}`;
  throw new SocketError("EMFILE", `scenario "${name}": ${why}; raise the limit (ulimit -n)`);
}
