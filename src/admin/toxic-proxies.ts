/**
 * Proxies as Toxiproxy's clients know them: each has a name, an address, one upstream, and may be switched off. Those of
 * the configuration are among them, and those that clients make run beside them.
 */
import { checkFaults } from "../config/check-faults.ts";
import { type ProxyConfig, plainTarget, targetsOf } from "../config/config.ts";
import type { FaultConfig } from "../filter/faults/fault.ts";
import { type Address, formatAddress, parseAddress, sameAddress } from "../net/address.ts";
import { UsageError } from "../net/errors.ts";
import { parseTarget } from "../net/target-name.ts";
import type { ProxyControl } from "../proxy/control.ts";
import { reconfigure, Turns } from "../proxy/turns.ts";
import { checkedName, ToxicError } from "./toxics.ts";

/** Who starts and stops proxies. */
export interface ProxyHost {
  /** All that run. */
  proxies(): readonly ProxyControl[];
  /** What a proxy has that nobody says more about. */
  readonly defaults: Omit<ProxyConfig, "name" | "listen" | "targets">;
  add(config: ProxyConfig): Promise<ProxyControl>;
  /** Stops one, at once no longer among those that listen, and resets its connections. */
  remove(proxy: ProxyControl): Promise<void>;
}

/** One proxy at one moment. */
export interface ToxicProxy {
  readonly name: string;
  readonly listen: string;
  readonly upstream: string;
  readonly enabled: boolean;
  readonly faults: readonly FaultConfig[];
}

/** What a client says about a proxy. */
export interface ProxyWish {
  readonly name?: string | undefined;
  readonly listen?: string | undefined;
  readonly upstream?: string | undefined;
  readonly enabled?: boolean | undefined;
}

/** A proxy that there is. */
interface Known {
  /** With the address that it has really got. */
  readonly config: ProxyConfig;
  /** Unless it is switched off. */
  readonly running: ProxyControl | undefined;
}

/** Where a proxy listens that nobody has an address for. Toxiproxy would let in whoever can reach the machine. */
const SOMEWHERE: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };

export class ToxicProxies {
  readonly #host: ProxyHost;
  /** Those that are switched off, as they would run. */
  readonly #off = new Map<string, ProxyConfig>();
  readonly #turns = new Turns();

  constructor(host: ProxyHost) {
    this.#host = host;
  }

  get all(): readonly ToxicProxy[] {
    const names = new Set([...this.#running.map(({ config }) => config.name), ...this.#off.keys()]);
    return [...names].map((name) => this.find(name));
  }

  /** @throws {ToxicError} 404 */
  find(name: string): ToxicProxy {
    return viewOf(this.#get(name));
  }

  /** @throws {ToxicError} 400 for a wish that lacks something, 409 if there is one of that name, 500 if it cannot listen. */
  create(wish: ProxyWish): Promise<ToxicProxy> {
    return this.#turns.run(async () => {
      const name = nameOf(wish);
      if (this.#known(name)) throw new ToxicError(409, "proxy already exists");
      return await this.#put(this.#fresh(name, wish), wish.enabled ?? true);
    });
  }

  /**
   * Other addresses stop it and start it again; switched off it refuses clients, and those it had are reset. One that
   * cannot listen any more is there and switched off.
   *
   * @throws {ToxicError} 400 for an address that is none, 404, 500 if it cannot listen.
   */
  update(name: string, wish: ProxyWish): Promise<ToxicProxy> {
    return this.#turns.run(async () => {
      const before = this.#get(name);
      return await this.#replace(before, changed(before.config, wish), wish.enabled ?? before.running !== undefined);
    });
  }

