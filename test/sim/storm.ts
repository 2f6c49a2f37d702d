/** One seed: weir on a simulated network, peers with scripts, and at the end a look at whether everything is right. */
import type { Engine } from "../../src/engine/engine.ts";
import { NativeEngine } from "../../src/engine/native.ts";
import { PortableEngine } from "../../src/engine/portable.ts";
import { CELL } from "../../src/metrics/counters.ts";
import { type Address, formatAddress } from "../../src/net/address.ts";
import { writeProxyHeader } from "../../src/net/proxy-protocol-write.ts";
import type { ConnectOptions, Runtime, StreamSocket } from "../../src/net/runtime.ts";
import type { ProxyControl } from "../../src/proxy/control.ts";
import type { ProxyEvents } from "../../src/proxy/proxy.ts";
import type { Connection, ConnectionRecord } from "../../src/proxy/record.ts";
import { shutDown } from "../../src/proxy/shutdown.ts";
import { Endpoint, type Mischief } from "../peers/endpoint.ts";
import { Random } from "../peers/random.ts";
import { playObserver } from "./alter.ts";
import { Clock } from "./clock.ts";
import type { Outcome } from "./hunt.ts";
import { judge } from "./judge.ts";
import { isName, Network } from "./network.ts";
import { makePlan, type Plan } from "./plan.ts";
import { EASY, Process } from "./process.ts";
import { runtimeOf } from "./runtime.ts";
import type { SimSocket } from "./socket.ts";
import { SimThreads } from "./threads.ts";
import { within } from "./within.ts";

/** Target ids begin here, client ids at 1. */
const TARGET_IDS = 1_000_000;
const OPTIONS: ConnectOptions = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 30_000 };
/** Virtual milliseconds: no gentle storm takes longer, and nothing outlives the shutdown by more. */
const PATIENCE = 3_600_000;
const BOUND = 5_000;
/** How long a client may wait for a process that has nothing else to do; a dead worker takes some seconds to replace. */
const OVERSEEN = 15_000;
const MOMENT = 1_000;
/** What peers may take to read what they have been sent. */
const QUIET = 3_600_000;

export async function storm(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  const it = new Storm(new Random(seed), trace);
  try {
    await it.run();
  } catch (error) {
    it.violations.push(`the storm itself broke: ${error instanceof Error ? error.stack : error}`);
  }
  const { plan, violations } = it;
  return { seed, plan, violations, connections: it.clients.length, steps: it.clock.steps };
}

export class Storm {
  readonly plan: Plan;
  readonly clock: Clock;
  readonly violations: string[] = [];
  readonly weir: Process;
  readonly clients: Endpoint[] = [];
  readonly targets: Endpoint[] = [];
  readonly opened: Connection[] = [];
  readonly records: ConnectionRecord[] = [];
  /** Virtual time of each record. */
  readonly recordedAt = new Map<ConnectionRecord, number>();
  threads: SimThreads | undefined;
  engine: Engine | undefined;
  proxy: ProxyControl | undefined;
  /** What weir still held a moment after it had stopped. */
  left = { descriptors: 0, timers: 0 };
  readonly #random: Random;
  readonly #network: Network;
  readonly #peers: Process;
  readonly #outside: Runtime;
  readonly #trace: ((line: string) => void) | undefined;
  #unfinished = 0;
  #toCome: number;
  #stopping = false;

  constructor(random: Random, trace: ((line: string) => void) | undefined) {
    this.#random = random;
    this.#trace = trace;
    this.plan = makePlan(random);
    const { plan } = this;
    this.clock = new Clock(random);
    this.#network = new Network(this.clock, random, plan.weather);
    this.#network.names.set("target.test", ["10.0.0.9", "10.0.0.1"]);
    this.weir = new Process("weir", this.clock, random, plan.habits, plan.limit);
    if (trace) this.weir.trace = (text) => this.#note(text());
    this.#peers = new Process("peers", this.clock, random, EASY);
    this.#outside = runtimeOf(this.#network, this.#peers);
    this.#toCome = plan.clients;
  }

