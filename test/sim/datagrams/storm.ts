/** One seed: a UDP proxy, clients that ask, and targets that answer; the network may lose, double and reorder. */
import type { Engine } from "../../../src/engine/engine.ts";
import { NativeEngine } from "../../../src/engine/native.ts";
import { PortableEngine } from "../../../src/engine/portable.ts";
import { CELL } from "../../../src/metrics/counters.ts";
import type { DatagramSocket, Runtime } from "../../../src/net/runtime.ts";
import type { ProxyControl } from "../../../src/proxy/control.ts";
import type { ConnectionRecord } from "../../../src/proxy/record.ts";
import { shutDown } from "../../../src/proxy/shutdown.ts";
import { Random } from "../../peers/random.ts";
import { Clock } from "../clock.ts";
import type { Outcome } from "../hunt.ts";
import { Network } from "../network.ts";
import { EASY, Process } from "../process.ts";
import { runtimeOf } from "../runtime.ts";
import { SimThreads } from "../threads.ts";
import { within } from "../within.ts";
import { Answering, Asking } from "./peers.ts";
import { type DatagramPlan, makeDatagramPlan, PLACE, TARGETS } from "./plan.ts";

const BOUND = 10_000;
/** Virtual milliseconds. */
const PATIENCE = 3_600_000;
const ROOM = { receiveBuffer: 1 << 30 };

export async function datagramStorm(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  const it = new DatagramStorm(new Random(seed), trace);
  try {
    await it.run();
  } catch (error) {
    it.violations.push(`the storm itself broke: ${error instanceof Error ? error.stack : error}`);
  }
  const { plan, violations } = it;
  return { seed, plan, violations, connections: it.clients.length, steps: it.clock.steps };
}

class DatagramStorm {
  readonly plan: DatagramPlan;
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
  /** Of sessions at once. */
  #most = 0;
  #killed = false;

  constructor(random: Random, trace: ((line: string) => void) | undefined) {
    this.#random = random;
    this.plan = makeDatagramPlan(random);
    this.clock = new Clock(random);
    this.#network = new Network(this.clock, random, () => ({ latency: 0, jitter: 0 }) as never);
    this.#network.datagramWeather = this.plan.weather;
    this.#weir = new Process("weir", this.clock, random, this.plan.habits, 1_000_000);
    if (trace) this.#weir.trace = (text) => trace(`${this.clock.now.toFixed(3).padStart(12)}  ${text()}`);
    this.#outside = runtimeOf(this.#network, new Process("peers", this.clock, random, EASY));
  }

