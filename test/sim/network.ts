/** The machines between the processes: who listens where, what names mean, and what becomes of an attempt to connect. */
import { Attempt } from "../../adapters/portable/connecting.ts";
import { type Address, formatAddress, type ListenAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Connecting, ConnectOptions, ListenOptions, Service } from "../../src/net/runtime.ts";
import type { Random } from "../peers/random.ts";
import type { Clock } from "./clock.ts";
import type { SimDatagram } from "./datagram.ts";
import { AcceptQueue, type Offer } from "./listener.ts";
import type { Process } from "./process.ts";
import { SimSocket } from "./socket.ts";
import { type Weather, Wire } from "./wire.ts";

/** What the network does with one attempt to connect: lets it through, never answers, or says why not. */
export type Fate = "arrives" | "silence" | "ECONNREFUSED" | "EHOSTUNREACH" | "ENETUNREACH" | "EADDRNOTAVAIL";

/** What DNS says: records, the code of the error, or "silence". */
export type Answer<T> = readonly T[] | string;

/** Milliseconds after which a kernel gives up on its own (tcp_syn_retries in tcp(7)). */
const KERNEL_PATIENCE = 127_000;

export class Network {
  readonly clock: Clock;
  readonly random: Random;
  /** Addresses behind a name. */
  readonly names = new Map<string, Answer<string>>();
  readonly services = new Map<string, Answer<Service>>();
  /** What comes in place of an answer about a name. */
  dnsFault: (name: string) => string | undefined = () => undefined;
  weather: () => Weather;
  fate: (to: Address) => Fate = () => "arrives";
  readonly datagrams = new Set<SimDatagram>();
  /** Probabilities. */
  datagramWeather = { loss: 0, doubles: 0, reorders: 0 };
  readonly #listening = new Map<string, AcceptQueue[]>();
  /** Addresses where whoever wants to may listen as well. */
  readonly #shared = new Set<string>();
  #lastPort = 40_000;

  constructor(clock: Clock, random: Random, weather: () => Weather) {
    this.clock = clock;
    this.random = random;
    this.weather = weather;
  }