  async run(): Promise<void> {
    await this.#open();
    if (!this.proxy) return;
    for (let n = 1; n <= this.plan.clients; n++) {
      this.clock.after(this.#random.fraction() * this.plan.arrivals, () => this.#client(n));
    }
    const { proxy } = this;
    for (const { at, run } of [...this.plan.guard.changes, ...this.plan.alter.changes]) {
      this.clock.after(at, () => {
        if (!this.#stopping) run(proxy);
      });
    }
    for (const at of this.plan.deaths) this.clock.after(at, () => this.threads?.kill());
    if (this.plan.kind === "rough") await this.clock.run(() => false, this.plan.shutdownAt);
    else await this.#untilDone();
    await this.#stop();
    await this.clock.run(() => false, this.clock.now + QUIET);
    judge(this);
  }

  /** Connections that weir's listeners have handed to it. */
  get accepted(): number {
    return [this.weir, ...(this.threads?.processes ?? [])].reduce((sum, each) => sum + each.accepted, 0);
  }

  async #open(): Promise<void> {
    const { plan, weir } = this;
    const runtime = runtimeOf(this.#network, weir, plan.told);
    let id = TARGET_IDS;
    const targetOptions = { ...OPTIONS, backlog: 4_096 };
    const hosts = new Set<string>();
    for (const [index, { address }] of plan.config.targets.entries()) {
      const wrong = (what: string) => void this.violations.push(what);
      const target = address as Address;
      const at: Address = target.kind === "tcp" && isName(target.host) ? { ...target, host: "10.0.0.1" } : target;
      hosts.add(at.kind === "tcp" ? at.host : at.path);
      await this.#outside.listen(at, targetOptions, (socket) => {
        const script = { ...plan.target(++id), ...plan.greeting?.target(index, wrong) };
        this.targets.push(this.#endpoint(socket, script));
      });
    }
    const random = this.#random.fork("observers");
    for (const { address, temper } of plan.alter.observers) {
      if (temper === "absent") continue;
      await this.#outside.listen(address, targetOptions, (socket) => playObserver(socket, temper, random));
    }
    this.#network.fate = (to) => {
      return hosts.has(to.kind === "tcp" ? to.host : to.path) ? this.#random.pick(plan.fates) : "arrives";
    };
    if (plan.workers === 0) this.engine = new PortableEngine(runtime);
    else {
      this.threads = new SimThreads(this.#network, weir, plan.told);
      this.engine = await this.#within(NativeEngine.start(runtime, this.threads, plan.workers), BOUND, "the start");
    }
    if (!this.engine) return;
    // Descriptors that somebody else in the process holds, which no count knows of.
    if (plan.limit < 1_000) weir.take();
    this.proxy = await this.#within(this.engine.open(plan.config, this.#events()), BOUND, "opening");
  }

  #events(): ProxyEvents {
    const keep = (record: ConnectionRecord) => {
      this.records.push(record);
      this.recordedAt.set(record, this.clock.now);
      this.#note(`record ${JSON.stringify(record)}`);
    };
    return {
      opened: (connection) => this.opened.push(connection),
      closed: keep,
      failed: keep,
      broken: (record, failure) =>
        this.violations.push(`weir found a bug in itself: ${record.error} ${failure?.stack ?? failure?.message}`),
      ...(this.plan.watchesReads ? { read: () => {} } : {}),
    };
  }

