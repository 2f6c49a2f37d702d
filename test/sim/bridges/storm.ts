/** One seed: one or two bridges, people who send, and people who get it. */
import type { BridgeEvent } from "../../../src/datagram/bridge/bridge-events.ts";
import type { BridgeControl } from "../../../src/datagram/bridge/control.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import { NativeEngine } from "../../../src/engine/native.ts";
import { PortableEngine } from "../../../src/engine/portable.ts";
import { formatAddress, type TcpAddress } from "../../../src/net/address.ts";
import type { DatagramSocket, Endpoint, Runtime, StreamSocket } from "../../../src/net/runtime.ts";
import { shutDown } from "../../../src/proxy/shutdown.ts";
import { Random } from "../../peers/random.ts";
import { Clock } from "../clock.ts";
import type { Outcome } from "../hunt.ts";
import { Network } from "../network.ts";
import { EASY, Process } from "../process.ts";
import { runtimeOf } from "../runtime.ts";
import { SimThreads } from "../threads.ts";
import { within } from "../within.ts";
import { judge } from "./judge.ts";
import { STREAMS, streamText } from "./origins.ts";
import { Publisher, Reader, Receiver, Sender } from "./peers.ts";
import { type BridgesPlan, makeBridgesPlan, type OnePlan, type ReaderPlan } from "./plan.ts";

/** Virtual milliseconds. */
const BOUND = 20_000;
const PATIENCE = 3_600_000;
const ROOM = { receiveBuffer: 1 << 30 };
const STREAM = { noDelay: true, keepAlive: 0, buffer: 65_536, backlog: 511, timeout: 10_000 };

export async function bridgeStorm(seed: number, trace?: (line: string) => void): Promise<Outcome> {
  const it = new BridgeStorm(new Random(seed), trace);
  try {
    await it.run();
  } catch (error) {
    it.violations.push(`the storm itself broke: ${error instanceof Error ? error.stack : error}`);
  }
  const { plan, violations, clock } = it;
  return { seed, plan, violations, connections: it.people, steps: clock.steps };
}

/** A bridge of a storm, and who is around it. */
export interface World {
  readonly plan: OnePlan;
  readonly control: BridgeControl;
  readonly senders: Sender[];
  readonly publishers: Publisher[];
  readonly receivers: Receiver[];
  readonly readers: Reader[];
  /** How many datagrams had gone to a destination when somebody came, by its address and theirs; where that is known. */
  readonly starts: Map<string, number>;
}

export class BridgeStorm {
  readonly plan: BridgesPlan;
  readonly clock: Clock;
  readonly violations: string[] = [];
  readonly weir: Process;
  readonly worlds: World[] = [];
  killed = false;
  readonly #random: Random;
  readonly #network: Network;
  readonly #outside: Runtime;
  #threads: SimThreads | undefined;
  #streams = 0;
  #origins = 0;

  constructor(random: Random, trace: ((line: string) => void) | undefined) {
    this.#random = random;
    const plan = makeBridgesPlan(random);
    this.plan = plan;
    this.clock = new Clock(random);
    this.#network = new Network(this.clock, random, () => plan.streams);
    this.#network.datagramWeather = plan.weather;
    this.weir = new Process("weir", this.clock, random, plan.habits, 1_000_000);
    if (trace) this.weir.trace = (text) => trace(`${this.clock.now.toFixed(3).padStart(12)}  ${text()}`);
    this.#outside = runtimeOf(this.#network, new Process("peers", this.clock, random, EASY));
  }

  get threads(): readonly Process[] {
    return this.#threads?.processes ?? [];
  }

  get people(): number {
    return this.worlds.reduce((sum, { senders, publishers, readers }) => {
      return sum + senders.length + publishers.length + readers.length;
    }, 0);
  }

