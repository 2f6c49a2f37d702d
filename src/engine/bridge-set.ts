/** The running bridges, and how they become those of another configuration. */
import { same } from "../config/same.ts";
import type { BridgeConfig } from "../datagram/bridge/bridge-config.ts";
import type { BridgeControl } from "../datagram/bridge/control.ts";

export interface BridgeChanges {
  /** Names. */
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Starts a bridge; rejects with an error for people. */
export type OpenBridge = (config: BridgeConfig) => Promise<BridgeControl>;

export class BridgeSet {
  readonly #open: OpenBridge;
  #running: readonly BridgeControl[] = [];
  readonly #leaving = new Set<BridgeControl>();

  constructor(open: OpenBridge) {
    this.#open = open;
  }

  /** Those that read and those that are leaving. */
  get all(): readonly BridgeControl[] {
    return [...this.#running, ...this.#leaving];
  }

  /** Resolves when each of them has come to its end, as the reading of files does; never if there is none. */
  get finished(): Promise<void> {
    if (this.#running.length === 0) return new Promise(() => {});
    return Promise.all(this.#running.map((bridge) => bridge.finished)).then(() => {});
  }

  /** Starts all of them; those that run when one fails go on running. */
  async start(configs: readonly BridgeConfig[]): Promise<void> {
    for (const config of configs) this.#running = [...this.#running, await this.#open(config)];
  }

  /**
   * Those that are as they were go on; any other is closed before what takes its place is opened, as it may have the same
   * addresses. Rejects when one cannot be opened; those that were closed for it are open again, as far as that goes.
   */
  async change(configs: readonly BridgeConfig[]): Promise<BridgeChanges> {
    const before = this.#running;
    const kept = before.filter(({ config }) => configs.some((each) => same(each, config)));
    const gone = before.filter((bridge) => !kept.includes(bridge));
    const fresh = configs.filter((config) => !kept.some((bridge) => same(bridge.config, config)));
    this.#running = kept;
    await Promise.all(gone.map((bridge) => this.#retire(bridge)));
    try {
      await this.start(fresh);
    } catch (error) {
      await Promise.all(this.#running.filter((bridge) => !kept.includes(bridge)).map((bridge) => this.#retire(bridge)));
      this.#running = kept;
      for (const { config } of gone) await this.start([config]).catch(() => {});
      throw error;
    }
    const [names, old] = [fresh.map(({ name }) => name), gone.map(({ config }) => config.name)];
    return {
      added: names.filter((name) => !old.includes(name)),
      changed: names.filter((name) => old.includes(name)),
      removed: old.filter((name) => !names.includes(name)),
    };
  }

  /** Resolves when what was read is gone. */
  async drain(): Promise<void> {
    await Promise.all(this.#running.map((bridge) => bridge.drain()));
  }

  cut(): void {
    for (const bridge of this.all) bridge.cut();
  }

  /** Resolves when it reads no more; who gets its stream may be slow, and is cut when weir ends. */
  async #retire(bridge: BridgeControl): Promise<void> {
    this.#leaving.add(bridge);
    const drained = bridge.drain().then(() => void this.#leaving.delete(bridge));
    bridge.cut();
    await drained;
  }
}
