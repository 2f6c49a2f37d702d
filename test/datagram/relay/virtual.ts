/** A UDP proxy on a simulated network, whose time the test moves. */

import { DEFAULTS, type ProxyConfig, plainTarget } from "../../../src/config/config.ts";
import { udpRelayConfig } from "../../../src/datagram/relay/relay-config.ts";
import { PortableProxy } from "../../../src/engine/portable-proxy.ts";
import { CELL } from "../../../src/metrics/counters.ts";
import type { DatagramSocket, Endpoint, Runtime } from "../../../src/net/runtime.ts";
import type { ConnectionRecord } from "../../../src/proxy/record.ts";
import { Random } from "../../peers/random.ts";
import { Clock } from "../../sim/clock.ts";
import { Network } from "../../sim/network.ts";
import { EASY, Process } from "../../sim/process.ts";
import { runtimeOf } from "../../sim/runtime.ts";

const WEATHER = { latency: 0, jitter: 0 };
const LISTEN = { host: "10.0.0.1", port: 53 };

/** Somebody with a socket on the network. */
export class Party {
  readonly heard: string[] = [];
  readonly from: Endpoint[] = [];
  readonly #socket: DatagramSocket;
  answer: ((text: string, from: Endpoint) => string | undefined) | undefined;

  constructor(socket: DatagramSocket) {
    this.#socket = socket;
    socket.on({
      message: (chunk, from) => {
        const text = new TextDecoder().decode(chunk);
        this.heard.push(text);
        this.from.push(from);
        const answer = this.answer?.(text, from);
        if (answer !== undefined) this.say(answer, from);
      },
      close() {},
    });
    socket.resume();
  }

  get local(): Endpoint {
    return this.#socket.local;
  }

  say(text: string, to: Endpoint = LISTEN): void {
    this.#socket.send(new TextEncoder().encode(text), to);
  }

  leave(): void {
    this.#socket.close();
  }
}

export class VirtualRelay {
  readonly clock: Clock;
  readonly network: Network;
  readonly weir: Process;
  readonly records: ConnectionRecord[] = [];
  readonly #outside: Runtime;
  readonly #runtime: Runtime;
  #proxy: PortableProxy | undefined;
  #hosts = 0;

  constructor(descriptors = Number.POSITIVE_INFINITY) {
    const random = new Random(7);
    this.clock = new Clock(random);
    this.network = new Network(this.clock, random, () => WEATHER as never);
    this.weir = new Process("weir", this.clock, random, EASY, descriptors);
    this.#runtime = runtimeOf(this.network, this.weir, Number.isFinite(descriptors) ? descriptors : undefined);
    this.#outside = runtimeOf(this.network, new Process("outside", this.clock, random, EASY));
  }

  get proxy(): PortableProxy {
    if (!this.#proxy) throw new Error("it is not open");
    return this.#proxy;
  }

  /** `targets`: ports of 10.0.0.2. */
  config(targets: readonly number[], more: Partial<ProxyConfig> = {}): ProxyConfig {
    const all = targets.map((port) => plainTarget({ kind: "tcp", host: "10.0.0.2", port }));
    return { ...udpRelayConfig("dns", "udp://10.0.0.1:53", all), ...more };
  }

  async open(targets: readonly number[], more: Partial<ProxyConfig> = {}): Promise<void> {
    const keep = (record: ConnectionRecord) => this.records.push(record);
    const opening = PortableProxy.open(this.#runtime, this.config(targets, more), { closed: keep, failed: keep });
    await this.pass(1);
    this.#proxy = await opening;
  }

  /** One that answers what it hears, with its port. */
  async target(port: number): Promise<Party> {
    const party = await this.#party({ host: "10.0.0.2", port });
    party.answer = (text) => `${port} ${text}`;
    return party;
  }

  client(): Promise<Party> {
    return this.#party({ host: `10.1.0.${++this.#hosts}`, port: 4_000 });
  }

  async pass(ms: number): Promise<void> {
    const until = this.clock.now + ms;
    this.clock.after(ms, () => {});
    await this.clock.run(() => false, until);
  }

  /** In all. */
  count(cell: keyof typeof CELL): number {
    return this.proxy.counters.get(CELL[cell]);
  }

  get reasons(): readonly string[] {
    return this.records.map(({ reason }) => reason);
  }

  async #party(at: Endpoint): Promise<Party> {
    return new Party(await this.#outside.datagram(at, { receiveBuffer: 1 << 20 }));
  }
}

export const TIMEOUTS = { ...DEFAULTS.proxy.timeouts, idle: 60_000 };
