/** What a service says when everything that it was asked for runs. */
import { targetsOf } from "../config/config.ts";
import { addressesOf, type BridgeControl } from "../datagram/bridge/control.ts";
import type { Choice, Engine } from "../engine/engine.ts";
import { bridgeNeedsMainThread } from "../engine/portable-bridge.ts";
import { whyMainThread } from "../engine/scripts.ts";
import type { Log } from "../log/log.ts";
import { formatAddress } from "../net/address.ts";
import type { Bound } from "../net/runtime.ts";
import type { ProxyControl } from "../proxy/control.ts";

export interface Announced {
  readonly proxies: readonly ProxyControl[];
  readonly bridges: readonly BridgeControl[];
  readonly admin: Bound | undefined;
  readonly toxiproxy: Bound | undefined;
  /** Of all chance. */
  readonly seed: number;
}

export function announce(log: Log, { engine, fallback }: Choice, running: Announced): void {
  const { proxies, bridges, admin, toxiproxy, seed } = running;
  for (const { address, config } of proxies) {
    const [listen, targets] = [formatAddress(address), targetsOf(config)];
    const fields = { proxy: config.name, address: listen, targets, protocol: config.mux?.protocol };
    const shared = config.mux ? ` (${config.mux.protocol} over shared connections)` : "";
    log.write("info", "listening", `listening ${listen} -> ${targets}${shared}`, fields);
  }
  for (const bridge of bridges) {
    const [from, to] = [addressesOf(bridge, "from"), addressesOf(bridge, "to")];
    const fields = { udp: bridge.config.name, from, to };
    log.write("info", "bridging", `bridging ${from.join(", ")} -> ${to.join(", ")}`, fields);
  }
  const fields = { mode: engine.mode, workers: engine.workers, fallback };
  log.write("info", "engine", `engine ${describeEngine(engine)}${fallback ? `: ${fallback}` : ""}`, fields);
  if (engine.mode === "native") tellExceptions(log, running);
  if (admin?.address.kind === "tcp") announceServer(log, "dashboard", admin, "/");
  announceServer(log, "metrics", admin, "/metrics");
  announceServer(log, "toxiproxy", toxiproxy, "");
  if (!toxiproxy && !proxies.some(({ config: { faults } }) => faults.length > 0)) return;
  log.write("info", "seed", `seed ${seed}: --seed ${seed} repeats all that is left to chance`, { seed });
}

/** `native, 2 workers` */
export function describeEngine({ mode, workers }: Engine): string {
  if (mode === "portable") return mode;
  return `${mode}, ${workers} ${workers === 1 ? "worker" : "workers"}`;
}

/** What runs on the portable engine all the same. */
function tellExceptions(log: Log, { proxies, bridges }: Announced): void {
  const tell = (what: string, why: string, fields: Readonly<Record<string, string>>) =>
    log.write("info", "portable", `weir: ${what} runs on the portable engine: ${why}`, fields);
  for (const { config } of proxies) {
    const why = whyMainThread(config);
    if (why !== undefined) tell(`proxy "${config.name}"`, why, { proxy: config.name });
  }
  for (const { config } of bridges) {
    if (!bridgeNeedsMainThread(config)) continue;
    tell(`bridge "${config.name}"`, "it reads a file, a descriptor or TLS", { udp: config.name });
  }
}

function announceServer(log: Log, name: string, bound: Bound | undefined, path: string): void {
  if (!bound) return;
  const address = formatAddress(bound.address);
  const url = address.startsWith("unix:") ? address : `http://${address}${path}`;
  log.write("info", name, `${name} ${url}`, { address });
}
