/** One seed: clients that share connections to targets, everybody with a number, and every reply says whose it is. */
import type { Engine } from "../../../src/engine/engine.ts";
import { NativeEngine } from "../../../src/engine/native.ts";
import { PortableEngine } from "../../../src/engine/portable.ts";
import { CELL } from "../../../src/metrics/counters.ts";
import { type Address, formatAddress } from "../../../src/net/address.ts";
import type { ConnectOptions, Runtime } from "../../../src/net/runtime.ts";
import type { ProxyControl } from "../../../src/proxy/control.ts";
import type { ConnectionRecord } from "../../../src/proxy/record.ts";
import { shutDown } from "../../../src/proxy/shutdown.ts";
import { Random } from "../../peers/random.ts";
import { Clock } from "../clock.ts";
import type { Outcome } from "../hunt.ts";
import { type Fate, Network } from "../network.ts";
import { EASY, Process } from "../process.ts";
import { runtimeOf } from "../runtime.ts";
import { SimThreads } from "../threads.ts";
import { within } from "../within.ts";
import { Answering, Asking } from "./peers.ts";
import { type MuxPlan, makeMuxPlan, WHIMS } from "./plan.ts";

const OPTIONS: ConnectOptions = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 30_000 };
/** Virtual milliseconds. */
const PATIENCE = 3_600_000;
const BOUND = 10_000;
/** Latencies and lags included. */
const AT_ONCE = 1_000;
const FATES: readonly Fate[] = [...Array<Fate>(6).fill("arrives"), "ECONNREFUSED", "silence"];

const isTarget = (at: Address) => at.kind === "tcp" && at.host.startsWith("10.");

export async function muxStorm(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  const it = new MuxStorm(new Random(seed), trace);
  try {
    await it.run();
  } catch (error) {
    it.violations.push(`the storm itself broke: ${error instanceof Error ? error.stack : error}`);
  }
  const { plan, violations } = it;
  return { seed, plan, violations, connections: it.clients.length, steps: it.clock.steps };
}

class MuxStorm {
  readonly plan: MuxPlan;
  readonly clock: Clock;
  readonly clients: Asking[] = [];
  readonly targets: Answering[] = [];
  readonly violations: string[] = [];
  readonly #random: Random;
  readonly #network: Network;
  readonly #weir: Process;
  readonly #outside: Runtime;
  readonly #records: ConnectionRecord[] = [];
  #threads: SimThreads | undefined;
  #proxy: ProxyControl | undefined;
  /** Of weir's connections to targets at once. */
  #most = 0;
  #unfinished = 0;
  #toCome: number;

  constructor(random: Random, trace: ((line: string) => void) | undefined) {
    this.#random = random;
    this.plan = makeMuxPlan(random);
    this.clock = new Clock(random);
    this.#network = new Network(this.clock, random, this.plan.weather);
    this.#weir = new Process("weir", this.clock, random, this.plan.habits, 1_000_000);
    if (trace) this.#weir.trace = (text) => trace(`${this.clock.now.toFixed(3).padStart(12)}  ${text()}`);
    this.#outside = runtimeOf(this.#network, new Process("peers", this.clock, random, EASY));
    this.#toCome = this.plan.clients;
  }

