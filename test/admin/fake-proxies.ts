/** Proxies without sockets: what runs, what it was told, and addresses that cannot be had. */
import type { ProxyHost } from "../../src/admin/toxic-proxies.ts";
import { DEFAULTS, type ProxyConfig, plainTarget } from "../../src/config/config.ts";
import { Counters } from "../../src/metrics/counters.ts";
import { formatAddress, type ListenAddress, parseAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { ConnectionList, ProxyControl } from "../../src/proxy/control.ts";

/** The first port that is given to who wants any. */
export const FIRST_PORT = 40_000;

export class FakeProxy implements ProxyControl {
  config: ProxyConfig;
  readonly address: ListenAddress;
  draining = false;
  readonly counters = new Counters("fake", "");
  readonly figures = [];
  readonly targets = [];
  readonly observers = [];
  readonly copies = [];
  readonly stopped = Promise.resolve();
  readonly #told: string[];

  constructor(config: ProxyConfig, address: ListenAddress, told: string[]) {
    this.config = config;
    this.address = address;
    this.#told = told;
  }

  async configure(config: ProxyConfig): Promise<void> {
    this.#told.push(`configure ${config.name}: ${config.faults.map(({ name }) => name).join(", ")}`);
    this.config = config;
  }

  async connections(): Promise<ConnectionList> {
    return { total: 0, connections: [] };
  }

  async close(): Promise<boolean> {
    return false;
  }

  setTarget(): boolean {
    return false;
  }

  async drain(): Promise<void> {}

  cut(): void {}
}

export class FakeProxies implements ProxyHost {
  readonly defaults = { ...DEFAULTS.proxy, seed: 7 };
  readonly running: FakeProxy[] = [];
  /** What happened, in order. */
  readonly told: string[] = [];
  /** Addresses that somebody else has. */
  readonly taken = new Set<string>();
  /** What starting and stopping waits for. */
  pace: Promise<void> = Promise.resolve();
  #ports = FIRST_PORT;

  proxies(): readonly ProxyControl[] {
    return this.running;
  }

  /** One of the configuration. */
  configured(name: string, more: Partial<ProxyConfig> = {}): FakeProxy {
    const listen = parseAddress("127.0.0.1:1000", "listen");
    const targets = [plainTarget(parseAddress("127.0.0.1:1", "target"))];
    const config = { ...DEFAULTS.proxy, name, listen, targets, ...more };
    const proxy = new FakeProxy(config, listen, this.told);
    this.running.push(proxy);
    return proxy;
  }

  async add(config: ProxyConfig): Promise<ProxyControl> {
    const { name, listen } = config;
    this.told.push(`add ${name} ${formatAddress(listen)}`);
    await this.pace;
    if (this.taken.has(formatAddress(listen))) {
      throw new SocketError("EADDRINUSE", `Cannot listen on ${formatAddress(listen)}: the address is in use`);
    }
    const any = listen.kind === "tcp" && listen.port === 0;
    const proxy = new FakeProxy(config, any ? { ...listen, port: this.#ports++ } : listen, this.told);
    this.running.push(proxy);
    return proxy;
  }

  async remove(proxy: ProxyControl): Promise<void> {
    this.told.push(`remove ${proxy.config.name}`);
    const known = this.running.find((each) => each === proxy);
    if (known) known.draining = true;
    await this.pace;
  }
}