  /** `count` listening sockets on one address. Throws `EADDRINUSE`. */
  listen(at: Address, options: ListenOptions, count = 1): { address: Address; queues: AcceptQueue[] } {
    const { backlog, reusePort = false } = options;
    const address = at.kind === "tcp" && at.port === 0 ? { ...at, port: this.port() } : at;
    const key = formatAddress(address);
    const others = this.#listening.get(key);
    if (others && !(reusePort && this.#shared.has(key))) throw new SocketError("EADDRINUSE");
    const queues = Array.from({ length: count }, () => new AcceptQueue(backlog));
    this.#listening.set(key, [...(others ?? []), ...queues]);
    if (reusePort) this.#shared.add(key);
    return { address, queues };
  }

  unlisten(address: Address, queues: readonly AcceptQueue[]): void {
    const key = formatAddress(address);
    const others = this.queuesAt(address).filter((queue) => !queues.includes(queue));
    if (others.length > 0) {
      this.#listening.set(key, others);
      return;
    }
    this.#listening.delete(key);
    this.#shared.delete(key);
  }

  connect(from: Process, to: Address, options: ConnectOptions): Connecting {
    const patience = options.timeout > 0 ? options.timeout : KERNEL_PATIENCE;
    // Nothing happens any more in a process that is dead.
    const attempt = new Attempt(to, patience, (ms, run) => this.clock.after(ms, () => from.dead || run()));
    new Dial(this, from, to, options, attempt).start();
    return attempt;
  }

  queuesAt(address: ListenAddress): readonly AcceptQueue[] {
    return this.#listening.get(formatAddress(address)) ?? [];
  }

  /** The queue that a new connection to `to` comes into: any of those that listen there. */
  queueFor(to: Address): AcceptQueue | undefined {
    const queues = this.queuesAt(to).filter((queue) => queue.open);
    return queues.length > 0 ? this.random.pick(queues) : undefined;
  }

  /** A port that nobody has had yet. */
  port(): number {
    return ++this.#lastPort;
  }

  answer<T>(table: ReadonlyMap<string, Answer<T>>, name: string): Answer<T> {
    return this.dnsFault(name) ?? table.get(name) ?? "ENOTFOUND";
  }

  delay(): number {
    return this.random.fraction() * this.random.size(1, 20);
  }
}

/** What becomes of one attempt on its way through the network. */
class Dial {
  readonly #network: Network;
  readonly #process: Process;
  readonly #to: Address;
  readonly #options: ConnectOptions;
  readonly #attempt: Attempt;
  /** What the other side has, once the request has arrived there. */
  #offer: Offer | undefined;
  #hosts: readonly string[] = [];
  #holds = false;

  constructor(network: Network, process: Process, to: Address, options: ConnectOptions, attempt: Attempt) {
    this.#network = network;
    this.#process = process;
    this.#to = to;
    this.#options = options;
    this.#attempt = attempt;
    attempt.stop = () => {
      this.#hold(false);
      this.#offer?.forth.reset();
    };
  }

  start(): void {
    const { clock } = this.#network;
    const to = this.#to;
    if (to.kind === "tcp" && isName(to.host)) clock.after(this.#network.delay(), () => this.#resolveName(to.host));
    else this.#try(to);
  }

  #fail(code: string): void {
    this.#hold(false);
    if (!this.#process.dead) this.#attempt.fail({ code });
  }

  #resolveName(name: string): void {
    const answer = this.#network.answer(this.#network.names, name);
    if (answer === "silence") return;
    if (typeof answer === "string") {
      this.#fail(answer);
      return;
    }
    this.#hosts = answer;
    this.#next("ENOTFOUND");
  }

  /** The next address of the name, if there is one. */
  #next(code: string): void {
    const [host, ...rest] = this.#hosts;
    this.#hosts = rest;
    if (host === undefined || this.#to.kind !== "tcp") this.#fail(code);
    else this.#try({ kind: "tcp", host, port: this.#to.port });
  }

  #try(to: Address): void {
    const { clock } = this.#network;
    if (this.#attempt.settled || this.#process.dead) return;
    if (this.#process.full) {
      this.#fail("EMFILE");
      return;
    }
    this.#hold(true);
    clock.after(this.#network.delay(), () => this.#arrive(to));
  }

  #arrive(to: Address): void {
    const { clock, random } = this.#network;
    if (this.#attempt.settled) return;
    const queue = this.#network.queueFor(to);
    const fate = this.#network.fate(to);
    if (fate === "silence" || (queue?.full && fate === "arrives")) return;
    if (fate !== "arrives" || !queue) {
      clock.after(this.#network.delay(), () => {
        this.#hold(false);
        if (!this.#attempt.settled) this.#next(fate === "arrives" ? "ECONNREFUSED" : fate);
      });
      return;
    }
    const weather = this.#network.weather();
    const forth = new Wire(clock, random, weather);
    const back = new Wire(clock, random, weather);
    const local: Address =
      to.kind === "tcp" ? { ...to, port: this.#network.port() } : { kind: "unix", path: `@${this.#network.port()}` };
    const offer: Offer = { from: local, to, at: clock.now, forth, answer: back };
    this.#offer = offer;
    queue.offer(offer);
    clock.after(this.#network.delay(), () => this.#established(local, offer));
  }

  #established(local: Address, { forth, answer }: Offer): void {
    if (this.#attempt.settled || this.#process.dead) return;
    this.#hold(false);
    this.#attempt.succeed(new SimSocket(this.#process, local, this.#to, this.#options.buffer, answer, forth));
  }

  #hold(holds: boolean): void {
    if (holds === this.#holds) return;
    this.#holds = holds;
    if (holds) this.#process.take();
    else this.#process.give();
    if (holds) this.#process.attempts.add(this.#attempt);
    else this.#process.attempts.delete(this.#attempt);
  }
}

export function isName(host: string): boolean {
  return !/^[\d.]+$/.test(host) && !host.includes(":");
}