  async run(): Promise<void> {
    const { plan, clock } = this;
    const engine = await this.#open();
    const proxy = this.#proxy;
    if (!engine || !proxy) return;
    for (let id = 1; id <= plan.clients; id++) {
      clock.after(this.#random.fraction() * plan.arrivals, () => this.#client(id, proxy.address as Address));
    }
    if (plan.kind === "rough") await clock.run(() => this.#done, plan.shutdownAt);
    else {
      await clock.run(() => this.#done, PATIENCE);
      if (!this.#done) this.violations.push(`stuck: ${this.#stuck()}`);
    }
    await this.#within(
      shutDown(runtimeOf(this.#network, this.#weir), [proxy], plan.grace),
      plan.grace + BOUND,
      "the shutdown",
    );
    await this.#within(engine.close(), BOUND, "closing the engine");
    await clock.run(() => false, clock.now + 2_000);
    this.#judge(proxy);
  }

  get #done(): boolean {
    return this.#toCome === 0 && this.#unfinished === 0 && this.#records.length >= this.clients.length;
  }

  async #open(): Promise<Engine | undefined> {
    const { plan } = this;
    const runtime = runtimeOf(this.#network, this.#weir);
    for (const { address } of plan.config.targets) {
      const options = { ...OPTIONS, backlog: 4_096 };
      await this.#outside.listen(address as Address, options, (socket) => {
        this.targets.push(
          new Answering(this.#outside, socket, plan, this.#random.fork(`target ${this.targets.length}`)),
        );
      });
    }
    this.#network.fate = (to) => {
      if (isTarget(to)) this.#most = Math.max(this.#most, 1 + this.#openTo(to));
      return isTarget(to) && plan.anger > 0.1 ? this.#random.pick(FATES) : "arrives";
    };
    const threads = plan.workers > 0 ? new SimThreads(this.#network, this.#weir, undefined) : undefined;
    this.#threads = threads;
    const engine = threads
      ? await this.#within(NativeEngine.start(runtime, threads, plan.workers), BOUND, "the start")
      : new PortableEngine(runtime);
    const keep = (record: ConnectionRecord) => {
      this.#records.push(record);
      this.#weir.trace?.(() => `record ${JSON.stringify(record)}`);
    };
    const events = {
      closed: keep,
      failed: keep,
      broken: (record: ConnectionRecord, failure: { message: string; stack?: string | undefined } | undefined) =>
        void this.violations.push(`weir found a bug in itself: ${record.error} ${failure?.stack ?? failure?.message}`),
    };
    if (engine) this.#proxy = await this.#within(engine.open(plan.config, events), BOUND, "opening");
    return engine;
  }

  #client(id: number, address: Address): void {
    this.#unfinished++;
    const random = this.#random.fork(`client ${id}`);
    const whim = this.plan.kind !== "gentle" && random.chance(0.3) ? random.pick(WHIMS) : undefined;
    this.#outside.connect(address, OPTIONS).socket.then(
      (socket) => {
        this.#toCome--;
        const done = () => void this.#unfinished--;
        this.clients.push(new Asking(id, this.#outside, socket, this.plan, random, whim, done));
      },
      (error) => {
        this.#toCome--;
        this.#unfinished--;
        if (this.plan.kind !== "rough") this.violations.push(`client ${id} was refused: ${error.code}`);
      },
    );
  }

  #stuck(): string {
    const open = this.clients.filter(({ closed }) => !closed);
    const waits = open.map(({ id, open, ended }) => `${id} (${[...open.keys()].join(" ")}${ended ? ", ended" : ""})`);
    return `clients ${waits.join(", ")} never ended, ${this.#toCome} never came`;
  }

  /** Connections that weir has, the one that is being opened not included. */
  #openTo(target: Address): number {
    const processes = [this.#weir, ...(this.#threads?.processes ?? [])];
    const sockets = processes.flatMap((process) => [...process.sockets]);
    return sockets.filter(({ remote }) => formatAddress(remote) === formatAddress(target)).length;
  }

  #judge({ counters }: ProxyControl): void {
    const claim = (holds: boolean, what: () => string) => {
      if (!holds) this.violations.push(what());
    };
    for (const { id, wrong } of this.clients) claim(wrong.length === 0, () => `client ${id} got ${wrong[0]}`);
    const seen = new Map<string, number>();
    for (const { client, n } of this.targets.flatMap((target) => target.seen)) {
      seen.set(`${client}:${n}`, (seen.get(`${client}:${n}`) ?? 0) + 1);
    }
    // Who reads slowly may hold back what is behind, garbage included, and so may a slow network.
    if (this.plan.bulk && !this.clients.some(({ whim }) => whim === "reads slowly" || whim === "leaves")) {
      const ends = this.targets.map(({ garbageAt, closedAt = this.clock.now }) => closedAt - (garbageAt ?? closedAt));
      claim(Math.max(0, ...ends) < AT_ONCE, () => `a connection lived ${Math.max(...ends)} ms after garbage`);
    }
    const { mux } = this.plan.config;
    const { inFlight = 0, connections = 0 } = mux ?? {};
    const counted = this.plan.codec.ordered || this.plan.kind === "gentle";
    const most = Math.max(0, ...this.targets.map((target) => target.most));
    claim(most <= inFlight || !counted, () => `${most} requests on one connection, of ${inFlight}`);
    claim(this.#most <= connections, () => `${this.#most} connections to one target, of ${connections}`);
    for (const [asked, times] of seen) {
      const most = 1 + (mux?.requestRetries ?? 0);
      claim(times <= most, () => `the targets got ${asked} ${times} times`);
    }
    for (const cell of ["requestsQueued", "requestsInFlight", "lines", "active", "targetActive"] as const) {
      claim(counters.get(CELL[cell]) === 0, () => `${counters.get(CELL[cell])} ${cell} at the end`);
    }
    const { descriptors, timers } = this.#weir;
    claim(descriptors === 0 && timers === 0, () => `${descriptors} descriptors and ${timers} timers are left`);
    const misuses = [this.#weir, ...(this.#threads?.processes ?? [])].flatMap((process) => process.misuses);
    claim(misuses.length === 0, () => `weir broke the contract of sockets: ${misuses[0]}`);
    if (this.plan.kind === "rough") return;
    for (const client of this.clients.filter(({ whim }) => !whim || whim === "reads slowly")) {
      claim(
        client.satisfied,
        () => `client ${client.id} got ${client.answers} answers and ${client.failures} failures`,
      );
      claim(client.error === undefined, () => `client ${client.id} was cut: ${client.error}`);
    }
    claim(counters.get(CELL.mismatches) === 0, () => `${counters.get(CELL.mismatches)} mismatches`);
    if (this.plan.kind === "patient") return;
    const undelivered = counters.get(CELL.undeliveredUpstream) + counters.get(CELL.undeliveredDownstream);
    claim(undelivered === 0, () => `${undelivered} bytes were not delivered`);
  }

  #within<T>(promise: Promise<T>, ms: number, what: string): Promise<T | undefined> {
    return within(this.clock, this.violations, promise, ms, what);
  }
}