  /**
   * Each as it is wished for: what is there with the same addresses goes on, with its connections and faults, and what has
   * others begins anew. All of them or none, as far as what is wrong with one can be told before it is started.
   */
  populate(wishes: readonly ProxyWish[]): Promise<readonly ToxicProxy[]> {
    return this.#turns.run(async () => {
      for (const [index, wish] of wishes.entries()) this.#wished(wish, ` at proxy ${index + 1}`);
      const made: ToxicProxy[] = [];
      for (const wish of wishes) made.push(await this.#populate(wish));
      return made;
    });
  }

  remove(name: string): Promise<void> {
    return this.#turns.run(async () => {
      const { running } = this.#get(name);
      this.#off.delete(name);
      if (running) await this.#host.remove(running);
    });
  }

  /** Everything on, without faults. What one of them cannot do does not keep the others from it. */
  reset(): Promise<void> {
    return this.#turns.run(async () => {
      const failures: unknown[] = [];
      for (const { name } of this.all) await this.#reset(name).catch((error) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    });
  }

  /**
   * Other faults, from now on, for connections that live as well; `change` gets those that there are.
   *
   * @throws {ToxicError} 400 for one that does not go with its proxy, 404, or what `change` throws.
   */
  faults(
    name: string,
    change: (faults: readonly FaultConfig[]) => readonly FaultConfig[],
  ): Promise<readonly FaultConfig[]> {
    return this.#turns.run(async () => {
      const known = this.#get(name);
      const faults = change(known.config.faults);
      const [problem] = checkFaults({ ...known.config, faults });
      if (problem) throw new ToxicError(400, problem.message);
      await this.#setFaults(known, faults);
      return faults;
    });
  }

  get #running(): readonly ProxyControl[] {
    return this.#host.proxies().filter(({ draining, config }) => !draining && config.listen.kind !== "udp");
  }

  #known(name: string): Known | undefined {
    const running = this.#running.find(({ config }) => config.name === name);
    if (running) return { config: { ...running.config, listen: running.address }, running };
    const config = this.#off.get(name);
    return config && { config, running };
  }

  #get(name: string): Known {
    const known = this.#known(name);
    if (!known) throw new ToxicError(404, "proxy not found");
    return known;
  }

  async #setFaults({ config, running }: Known, faults: readonly FaultConfig[]): Promise<void> {
    if (running) await reconfigure(running, (now) => ({ ...now, faults }));
    else this.#off.set(config.name, { ...config, faults });
  }

  async #reset(name: string): Promise<void> {
    const known = this.#get(name);
    if (known.config.faults.length > 0) await this.#setFaults(known, []);
    const { config, running } = this.#get(name);
    if (!running) await this.#put(config, true);
  }

  async #populate(wish: ProxyWish): Promise<ToxicProxy> {
    const config = this.#wished(wish, "");
    const before = this.#known(config.name);
    if (!before) return await this.#put(config, wish.enabled ?? true);
    if (samePlace(config, before.config)) {
      return await this.#replace(before, config, wish.enabled ?? before.running !== undefined);
    }
    return await this.#replace(before, { ...config, faults: [] }, wish.enabled ?? true);
  }

  /** What is to become of `before`; it goes on if nothing is new. */
  async #replace(before: Known, config: ProxyConfig, on: boolean): Promise<ToxicProxy> {
    const { running } = before;
    if (samePlace(config, before.config) && on === (running !== undefined)) return viewOf(before);
    // There is never none of this name, and if it cannot run as it is to, it stays switched off.
    const stopped = running && this.#host.remove(running);
    this.#off.set(config.name, config);
    await stopped;
    return await this.#put(config, on);
  }

  async #put(config: ProxyConfig, on: boolean): Promise<ToxicProxy> {
    if (!on) {
      this.#off.set(config.name, config);
      return viewOf({ config, running: undefined });
    }
    try {
      const running = await this.#host.add(config);
      this.#off.delete(config.name);
      return viewOf({ config: { ...config, listen: running.address }, running });
    } catch (error) {
      throw new ToxicError(500, error instanceof Error ? error.message : String(error));
    }
  }

  /** `where` ends the message about what is missing. */
  #wished(wish: ProxyWish, where: string): ProxyConfig {
    const name = nameOf(wish, where);
    const known = this.#known(name);
    return known ? changed(known.config, wish) : this.#fresh(name, wish);
  }

  #fresh(name: string, wish: ProxyWish): ProxyConfig {
    return changed({ ...this.#host.defaults, name: checkedName(name), listen: SOMEWHERE, targets: [] }, wish);
  }
}

function nameOf({ name, upstream }: ProxyWish, where = ""): string {
  if (!name) throw new ToxicError(400, `missing required field: name${where}`);
  if (!upstream) throw new ToxicError(400, `missing required field: upstream${where}`);
  return name;
}

/** What a client says nothing about stays, and what it says in other words is the same. */
function changed(old: ProxyConfig, { listen, upstream }: ProxyWish): ProxyConfig {
  return {
    ...old,
    listen: listen ? placed(listen, old) : old.listen,
    targets: upstream ? aimed(upstream, old) : old.targets,
  };
}

/** Whoever asks for any port is content with the one that there is. */
function placed(text: string, { listen: old }: ProxyConfig): Address {
  const wanted = parsed(() => parseAddress(text, "listen"));
  const any = wanted.kind === "tcp" && wanted.port === 0 && old.kind === "tcp";
  return any ? { ...wanted, port: old.port } : wanted;
}

function aimed(text: string, old: ProxyConfig): ProxyConfig["targets"] {
  // What clients get for several targets is no address, and comes back like that.
  if (text === targetsOf(old)) return old.targets;
  const targets = [plainTarget(parsed(() => parseTarget(text)))];
  return targetsOf({ targets }) === targetsOf(old) ? old.targets : targets;
}

function samePlace(a: ProxyConfig, b: ProxyConfig): boolean {
  return sameAddress(a.listen, b.listen) && targetsOf(a) === targetsOf(b);
}

function viewOf({ config, running }: Known): ToxicProxy {
  const { name, listen, faults } = config;
  const enabled = running !== undefined;
  return { name, listen: formatAddress(listen), upstream: targetsOf(config), enabled, faults };
}

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new ToxicError(400, error.message);
    throw error;
  }
}
