/** A multiplexer on a clock that the test moves, whose clients and whose target the test plays. */
import { Target, targetMemory } from "../../src/balance/target.ts";
import { plainTarget } from "../../src/config/config.ts";
import { CELL } from "../../src/metrics/counters.ts";
import { Multiplexer } from "../../src/mux/multiplexer.ts";
import { MUX, type MuxConfig } from "../../src/mux/mux-config.ts";
import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Runtime, StreamEvents, StreamSocket, Timer } from "../../src/net/runtime.ts";

const ADDRESS: Address = { kind: "tcp", host: "10.0.0.1", port: 1 };
const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 0 };
const NOBODY: StreamEvents = { data() {}, drain() {}, end() {}, close() {} };
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));

/** Time that passes when it is told to. */
export class Time {
  now = 0;
  /** Timers that have run. */
  rung = 0;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  get timers(): number {
    return this.#timers.length;
  }

  after(ms: number, run: () => void): Timer {
    const timer = { at: this.now + ms, run };
    this.#timers.push(timer);
    const cancel = () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
    return { cancel };
  }

  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      await settle();
      const [next] = this.#timers.filter(({ at }) => at <= until).toSorted((one, other) => one.at - other.at);
      if (!next) break;
      this.#timers = this.#timers.filter((each) => each !== next);
      this.now = next.at;
      this.rung++;
      next.run();
    }
    this.now = until;
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < 20; round++) await null;
}

/** weir's end of a connection to the target. */
class Wire implements StreamSocket {
  readonly local = ADDRESS;
  readonly remote = ADDRESS;
  readonly buffered = 0;
  events = NOBODY;
  sent = "";
  ended = false;
  aborted = false;
  paused = true;

  on(events: StreamEvents): void {
    this.events = events;
  }

  write(chunk: Uint8Array): boolean {
    this.sent += Buffer.from(chunk).toString("latin1");
    return true;
  }

  end(): void {
    this.ended = true;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    queueMicrotask(() => this.events.close());
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  unacknowledged(): number {
    return 0;
  }

  say(text: string): void {
    this.events.data(bytes(text));
  }

  /** The target's FIN; whoever has sent his own is done. */
  finish(): void {
    this.events.end();
    if (this.ended) this.events.close();
  }
}

/** Behind a client of the multiplexer: what it is told. */
export class Listening implements StreamEvents {
  requests = 0;
  text = "";
  ended = false;
  closed = false;
  code: string | undefined;
  reason: string | undefined;
  rule: string | undefined;
  socket: StreamSocket | undefined;
  refused: string | undefined;

  say(text: string): boolean {
    return this.socket?.write(bytes(text)) ?? false;
  }

  finish(reason: string, rule: string): void {
    this.reason = reason;
    this.rule = rule;
  }

  cut(reason: string, rule: string): void {
    this.finish(reason, rule);
    this.socket?.abort();
  }

  failed(cause: unknown): void {
    throw cause;
  }

  data(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString("latin1");
  }

  drain(): void {}

  end(): void {
    this.ended = true;
  }

  close(error?: SocketError): void {
    this.closed = true;
    this.code = error?.code;
  }
}

export class VirtualMux {
  readonly time = new Time();
  readonly wires: Wire[] = [];
  /** When connections were attempted. */
  readonly attempts: number[] = [];
  readonly mux: Multiplexer;
  readonly target: Target;
  /** What becomes of attempts: the target accepts, and perhaps closes at once, or they fail with this code. */
  fate: "accepts" | "closes" | "ECONNREFUSED" = "accepts";
  #config: MuxConfig;

  constructor(config: Partial<MuxConfig> = {}) {
    this.#config = { ...MUX, protocol: "echo", ...config };
    const runtime: Pick<Runtime, "now" | "after" | "connect"> = {
      now: () => this.time.now,
      after: (ms, run) => this.time.after(ms, run),
      connect: () => ({ socket: this.#connect(), cancel() {} }),
    };
    this.target = new Target(
      { address: ADDRESS, config: plainTarget(ADDRESS), memory: targetMemory(1, 1) },
      "shared",
      0,
    );
    this.mux = new Multiplexer(runtime, this.#config, OPTIONS, 1);
    this.mux.retarget([this.target]);
  }

  count(cell: keyof typeof CELL): number {
    return this.target.counters.get(CELL[cell]);
  }

  configure(config: Partial<MuxConfig>): void {
    this.#config = { ...this.#config, ...config };
    this.mux.configure(this.#config, OPTIONS);
  }

  /** Joins, and listens if it may. */
  async client(): Promise<Listening> {
    const client = new Listening();
    this.mux.connect(this.target, client, false).socket.then(
      (socket) => {
        client.socket = socket;
        socket.on(client);
        socket.resume();
      },
      ({ code }: SocketError) => {
        client.refused = code;
      },
    );
    await settle();
    return client;
  }

  async #connect(): Promise<StreamSocket> {
    this.attempts.push(this.time.now);
    if (this.fate === "ECONNREFUSED") throw new SocketError("ECONNREFUSED");
    const wire = new Wire();
    this.wires.push(wire);
    if (this.fate === "closes") this.time.after(1, () => wire.finish());
    return wire;
  }
}
