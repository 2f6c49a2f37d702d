/** The proxies of a service, and how those that run become those of another configuration. */
import type { ProxyConfig } from "../config/config.ts";
import { same } from "../config/same.ts";
import { Counters } from "../metrics/counters.ts";
import { covers, formatAddress } from "../net/address.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { reconfigure } from "../proxy/turns.ts";
import { fixedTls } from "../tls/tls-config.ts";
import { needsMainThread } from "./scripts.ts";

/** Names of proxies; what is left out of the four stays as it was. */
export interface Changes {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  /** What takes effect at the next start alone, in words. */
  readonly later: readonly string[];
}

/** Starts a proxy; rejects with an error for people. */
export type OpenProxy = (config: ProxyConfig) => Promise<ProxyControl>;

export class ProxySet {
  readonly #open: OpenProxy;
  readonly #running = new Map<ProxyControl, ProxyConfig>();
  /** As each was when it began to listen. */
  readonly #opened = new WeakMap<ProxyControl, ProxyConfig>();
  /** Those that came at run time: no configuration knows them, and no reload touches them. */
  readonly #extra = new Set<ProxyControl>();
  /** Of the configuration, as it had them, and taken away at run time: they come back when it has something else. */
  #overruled: readonly ProxyConfig[] = [];
  /** No longer listening, with connections left. */
  readonly #leaving = new Set<ProxyControl>();
  /** What those counted that are gone. */
  #past: readonly Counters[] = [];

  constructor(open: OpenProxy) {
    this.#open = open;
  }

