/** The machines between the processes: who listens where, what names mean, and what becomes of an attempt to connect. */
import { type Address, formatAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Connecting, ConnectOptions, StreamSocket } from "../../src/net/runtime.ts";
import type { Random } from "../peers/random.ts";
import type { Clock } from "./clock.ts";
import type { SimDatagram } from "./datagram.ts";
import { AcceptQueue, type Offer } from "./listener.ts";
import type { Process } from "./process.ts";
import { SimSocket } from "./socket.ts";
import { type Weather, Wire } from "./wire.ts";

/** What the network does with one attempt to connect: lets it through, never answers, or says why not. */
export type Fate = "arrives" | "silence" | "ECONNREFUSED" | "EHOSTUNREACH" | "ENETUNREACH" | "EADDRNOTAVAIL";

/** Milliseconds after which a kernel gives up on its own (tcp_syn_retries in tcp(7)). */
const KERNEL_PATIENCE = 127_000;

export class Network {
  readonly clock: Clock;
  readonly random: Random;
  /** Addresses behind a name, or the error of looking it up. */
  readonly names = new Map<string, readonly string[] | string>();
  weather: () => Weather;
  fate: (to: Address) => Fate = () => "arrives";
  readonly datagrams = new Map<string, SimDatagram>();
  /** Probabilities. */
  datagramWeather = { loss: 0, doubles: 0, reorders: 0 };
  readonly #listening = new Map<string, AcceptQueue[]>();
  #lastPort = 40_000;

  constructor(clock: Clock, random: Random, weather: () => Weather) {
    this.clock = clock;
    this.random = random;
    this.weather = weather;
  }

  /** `count` listening sockets on one address. Throws `EADDRINUSE`. */
  listen(at: Address, backlog: number, count = 1): { address: Address; queues: AcceptQueue[] } {
    const address = at.kind === "tcp" && at.port === 0 ? { ...at, port: this.port() } : at;
    const key = formatAddress(address);
    if (this.#listening.has(key)) throw new SocketError("EADDRINUSE");
    const queues = Array.from({ length: count }, () => new AcceptQueue(backlog));
    this.#listening.set(key, queues);
    return { address, queues };
  }

  unlisten(address: Address): void {
    this.#listening.delete(formatAddress(address));
  }

  connect(from: Process, to: Address, options: ConnectOptions): Connecting {
    const attempt = new Attempt(this, from, to, options);
    return { socket: attempt.socket, cancel: () => attempt.fail("ECANCELED") };
  }

  queuesAt(address: Address): readonly AcceptQueue[] {
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

  delay(): number {
    return this.random.fraction() * this.random.size(1, 20);
  }
}

class Attempt {
  readonly socket: Promise<StreamSocket>;
  readonly #network: Network;
  readonly #process: Process;
  readonly #options: ConnectOptions;
  readonly #to: Address;
  #resolve!: (socket: StreamSocket) => void;
  #reject!: (error: Error) => void;
  /** What the other side has, once the request has arrived there. */
  #offer: Offer | undefined;
  #hosts: readonly string[] = [];
  #settled = false;
  #holds = false;

  constructor(network: Network, process: Process, to: Address, options: ConnectOptions) {
    this.#network = network;
    this.#process = process;
    this.#to = to;
    this.#options = options;
    this.socket = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const patience = options.timeout > 0 ? options.timeout : KERNEL_PATIENCE;
    network.clock.after(patience, () => this.fail("ETIMEDOUT"));
    if (to.kind === "tcp" && isName(to.host)) network.clock.after(network.delay(), () => this.#resolveName(to.host));
    else this.#try(to);
  }

  fail(code: string): void {
    if (this.#settled) return;
    this.#settle();
    this.#offer?.forth.reset();
    this.#reject(new SocketError(code));
  }

  #resolveName(name: string): void {
    const answer = this.#network.names.get(name) ?? "ENOTFOUND";
    if (typeof answer === "string") {
      this.fail(answer);
      return;
    }
    this.#hosts = answer;
    this.#next("ENOTFOUND");
  }

  /** The next address of the name, if there is one. */
  #next(code: string): void {
    const [host, ...rest] = this.#hosts;
    this.#hosts = rest;
    if (host === undefined || this.#to.kind !== "tcp") this.fail(code);
    else this.#try({ kind: "tcp", host, port: this.#to.port });
  }

  #try(to: Address): void {
    const { clock } = this.#network;
    if (this.#settled || this.#process.dead) return;
    if (this.#process.full) {
      this.fail("EMFILE");
      return;
    }
    this.#hold(true);
    clock.after(this.#network.delay(), () => this.#arrive(to));
  }

  #arrive(to: Address): void {
    const { clock, random } = this.#network;
    if (this.#settled) return;
    const queue = this.#network.queueFor(to);
    const fate = this.#network.fate(to);
    if (fate === "silence" || (queue?.full && fate === "arrives")) return;
    if (fate !== "arrives" || !queue) {
      clock.after(this.#network.delay(), () => {
        this.#hold(false);
        if (!this.#settled) this.#next(fate === "arrives" ? "ECONNREFUSED" : fate);
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
    if (this.#settled || this.#process.dead) return;
    this.#settle();
    this.#resolve(new SimSocket(this.#process, local, this.#to, this.#options.buffer, answer, forth));
  }

  #settle(): void {
    this.#settled = true;
    this.#hold(false);
  }

  #hold(holds: boolean): void {
    if (holds === this.#holds) return;
    this.#holds = holds;
    if (holds) this.#process.take();
    else this.#process.give();
    if (holds) this.#process.attempts.add(this);
    else this.#process.attempts.delete(this);
  }
}

function isName(host: string): boolean {
  return !/^[\d.]+$/.test(host) && !host.includes(":");
}
