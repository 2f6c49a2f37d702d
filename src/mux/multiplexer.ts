/** The multiplexer of one proxy in one thread: a trunk for each of its targets. */
import { randomFrom } from "../balance/hash.ts";
import type { Target } from "../balance/target.ts";
import type { Connecting, ConnectOptions, Runtime } from "../net/runtime.ts";
import type { ClientOwner } from "./client.ts";
import type { Protocol } from "./message.ts";
import type { MuxConfig } from "./mux-config.ts";
import { type MuxEvents, MuxNews } from "./mux-events.ts";
import { PROTOCOLS } from "./protocols.ts";
import { Trunk, type TrunkOwner } from "./trunk.ts";

export class Multiplexer implements TrunkOwner {
  readonly runtime: Pick<Runtime, "now" | "after" | "connect">;
  readonly protocol: Protocol;
  readonly random: () => number;
  readonly news: MuxNews;
  config: MuxConfig;
  connectOptions: ConnectOptions;
  #targets: readonly Target[] = [];
  readonly #trunks = new Map<string, Trunk>();
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;

  /** `seed`: of the chance in pauses. The protocol, and how it is framed, stay what they are for good. */
  constructor(
    runtime: Pick<Runtime, "now" | "after" | "connect">,
    config: MuxConfig,
    connectOptions: ConnectOptions,
    seed: number,
    events: MuxEvents = {},
  ) {
    this.runtime = runtime;
    this.config = config;
    this.connectOptions = connectOptions;
    this.protocol = PROTOCOLS[config.protocol];
    this.random = randomFrom(seed);
    this.news = new MuxNews(runtime, events);
  }

  /** From now on, for whatever comes. */
  configure(config: MuxConfig, connectOptions: ConnectOptions): void {
    this.config = config;
    this.connectOptions = connectOptions;
    for (const trunk of this.#trunks.values()) trunk.configured();
    this.#warm();
  }

  /** A socket that stands for a target: what is written to it shares the connections to that. `only`: there is no other. */
  connect(target: Target, owner: ClientOwner, only: boolean): Connecting {
    return this.#trunk(target).join(owner, only);
  }

  /** These are the targets from now on: connections to others are closed when their last client leaves. */
  retarget(targets: readonly Target[]): void {
    this.#targets = targets;
    this.news.keep(targets.map(({ name }) => name));
    for (const trunk of [...this.#trunks.values()]) {
      if (!targets.some(({ name }) => this.#trunks.get(name) === trunk)) trunk.close();
    }
    this.#warm();
  }

  #warm(): void {
    for (const target of this.#targets) {
      if (this.config.warm > 0) this.#trunk(target).warm();
      else this.#trunks.get(target.name)?.warm();
    }
  }

  /** Closes what is open, behind what is under way. Resolves when nothing is left. */
  async close(): Promise<void> {
    if (this.#trunks.size === 0) return;
    this.#targets = [];
    this.#closed ??= new Promise<void>((resolve) => {
      this.#resolveClosed = resolve;
    });
    for (const trunk of [...this.#trunks.values()]) trunk.close();
    await this.#closed;
  }

  abort(): void {
    for (const trunk of [...this.#trunks.values()]) trunk.abort();
  }

  idle(trunk: Trunk): void {
    for (const [name, each] of this.#trunks) if (each === trunk) this.#trunks.delete(name);
    if (this.#trunks.size === 0) this.#resolveClosed?.();
  }

  #trunk(target: Target): Trunk {
    const known = this.#trunks.get(target.name);
    if (known) {
      known.counters = target.counters;
      return known;
    }
    const trunk = new Trunk(this, target.address, target.counters);
    this.#trunks.set(target.name, trunk);
    return trunk;
  }
}
