/** A server for tests that does what it is told: answer, stay silent, close, reset. */
import { type Address, formatAddress } from "../net/address.ts";
import type { Listener, Runtime, StreamSocket } from "../net/runtime.ts";
import { Waits } from "./waits.ts";

/**
 * What a target does with its connections:
 *
 * - "echo": sends back what it gets.
 * - "silent": takes what it gets and never says a word, nor closes.
 * - "close": closes every connection (FIN), those that are open and those that come.
 * - "reset": resets them (RST).
 * - a function: is given what has come, and answers or not.
 */
export type Behaviour = "echo" | "silent" | "close" | "reset" | Answer;

/** `chunk`: some bytes of one connection, cut as TCP likes. It may be kept. What it throws surfaces as uncaught. */
export type Answer = (chunk: Uint8Array, connection: TargetConnection) => void;

/** One connection as its target sees it. */
export interface TargetConnection {
  /** The first that the target has accepted is 1. */
  readonly number: number;
  write(data: Uint8Array | string): void;
  /** FIN, behind what was written. */
  end(): void;
  /** RST. */
  reset(): void;
}

/** What a word stands for. */
interface Rules {
  /** At once, and for those that come. */
  readonly open?: (connection: TargetConnection) => void;
  readonly data?: Answer;
  /** The client has finished. */
  readonly end?: (connection: TargetConnection) => void;
}

const finish = (connection: TargetConnection) => connection.end();

const RULES: Readonly<Record<Exclude<Behaviour, Answer>, Rules>> = {
  echo: { data: (chunk, connection) => connection.write(chunk), end: finish },
  silent: {},
  close: { open: finish },
  reset: { open: (connection) => connection.reset() },
};

const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 262_144, backlog: 4_096 };
const LOOPBACK: Address = { kind: "tcp", host: "127.0.0.1", port: 0 };
const encoder = new TextEncoder();

export class TestTarget {
  readonly #waits = new Waits();
  readonly #open = new Set<Accepted>();
  #rules: Rules;
  #listener: Listener | undefined;
  #address = "";
  #port = 0;
  #accepted = 0;
  #bytesReceived = 0;
  #closing: Promise<void> | undefined;

  /** Listens on a free port of this machine. */
  static async open(runtime: Runtime, behaviour: Behaviour): Promise<TestTarget> {
    const target = new TestTarget(behaviour);
    const listener = await runtime.listen(LOOPBACK, OPTIONS, (socket) => target.#accept(socket));
    target.#listener = listener;
    target.#address = formatAddress(listener.address);
    target.#port = listener.address.kind === "tcp" ? listener.address.port : 0;
    return target;
  }

  private constructor(behaviour: Behaviour) {
    this.#rules = rulesOf(behaviour);
  }

  /** `"127.0.0.1:41234"` */
  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#open.size;
  }

  /** Connections so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Over all connections so far. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Another behaviour from now on, for connections that are open as well. */
  behave(behaviour: Behaviour): void {
    this.#rules = rulesOf(behaviour);
    for (const connection of this.#open) this.#rules.open?.(connection);
  }

  /** Resolves when exactly so many connections are open. */
  untilConnections(count: number): Promise<void> {
    return this.#waits.until(`${count} connections of the target ${this.#address}`, () => this.connections === count);
  }

  /** Resolves when so many bytes, or more, have come over all connections so far. */
  untilReceived(bytes: number): Promise<void> {
    return this.#waits.until(`${bytes} bytes at the target ${this.#address}`, () => this.#bytesReceived >= bytes);
  }

  /** Stops listening and resets its connections: whoever comes is refused. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#listener?.close();
    for (const connection of this.#open) connection.reset();
    await this.untilConnections(0);
    this.#waits.close();
  }

  #accept(socket: StreamSocket): void {
    const connection = new Accepted(socket, ++this.#accepted);
    this.#open.add(connection);
    socket.on({
      data: (chunk) => {
        this.#bytesReceived += chunk.length;
        this.#answer(chunk, connection);
        this.#waits.changed();
      },
      drain: () => socket.resume(),
      end: () => this.#rules.end?.(connection),
      broken: () => connection.broken(),
      close: () => {
        this.#open.delete(connection);
        this.#waits.changed();
      },
    });
    socket.resume();
    this.#rules.open?.(connection);
    this.#waits.changed();
  }

  #answer(chunk: Uint8Array, connection: TargetConnection): void {
    try {
      this.#rules.data?.(new Uint8Array(chunk), connection);
    } catch (error) {
      connection.reset();
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function rulesOf(behaviour: Behaviour): Rules {
  return typeof behaviour === "function" ? { data: behaviour, end: finish } : RULES[behaviour];
}

class Accepted implements TargetConnection {
  readonly number: number;
  readonly #socket: StreamSocket;
  #writable = true;

  constructor(socket: StreamSocket, number: number) {
    this.#socket = socket;
    this.number = number;
  }

  write(data: Uint8Array | string): void {
    if (!this.#writable) return;
    if (!this.#socket.write(typeof data === "string" ? encoder.encode(data) : data)) this.#socket.pause();
  }

  end(): void {
    this.#writable = false;
    this.#socket.end();
    this.#socket.resume();
  }

  reset(): void {
    this.#writable = false;
    this.#socket.abort();
  }

  /** No drain will come any more, and its end waits behind what is left to read. */
  broken(): void {
    this.#writable = false;
    this.#socket.resume();
  }
}