  /** Those that listen and those that are leaving. */
  get all(): readonly ProxyControl[] {
    return [...this.#running.keys(), ...this.#leaving];
  }

  /** All that is counted: figures never go down because a proxy is gone. */
  get figures(): readonly Counters[] {
    return [...this.all.flatMap(({ figures }) => figures), ...this.#past];
  }

  get past(): readonly Counters[] {
    return this.#past;
  }

  /** Starts all of them; those that run when one fails go on running. */
  async start(configs: readonly ProxyConfig[]): Promise<void> {
    for (const config of configs) await this.#start(config);
  }

  /**
   * Makes the running proxies those of another configuration. Listeners that stay are never closed. Rejects, with
   * everything as it was, when one that is new cannot be started.
   */
  async change(all: readonly ProxyConfig[]): Promise<Changes> {
    const overruled = this.#overruled.filter((each) => all.some((config) => same(each, config)));
    const configs = all.filter((config) => !overruled.some((each) => same(each, config)));
    const kept = this.#match(configs);
    const fresh = configs.filter((config) => !kept.has(config));
    // With what was made in place of those that the configuration has changed since.
    const stale = this.#overruled.filter((each) => !overruled.includes(each)).map(({ name }) => name);
    const ours = [...this.#running.keys()].filter((proxy) => {
      return !this.#extra.has(proxy) || stale.includes(proxy.config.name);
    });
    const leaving = ours.filter((proxy) => ![...kept.values()].includes(proxy));
    // An address that a new one needs is free only when the old one has let go of it.
    const inTheWay = leaving.filter(({ config: { listen: old } }) => {
      return fresh.some(({ listen }) => covers(listen, old) || covers(old, listen));
    });
    const before = inTheWay.flatMap((proxy) => this.#running.get(proxy) ?? []);
    // Its sessions are answered from there, so that it would be free when the last of them is idle, if ever.
    for (const proxy of inTheWay) if (proxy.config.listen.kind === "udp") proxy.cut();
    await Promise.all(inTheWay.map((proxy) => this.#retire(proxy)));
    await this.#startAll(fresh, before);
    const later: string[] = [];
    const changed: string[] = [];
    for (const [config, proxy] of kept) {
      const old = this.#running.get(proxy);
      if (!old || same(old, config)) continue;
      // Faults that were set at run time hold until the configuration has others.
      await reconfigure(proxy, (now) => (same(old.faults, config.faults) ? { ...config, faults: now.faults } : config));
      this.#running.set(proxy, config);
      changed.push(config.name);
      later.push(...postponed(this.#opened.get(proxy) ?? old, config));
    }
    this.#overruled = overruled;
    const removed = leaving.map(({ config }) => config.name);
    for (const proxy of leaving) if (!inTheWay.includes(proxy)) void this.#retire(proxy);
    return { added: fresh.map(({ name }) => name), changed, removed, later };
  }

  /** Starts one beside those of the configuration. */
  async add(config: ProxyConfig): Promise<ProxyControl> {
    const proxy = await this.#start(config);
    this.#extra.add(proxy);
    return proxy;
  }

  /** Stops one for good, and resets its connections; resolves when it no longer listens. */
  async remove(proxy: ProxyControl): Promise<void> {
    const config = this.#extra.has(proxy) ? undefined : this.#running.get(proxy);
    if (config) this.#overruled = [...this.#overruled, config];
    proxy.cut();
    await this.#retire(proxy);
  }

  /** Stops listening everywhere; resolves when the last connection has ended. */
  async drain(): Promise<void> {
    await Promise.all(this.all.map((proxy) => proxy.drain()));
  }

  cut(): void {
    for (const proxy of this.all) proxy.cut();
  }

  async #start(config: ProxyConfig): Promise<ProxyControl> {
    const proxy = await this.#open(config);
    this.#running.set(proxy, config);
    this.#opened.set(proxy, config);
    return proxy;
  }

  /** All or none: `before` are started again if not all can be. */
  async #startAll(fresh: readonly ProxyConfig[], before: readonly ProxyConfig[]): Promise<void> {
    const started: ProxyControl[] = [];
    try {
      for (const config of fresh) started.push(await this.#start(config));
    } catch (error) {
      await Promise.all(started.map((proxy) => this.#retire(proxy)));
      const again = await Promise.allSettled(before.map((config) => this.#start(config)));
      const lost = before.filter((_, index) => again[index]?.status === "rejected").map(({ name }) => `"${name}"`);
      if (lost.length === 0) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${why}; and ${lost.join(", ")} had made room for it and cannot be started again`);
    }
  }

  /** Which of the running goes on as which: by the address, or, where any port will do, by the name. */
  #match(configs: readonly ProxyConfig[]): Map<ProxyConfig, ProxyControl> {
    const free = new Map([...this.#running].filter(([proxy]) => !proxy.draining && !this.#extra.has(proxy)));
    const kept = new Map<ProxyConfig, ProxyControl>();
    for (const config of configs) {
      for (const [proxy, old] of free) {
        if (placeOf(old) !== placeOf(config)) continue;
        kept.set(config, proxy);
        free.delete(proxy);
        break;
      }
    }
    return kept;
  }

  /** Resolves when it no longer listens. */
  async #retire(proxy: ProxyControl): Promise<void> {
    this.#running.delete(proxy);
    this.#extra.delete(proxy);
    this.#leaving.add(proxy);
    void proxy.drain().then(() => {
      this.#leaving.delete(proxy);
      this.#past = Counters.merged([...this.#past, ...proxy.figures]);
    });
    await proxy.stopped;
  }
}

/**
 * Where it listens, in which thread, and how messages are cut for those who share connections, who could not be told of
 * another way in the middle of one; any port is another one for each name.
 */
function placeOf(config: ProxyConfig): string {
  const { listen, name, reusePort, mux } = config;
  const any = listen.kind !== "unix" && listen.port === 0;
  const framing = mux ? JSON.stringify([mux.protocol, mux.delimiter, mux.length, mux.match]) : "";
  return `${formatAddress(listen)} ${reusePort} ${needsMainThread(config)} ${fixedTls(config)} ${framing} ${any ? name : ""}`;
}

/** Options that a listening socket hands on to whom it accepts. */
function postponed(old: ProxyConfig, config: ProxyConfig): string[] {
  const keys = (["noDelay", "keepAlive", "buffer"] as const).filter((key) => old[key] !== config[key]);
  if (keys.length === 0) return [];
  return [`${keys.join(", ").toLowerCase()} of proxy "${config.name}", for the sockets of clients`];
}
