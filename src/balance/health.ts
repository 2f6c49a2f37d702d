/** Checks one target again and again, and says when it is no longer well and when it is again. */
import type { HealthConfig } from "../config/config.ts";
import type { Address } from "../net/address.ts";
import type { Runtime, Timer } from "../net/runtime.ts";
import { DatagramProbe } from "./datagram-probe.ts";
import { Probe, type ProbeRules } from "./probe.ts";

/** The part of the interval by which checks are spread: targets are not all asked at the same moment. */
const JITTER = 0.1;

export type HealthRules = ProbeRules &
  Pick<HealthConfig, "interval" | "rise" | "fall"> & {
    /** What is sent and expected are datagrams. */
    readonly datagrams?: boolean;
  };

export interface HealthEvents {
  /** `wrong`: what the last check has found. */
  changed(healthy: boolean, wrong: string | undefined): void;
}

export class HealthCheck {
  readonly #runtime: Runtime;
  readonly #address: Address;
  readonly #config: HealthRules;
  readonly #random: () => number;
  readonly #events: HealthEvents;
  #healthy: boolean;
  /** Checks in a row that speak against what it is taken for; the first of all decides alone. */
  #against = 0;
  #checked = false;
  #wrong: string | undefined;
  #probe: Probe | DatagramProbe | undefined;
  #timer: Timer | undefined;

  /** `random`: from 0 to 1. `healthy`: what it is taken for until the first check, which begins at once. */
  constructor(
    runtime: Runtime,
    address: Address,
    config: HealthRules,
    random: () => number,
    events: HealthEvents,
    healthy = true,
  ) {
    this.#runtime = runtime;
    this.#address = address;
    this.#config = config;
    this.#random = random;
    this.#events = events;
    this.#healthy = healthy;
    this.#check();
  }

  /** What the last check has found wrong. */
  get wrong(): string | undefined {
    return this.#wrong;
  }

  /** Nothing is left of it, and nothing more is told. */
  stop(): void {
    this.#timer?.cancel();
    this.#probe?.cancel();
  }

  #check(): void {
    // One that is done may still wait for the target to finish.
    this.#probe?.cancel();
    const { datagrams, send, expect } = this.#config;
    // Nobody is asked for nothing: without words it is enough to be connected, and HTTP is over TCP.
    const Kind = datagrams && (send ?? expect) !== null ? DatagramProbe : Probe;
    this.#probe = new Kind(this.#runtime, this.#address, this.#config, (wrong) => {
      const pause = this.#config.interval * (1 + JITTER * (2 * this.#random() - 1));
      // Before anybody is told: he may stop us.
      this.#timer = this.#runtime.after(Math.max(1, pause), () => this.#check());
      this.#judge(wrong);
    });
  }

  #judge(wrong: string | undefined): void {
    this.#wrong = wrong;
    const good = wrong === undefined;
    const first = !this.#checked;
    this.#checked = true;
    this.#against = good === this.#healthy ? 0 : this.#against + 1;
    const { rise, fall } = this.#config;
    if (this.#against === 0 || (!first && this.#against < (good ? rise : fall))) return;
    this.#healthy = good;
    this.#against = 0;
    this.#events.changed(good, wrong);
  }
}