  #client(id: number): void {
    const address = this.proxy?.address;
    if (!address || address.kind === "udp") return;
    this.#unfinished++;
    this.#outside.connect(address, OPTIONS).socket.then(
      (socket) => {
        this.#toCome--;
        const spokenFor = this.#speakFor(socket, id);
        const client = this.#endpoint(socket, { ...this.plan.client(id), ...this.plan.greeting?.client(id) });
        if (spokenFor !== undefined) client.address = spokenFor;
        this.clients.push(client);
      },
      (error) => {
        this.#toCome--;
        this.#unfinished--;
        if (this.plan.kind === "gentle") this.violations.push(`client ${id} was refused: ${error.code}`);
      },
    );
  }

  /** Begins with a PROXY header, if that is the plan, and answers the address in it. */
  #speakFor(socket: StreamSocket, id: number): string | undefined {
    if (!this.plan.guard.proxied) return undefined;
    (socket as SimSocket).outgoing.merges = true;
    const source = { kind: "tcp", host: `192.0.2.${id % 4}`, port: id } as const;
    socket.write(writeProxyHeader(id % 2 === 0 ? "v1" : "v2", { source, destination: source }));
    return formatAddress(source);
  }

  #endpoint(socket: StreamSocket, script: ReturnType<Plan["client"]>): Endpoint {
    const isClient = script.id < TARGET_IDS;
    const done = () => {
      if (isClient) this.#unfinished--;
    };
    return new Endpoint(this.#outside, socket, script, MISCHIEF, done);
  }

  async #untilDone(): Promise<void> {
    const done = () => this.#toCome === 0 && this.#unfinished === 0 && this.records.length === this.clients.length;
    await this.clock.run(done, PATIENCE);
    if (!done()) {
      const stuck = this.clients.filter((client) => !client.closed).map(({ script }) => script.id);
      this.violations.push(`stuck: clients ${stuck.join(" ")} never ended, ${this.#toCome} never came`);
    }
  }

  async #stop(): Promise<void> {
    const { engine, proxy, plan, clock } = this;
    if (!engine || !proxy) return;
    this.#note("shutdown");
    this.#stopping = true;
    const queues = this.#network.queuesAt(proxy.address);
    const waiting = queues.flatMap(({ since }) => since ?? []);
    const idle = proxy.counters.get(CELL.active) === 0;
    const forgotten = idle ? waiting.filter((since) => clock.now - since > OVERSEEN) : [];
    // Word that there is room may be on its way.
    if (neglected(proxy) > 0) await clock.run(() => false, clock.now + MOMENT);
    const waitingStill = neglected(proxy);
    if (waitingStill > 0) this.violations.push(`${waitingStill} clients wait although there is room`);
    if (forgotten.length > 0) this.violations.push(`clients wait since ${forgotten}, and nobody is being served`);
    const { hurryAt } = plan;
    const hurry = hurryAt === undefined ? undefined : new Promise((resolve) => clock.after(hurryAt, () => resolve(0)));
    const runtime = runtimeOf(this.#network, this.weir, plan.told);
    const due = queues.reduce((sum, queue) => sum + queue.waiting, this.accepted);
    const grace = Math.min(plan.grace, hurryAt ?? plan.grace);
    await this.#within(shutDown(runtime, [proxy], plan.grace, hurry), grace + BOUND, "the shutdown");
    const able = plan.deaths.length === 0 && plan.limit >= 1_000;
    if (able && this.accepted < due)
      this.violations.push(`clients that waited were not accepted: ${due - this.accepted}`);
    await this.#within(engine.close(), BOUND, "closing the engine");
    await clock.run(() => false, clock.now + MOMENT);
    this.left = { descriptors: this.weir.descriptors, timers: this.weir.timers };
  }

  #within<T>(promise: Promise<T>, ms: number, what: string): Promise<T | undefined> {
    return within(this.clock, this.violations, promise, ms, what);
  }

  #note(text: string): void {
    this.#trace?.(`${this.clock.now.toFixed(3).padStart(12)}  ${text}`);
  }
}

/** How many wait in the queue while there is room. */
function neglected({ counters, config, targets }: ProxyControl): number {
  const room = config.maxConnections === 0 || counters.get(CELL.targetActive) === 0;
  const roomy = targets.every((target) => target.maxConnections === 0 && target.state === "ready");
  return room && roomy ? counters.get(CELL.waiting) : 0;
}

/** What bad peers can do to simulated sockets. */
const MISCHIEF: Mischief = {
  close: (socket) => (socket as SimSocket).closeBoth(),
  sever(socket) {
    const { incoming, outgoing, process } = socket as SimSocket;
    incoming.severed = true;
    outgoing.severed = true;
    // Whoever sends into a dead network is told so by its kernel at some time, or never.
    const { clock, random } = process;
    if (random.chance(0.5)) clock.after(random.size(10, 20_000), () => lost(outgoing.receiver));
  },
};

function lost(far: unknown): void {
  (far as SimSocket | undefined)?.lose("ETIMEDOUT");
}