  async run(): Promise<void> {
    const { plan, clock } = this;
    const engine = await this.#engine();
    if (!engine) return;
    for (const each of plan.bridges) await this.#open(engine, each);
    if (plan.killAt !== undefined) {
      clock.after(plan.killAt, () => {
        this.killed = true;
        this.#threads?.kill();
      });
    }
    const start = clock.now;
    const mute = plan.bridges.length !== this.worlds.length;
    if (plan.drainAt !== undefined || mute) await clock.run(() => false, start + (plan.drainAt ?? 0));
    else {
      await clock.run(() => false, start + plan.time + 1_000);
      // Whoever stalls or is slow does so for a time; a dead thread takes away whom nobody tells.
      if (plan.kind === "calm") await clock.run(() => this.#read(), clock.now + PATIENCE);
      if (plan.kind === "calm" && !this.#read()) this.violations.push("what was sent has not been read");
    }
    if (plan.drainAt === undefined && this.killed) await this.#revive();
    const bridges = this.worlds.map(({ control }) => control);
    const runtime = runtimeOf(this.#network, this.weir);
    await this.#within(shutDown(runtime, bridges, plan.grace), plan.grace + BOUND, "the shutdown");
    const open = [...this.#network.datagrams].filter(({ local }) =>
      /^(10\.0\.0\.1|0\.0\.0\.0|239\.0\..*)$/.test(local.host),
    );
    if (open.length > 0) this.violations.push(`${open.length} UDP sockets are open when all is drained`);
    await this.#within(engine.close(), BOUND, "closing the engine");
    await clock.run(() => false, clock.now + PATIENCE);
    judge(this);
  }

  async #engine(): Promise<Engine | undefined> {
    const runtime = runtimeOf(this.#network, this.weir);
    if (this.plan.workers === 0) return new PortableEngine(runtime);
    this.#threads = new SimThreads(this.#network, this.weir, undefined);
    return await this.#within(NativeEngine.start(runtime, this.#threads, this.plan.workers), BOUND, "the start");
  }

  async #open(engine: Engine, plan: OnePlan): Promise<void> {
    const receivers: Receiver[] = [];
    for (const { sink, at, group } of plan.receivers) {
      const socket = await this.#outside.datagram(at, { ...ROOM, shared: group });
      if (group) socket.join({ group: at.host });
      receivers.push(new Receiver(sink, socket));
    }
    const starts = new Map<string, number>();
    let control: BridgeControl | undefined;
    const tell = (event: BridgeEvent) => {
      this.weir.trace?.(() => `tells ${JSON.stringify(event)}`);
      // In a thread it is told later.
      if (event.event !== "connected" || engine.mode === "native") return;
      const view = control?.ends.find(({ address, direction }) => direction === "to" && address === event.end);
      if (view) starts.set(event.peer, view.datagrams);
    };
    control = await this.#within(engine.bridge(plan.config, tell), BOUND, "opening a bridge");
    if (!control) return;
    const world: World = { plan, control, senders: [], publishers: [], receivers, readers: [], starts };
    this.worlds.push(world);
    await this.#people(world);
  }

  async #people(world: World): Promise<void> {
    const { clock } = this;
    const { time } = this.plan;
    const { senders, feeds, publishers, readers } = world.plan;
    for (const { source, to, count } of senders) {
      const id = this.#origins++;
      const random = this.#random.fork(`sender ${id}`);
      const socket: DatagramSocket = await this.#outside.datagram({ host: "10.3.0.1", port: 1 + id }, ROOM);
      const sender = new Sender(id, source, socket, to, random);
      world.senders.push(sender);
      const burst = random.fraction() * time;
      for (let n = 0; n < count; n++) {
        clock.after(random.chance(0.5) ? burst : random.fraction() * time, () => sender.send());
      }
    }
    for (const { source, to, at } of publishers) {
      clock.after(at, () => this.#connect(to, (socket) => this.#publish(world, source, socket)));
    }
    for (const { source, at } of feeds) await this.#feed(world, source, at);
    for (const plan of readers) {
      clock.after(plan.at, () => this.#connect(plan.to, (socket) => this.#reader(world, plan, socket)));
    }
  }

  /** It is there for a time, and away for another one. */
  async #feed(world: World, source: number, at: Endpoint): Promise<void> {
    const { clock } = this;
    const { time } = this.plan;
    const end = clock.now + time;
    const listen = async () => {
      const listener = await this.#outside.listen(tcp(at), STREAM, (socket) => {
        if (clock.now < end) this.#publish(world, source, socket);
        else socket.abort();
      });
      clock.after(Math.min(this.#random.fraction() * time, end - clock.now), async () => {
        await listener.close();
        if (clock.now < end) clock.after(this.#random.fraction() * 1_000, () => clock.now < end && void listen());
      });
    };
    await listen();
  }

  #connect(to: Endpoint, then: (socket: StreamSocket) => void): void {
    // Nobody listens there any more when it is drained.
    this.#outside.connect(tcp(to), STREAM).socket.then(then, () => {});
  }

  #publish(world: World, source: number, socket: StreamSocket): void {
    if (this.#streams === STREAMS) {
      socket.abort();
      return;
    }
    const stream = this.#streams++;
    const random = this.#random.fork(`stream ${stream}`);
    const { cut, datagramSize } = world.plan.config;
    const text = streamText(random, stream, cut, datagramSize);
    world.publishers.push(new Publisher(stream, source, socket, text, random, this.clock));
  }

  #reader(world: World, plan: ReaderPlan, socket: StreamSocket): void {
    const random = this.#random.fork(`reader ${formatAddress(socket.local)}`);
    world.readers.push(new Reader(plan, socket, random, this.clock, 2 * this.plan.time));
  }

  /** In another thread a bridge is what it was: what is sent to it comes to those who get it. */
  async #revive(): Promise<void> {
    this.#network.datagramWeather = { loss: 0, doubles: 0, reorders: 0 };
    // A reader that stalls may hold those up that wait for it.
    const unheld = this.worlds.filter(({ plan }) => plan.config.whenFull !== "block");
    for (const sender of unheld.flatMap(({ senders }) => senders)) {
      // One after the other: several at once may be more than a small buffer holds.
      sender.send();
      const probe = sender.sent.at(-1) ?? "";
      const got = () => probe === "" || this.worlds.some(({ receivers }) => receivers[0]?.got.includes(probe));
      await this.clock.run(got, this.clock.now + PATIENCE);
      if (!got()) this.violations.push("a datagram that was sent after a death did not come");
    }
  }

  /** Nobody has anything left to say, and it has come. */
  #read(): boolean {
    return this.worlds.every(({ control, senders, publishers, plan }) => {
      if (publishers.some(({ closed }) => !closed)) return false;
      return plan.config.from.every((route, source) => {
        const view = control.ends[source];
        const sent = senders.reduce((sum, each) => sum + (each.source === source ? each.sent.length : 0), 0);
        return route.kind !== "udp" || !view || view.datagrams + view.overrun === sent;
      });
    });
  }

  #within<T>(promise: Promise<T>, ms: number, what: string): Promise<T | undefined> {
    return within(this.clock, this.violations, promise, ms, what);
  }
}

function tcp({ host, port }: Endpoint): TcpAddress {
  return { kind: "tcp", host, port };
}
