/** One proxy whose connections live in the workers. */
import { type TargetChange, TargetGroup, type TargetView } from "../balance/group.ts";
import type { ProxyConfig } from "../config/config.ts";
import { BYTES, Counters } from "../metrics/counters.ts";
import type { ListenAddress } from "../net/address.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ObserverCounters, ObserverView } from "../observe/observer-counters.ts";
import { ObserverGroup } from "../observe/observer-group.ts";
import type { ConnectionList, ProxyControl } from "../proxy/control.ts";
import { abandonEntrance, type EntranceMemory, entranceMemory } from "../proxy/entrance.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { Answer, ProxyEvent, ToWorker, Wants } from "./protocol.ts";
import type { Listening } from "./threads.ts";
import type { Worker } from "./worker-handle.ts";

let lastRequest = 0;

/** Something that all workers were asked. */
interface Question {
  readonly waiting: Set<number>;
  readonly answers: Answer[];
  readonly resolve: (answers: readonly Answer[]) => void;
}

export class NativeProxy implements ProxyControl {
  config: ProxyConfig;
  readonly stopped: Promise<void>;
  onDrained: () => void = () => {};
  draining = false;
  #over = false;
  readonly #number: number;
  readonly #listening: Listening;
  readonly #events: ProxyEvents;
  readonly #workers: readonly Worker[];
  /** Those that listen for it; see {@link servingOf}. Where connections are shared there are no more of them than is said. */
  readonly #serving: readonly Worker[];
  /** One for each worker: nobody else adds to it. */
  readonly #parts: readonly Counters[];
  /** Workers that have not said yet that they listen, that they no longer listen, or that all is over. */
  readonly #opening = new Set<number>();
  readonly #stopping = new Set<number>();
  readonly #finishing = new Set<number>();
  readonly #questions = new Map<number, Question>();
  readonly #runtime: Runtime;
  readonly #group: TargetGroup;
  readonly #observers: ObserverGroup;
  #memory: EntranceMemory;
  #configuring = false;
  #resolveOpened: () => void = () => {};
  #resolveStopped: () => void = () => {};
  #resolveDrained: () => void = () => {};
  readonly #drained = new Promise<void>((resolve) => {
    this.#resolveDrained = resolve;
  });

  constructor(
    runtime: Runtime,
    number: number,
    config: ProxyConfig,
    listening: Listening,
    events: ProxyEvents,
    workers: readonly Worker[],
  ) {
    this.#runtime = runtime;
    this.#number = number;
    this.config = config;
    this.#listening = listening;
    this.#events = events;
    this.#workers = workers;
    this.#serving = servingOf(config, number, workers);
    this.#parts = workers.map(() => new Counters(config.name, "", new Float64Array(new SharedArrayBuffer(BYTES))));
    this.#memory = entranceMemory(config, workers.length, runtime.wallClock());
    this.#observers = new ObserverGroup(config.name, config.observers, workers.length);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    this.#group = new TargetGroup(runtime, config, workers.length, {
      ...events.targets,
      changed: (targets) => {
        if (!this.#configuring) this.#post({ type: "retarget", proxy: number, targets });
      },
    });
  }

  /** Resolves when all workers listen. */
  async start(): Promise<void> {
    await this.#group.start();
    const opened = new Promise<void>((resolve) => {
      this.#resolveOpened = resolve;
    });
    for (const worker of this.#serving) this.enlist(worker);
    await opened;
  }

  get address(): ListenAddress {
    return this.#listening.address;
  }

  get figures(): readonly Counters[] {
    return [Counters.sum(this.#parts, this.config.name), ...this.#group.counters];
  }

  get counters(): Counters {
    return Counters.sum(this.figures);
  }

  get targets(): readonly TargetView[] {
    return this.#group.views;
  }

  get observers(): readonly ObserverView[] {
    return this.#observers.views;
  }

  get copies(): readonly ObserverCounters[] {
    return this.#observers.counters;
  }

  /** What each worker has counted. */
  get shares(): readonly Counters[] {
    return this.#parts;
  }

  /** Gives a worker its share. */
  enlist(worker: Worker): void {
    const { index } = worker;
    const part = this.#parts[index];
    if (this.draining || !part || !this.#serving.includes(worker)) return;
    this.#opening.add(index);
    const { descriptors, address } = this.#listening;
    worker.post({
      type: "open",
      proxy: this.#number,
      config: this.config,
      address,
      descriptor: descriptors[index % descriptors.length] as number,
      cells: part.cells,
      workers: this.#workers.length,
      memory: this.#memory,
      targets: this.#group.shares,
      observers: this.#observers.memory,
      wants: wantsOf(this.#events),
    });
  }

  async connections(limit: number): Promise<ConnectionList> {
    const answers = await this.#ask((request) => ({ type: "list", request, proxy: this.#number, limit }));
    const lists = answers.filter((answer) => typeof answer === "object");
    const connections = lists.flatMap((list) => list.connections).sort((one, other) => one.id - other.id);
    return { total: lists.reduce((sum, { total }) => sum + total, 0), connections: connections.slice(0, limit) };
  }

  async close(id: number): Promise<boolean> {
    const answers = await this.#ask((request) => ({ type: "close", request, proxy: this.#number, id }));
    return answers.includes(true);
  }

  setTarget(address: string, change: TargetChange): boolean {
    return this.#group.set(address, change);
  }

  async configure(config: ProxyConfig): Promise<void> {
    this.config = config;
    this.#memory = entranceMemory(config, this.#workers.length, this.#runtime.wallClock(), this.#memory);
    // Workers get them together: other targets alone could be for other clients than they know.
    this.#configuring = true;
    this.#group.configure(config);
    this.#configuring = false;
    this.#observers.configure(config.observers);
    const proxy = this.#number;
    const shared = { memory: this.#memory, observers: this.#observers.memory, targets: this.#group.shares };
    await this.#ask((request) => ({ type: "configure", request, proxy, config, ...shared }));
  }

  async drain(): Promise<void> {
    if (!this.draining) {
      this.draining = true;
      this.#listening.stop();
      const alive = this.#serving.filter((worker) => worker.alive);
      for (const worker of alive) {
        this.#stopping.add(worker.index);
        this.#finishing.add(worker.index);
        worker.post({ type: "drain", proxy: this.#number });
      }
      if (alive.length === 0) {
        this.#closeListening();
        this.#finish();
      }
    }
    await this.#drained;
  }

  cut(): void {
    this.#post({ type: "cut", proxy: this.#number });
  }

  /** There may be room for connections that wait: one worker tells the others. */
  nudged(from: Worker | undefined): void {
    for (const worker of this.#serving) if (worker !== from) worker.post({ type: "nudge", proxy: this.#number });
  }

  /** A worker has done what it was told. */
  heard(what: "opened" | "stopped" | "drained", worker: number): void {
    if (what === "opened") this.#crossOff(this.#opening, worker, () => this.#resolveOpened());
    if (what === "stopped") this.#crossOff(this.#stopping, worker, () => this.#closeListening());
    if (what === "drained") this.#crossOff(this.#finishing, worker, () => this.#finish());
  }

  /** A worker has done what it was asked to; undefined: it is dead. */
  answered(request: number, worker: number, answer: Answer | undefined): void {
    const question = this.#questions.get(request);
    if (!question) return;
    if (answer !== undefined) question.answers.push(answer);
    this.#crossOff(question.waiting, worker, () => this.#settle(request, question));
  }

  /** Resolves when all workers have answered, or the proxy is no more. */
  async #ask(message: (request: number) => ToWorker): Promise<readonly Answer[]> {
    const request = ++lastRequest;
    const alive = this.#over ? [] : this.#serving.filter((worker) => worker.alive);
    if (alive.length === 0) return [];
    return await new Promise((resolve) => {
      this.#questions.set(request, { waiting: new Set(alive.map(({ index }) => index)), answers: [], resolve });
      for (const worker of alive) worker.post(message(request));
    });
  }

  #settle(request: number, { answers, resolve }: Question): void {
    this.#questions.delete(request);
    resolve(answers);
  }

  tell(event: ProxyEvent): void {
    const { opened, read, observer, mux } = this.#events;
    if (event.event === "opened") opened?.(event.connection);
    else if (event.event === "observer") observer?.(event.about);
    else if (event.event === "trouble") mux?.trouble?.(event.about);
    else if (event.event === "line") mux?.line?.(event.about);
    else if (event.event === "read") read?.(event.connection, event.from, event.bytes);
    else this.#events[event.event]?.(event.record, event.failure);
  }

  /** A worker has died, with whatever it had; the number of its connections. */
  abandoned(worker: number): number {
    for (const request of this.#questions.keys()) this.answered(request, worker, undefined);
    this.heard("opened", worker);
    this.heard("stopped", worker);
    this.heard("drained", worker);
    this.#observers.abandon(worker);
    abandonEntrance(this.#memory, this.#workers.length, worker);
    const lost = this.#parts[worker]?.abandon(this.#group.abandon(worker)) ?? 0;
    this.nudged(undefined);
    return lost;
  }

  #post(message: ToWorker): void {
    for (const worker of this.#serving) worker.post(message);
  }

  #closeListening(): void {
    this.#listening.close();
    this.#resolveStopped();
  }

  #finish(): void {
    this.#over = true;
    this.#group.stop();
    // Nobody hears the workers' answers any more.
    for (const [request, question] of this.#questions) this.#settle(request, question);
    this.onDrained();
    this.#resolveDrained();
  }

  #crossOff(list: Set<number>, worker: number, last: () => void): void {
    if (list.delete(worker) && list.size === 0) last();
  }
}

/** Of several multiplexers each has another worker, and so has each UDP proxy: its sessions know each other. */
export function servingOf<T>(
  { mux, listen }: Pick<ProxyConfig, "mux" | "listen">,
  number: number,
  workers: readonly T[],
): readonly T[] {
  const at = number % workers.length;
  return mux || listen.kind === "udp" ? workers.slice(at, at + 1) : workers;
}

function wantsOf({ opened, closed, failed, broken, read, observer, mux }: ProxyEvents): Wants {
  const ended = { closed: !!closed, failed: !!failed, broken: !!broken };
  const shared = { trouble: !!mux?.trouble, line: !!mux?.line };
  return { opened: !!opened, ...ended, read: !!read, observer: !!observer, ...shared };
}