  async run(): Promise<void> {
    const { plan, clock } = this;
    const engine = await this.#open();
    const proxy = this.#proxy;
    if (!engine || !proxy) return;
    await this.#people();
    this.#happen(proxy);
    const watch = () => {
      this.#most = Math.max(this.#most, proxy.counters.get(CELL.active));
      clock.after(plan.time / 50, watch);
    };
    watch();
    await clock.run(() => false, clock.now + plan.time + 1_000);
    // One that reads slowly has the rest in its socket; in a calm storm nobody closes that before it is read.
    if (plan.kind === "calm") await clock.run(() => this.#unread(proxy) === 0, clock.now + PATIENCE);
    const weir = runtimeOf(this.#network, this.#weir);
    await this.#within(shutDown(weir, [proxy], plan.grace), plan.grace + BOUND, "the shutdown");
    await this.#within(engine.close(), BOUND, "closing the engine");
    await clock.run(() => false, clock.now + 2_000);
    this.#judge(proxy);
  }

  async #open(): Promise<Engine | undefined> {
    const { plan } = this;
    const runtime = runtimeOf(this.#network, this.#weir);
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

  /** Clients and targets. */
  async #people(): Promise<void> {
    const { plan, clock } = this;
    for (const [index, place] of TARGETS.entries()) {
      const target = new Answering(index, plan, this.#random.fork(`target ${index}`));
      this.targets.push(target);
      await this.#serve(target, place);
    }
    for (const [index, place] of plan.clients.entries()) {
      const random = this.#random.fork(`client ${index}`);
      const client = new Asking(index, await this.#outside.datagram(place, ROOM), random, PLACE);
      this.clients.push(client);
      // Bursts and pauses.
      const from = random.fraction() * plan.time;
      for (let n = 0; n < plan.questions; n++) {
        const at = random.chance(0.5) ? from : random.fraction() * plan.time;
        clock.after(at, () => client.ask(PLACE));
      }
    }
  }

  async #serve(target: Answering, place: (typeof TARGETS)[number]): Promise<void> {
    const socket: DatagramSocket = await this.#outside.datagram(place, ROOM);
    target.serve(socket);
    if (!this.#random.chance(this.plan.absent)) return;
    this.clock.after(this.#random.fraction() * this.plan.time, () => {
      socket.close();
      this.clock.after(this.#random.fraction() * this.plan.time, () => void this.#serve(target, place));
    });
  }

  #happen(proxy: ProxyControl): void {
    const { plan, clock } = this;
    const { killAt, changeAt, closeAt } = plan;
    if (killAt !== undefined) {
      clock.after(killAt, () => {
        this.#killed = true;
        this.#threads?.kill();
      });
    }
    if (changeAt !== undefined) clock.after(changeAt, () => void proxy.configure(plan.next));
    if (closeAt === undefined) return;
    clock.after(closeAt, async () => {
      const [first] = (await proxy.connections(1)).connections;
      if (first) await proxy.close(first.id);
    });
  }

  #judge(proxy: ProxyControl): void {
    const claim = (holds: boolean, what: () => string) => {
      if (!holds) this.violations.push(what());
    };
    for (const { wrong } of [...this.clients, ...this.targets]) claim(wrong.length === 0, () => `${wrong[0]}`);
    this.#judgeCourses(claim);
    const { counters } = proxy;
    const count = (cell: keyof typeof CELL) => counters.get(CELL[cell]);
    for (const cell of ["active", "targetActive"] as const) {
      claim(count(cell) === 0, () => `${count(cell)} ${cell} at the end`);
    }
    const { maxConnections } = this.plan.config;
    claim(maxConnections === 0 || this.#most <= maxConnections, () => `${this.#most} sessions, of ${maxConnections}`);
    if (this.#killed) return;
    const { descriptors, timers } = this.#weir;
    claim(descriptors === 0 && timers === 0, () => `${descriptors} descriptors and ${timers} timers are left`);
    claim(count("connections") === this.#records.length, () => {
      return `${this.#records.length} records of ${count("connections")} sessions`;
    });
    if (this.plan.kind === "calm") this.#balance(proxy, claim, count);
  }

  /** Questions that have not come to the proxy. */
  #unread({ counters }: ProxyControl): number {
    const asked = this.clients.reduce((sum, client) => sum + client.asked.length, 0);
    return asked - counters.get(CELL.datagramsUpstream) - counters.get(CELL.overrunUpstream);
  }

  /** Nothing was lost on the way: each datagram is somewhere, or counted. */
  #balance(proxy: ProxyControl, claim: Claim, count: (cell: keyof typeof CELL) => number): void {
    const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);
    const read = count("datagramsUpstream");
    claim(this.#unread(proxy) === 0, () => `${this.#unread(proxy)} questions were never read`);
    const heard = sum(this.targets.map((target) => target.heard));
    const kept = count("unsentUpstream") + count("faultedUpstream");
    claim(heard + kept === read, () => `${read} came from clients: ${heard} were heard, ${kept} counted as lost`);
    const answered = count("datagramsDownstream");
    const got = sum(this.clients.map((client) => client.heard));
    const missed = count("unsentDownstream") + count("faultedDownstream");
    claim(
      got + missed === answered,
      () => `${answered} came from targets: ${got} were heard, ${missed} counted as lost`,
    );
    const told = sum(this.#records.map(({ datagrams }) => (datagrams?.upstream ?? 0) + (datagrams?.downstream ?? 0)));
    claim(told === read + answered, () => `records tell of ${told} datagrams, counters of ${read + answered}`);
    for (const client of this.clients) {
      const most = Math.max(0, ...client.answers.values());
      claim(most <= 1, () => `an answer came ${most} times`);
    }
  }

  /** What comes from one port of weir is one client's, and what it has asked, in order where nothing disorders. */
  #judgeCourses(claim: Claim): void {
    const { weather, config, next } = this.plan;
    const inOrder = weather.doubles + weather.reorders + config.faults.length + next.faults.length === 0;
    for (const { courses } of this.targets) {
      for (const { texts, client } of courses.values()) {
        const owners = new Set(texts.map((text) => /^client (\d+) /.exec(text)?.[1]));
        const [owner] = owners;
        const asking = this.clients[Number(owner)];
        claim(
          owners.size === 1 && asking !== undefined,
          () => `one session carried questions of ${[...owners].join()}`,
        );
        if (!asking) continue;
        const places = texts.map((text) => asking.asked.indexOf(text));
        claim(!places.includes(-1), () => `a target got what client ${owner} has never asked`);
        const place = this.plan.clients[Number(owner)];
        claim(client === undefined || client === `${place?.host}:${place?.port}`, () => `a header says ${client}`);
        const sorted = places.toSorted((a, b) => a - b);
        claim(!inOrder || String(sorted) === String(places), () => `client ${owner} was heard in the order ${places}`);
      }
    }
  }

  #within<T>(promise: Promise<T>, ms: number, what: string): Promise<T | undefined> {
    return within(this.clock, this.violations, promise, ms, what);
  }
}

type Claim = (holds: boolean, what: () => string) => void;
