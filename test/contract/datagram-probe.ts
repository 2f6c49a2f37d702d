/**
 * A datagram socket under test. It keeps what arrives, checks the rules that hold always (nothing from inside
 * a method, nothing while paused, nothing after close), and lets a case wait for a condition.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { SocketError } from "../../src/net/errors.ts";
import type {
  Chunk,
  DatagramEvents,
  DatagramOptions,
  DatagramSocket,
  Endpoint,
  Runtime,
} from "../../src/net/runtime.ts";
import type { Kit } from "./kit.ts";
import { Watch } from "./watch.ts";

/** What a socket asks for that is no part of the case. */
const RECEIVE_BUFFER = 1 << 20;

export class DatagramProbe extends Watch implements DatagramEvents {
  readonly socket: DatagramSocket;
  readonly received: { readonly bytes: Uint8Array; readonly from: Endpoint }[] = [];
  closes = 0;
  drains = 0;
  error: SocketError | undefined;
  onMessage: ((chunk: Chunk, from: Endpoint) => void) | undefined;
  #paused = true;

  constructor(socket: DatagramSocket) {
    super();
    this.socket = socket;
    socket.on(this);
  }

  message(chunk: Chunk, from: Endpoint): void {
    this.checkOutside("message");
    this.check(!this.#paused, "a message while paused");
    this.check(this.closes === 0, "a message after close");
    this.received.push({ bytes: chunk.slice(), from });
    try {
      this.onMessage?.(chunk, from);
    } finally {
      this.wake();
    }
  }

  drain(): void {
    this.checkOutside("drain");
    this.check(this.closes === 0, "drain after close");
    this.check(!this.socket.full, "drain while it is full");
    this.drains++;
    this.wake();
  }

  close(error?: SocketError): void {
    this.checkOutside("close");
    this.closes++;
    this.check(this.closes === 1, "a second close");
    this.error = error;
    this.wake();
  }

  send(chunk: Chunk, to: Endpoint): void {
    this.call(() => this.socket.send(chunk, to));
  }

  pause(): void {
    this.#paused = true;
    this.call(() => this.socket.pause());
  }

  resume(): void {
    this.#paused = false;
    this.call(() => this.socket.resume());
  }

  /** No event may come from inside it either. */
  shut(): void {
    this.call(() => this.socket.close());
  }

  untilReceived(count: number): Promise<void> {
    return this.until(() => this.received.length >= count, `${count} datagrams`);
  }

  /** The numbers that `numbered` wrote, in the order they came. */
  numbers(): number[] {
    return this.received.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0));
  }
}

/** A socket on a port of `host`, a free one unless it is named. */
export async function open(
  kit: Kit,
  options: Partial<DatagramOptions> & {
    readonly host?: string;
    readonly port?: number;
    readonly paused?: boolean;
  } = {},
): Promise<DatagramProbe> {
  const { host = "127.0.0.1", port = 0, paused, ...rest } = options;
  const socket = await kit.runtime.datagram({ host, port }, { receiveBuffer: RECEIVE_BUFFER, ...rest });
  kit.later(() => socket.close());
  const probe = new DatagramProbe(socket);
  if (!paused) probe.resume();
  return probe;
}

export async function two(kit: Kit): Promise<{ a: DatagramProbe; b: DatagramProbe }> {
  return { a: await open(kit), b: await open(kit) };
}

/** `size` bytes that begin with `number`. */
export function numbered(number: number, size = 100): Uint8Array {
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** Some runtimes learn later that a datagram did not leave; they get as much time as `rounds` of others take. */
export async function untilUnsent(from: DatagramProbe, to: DatagramProbe, count: number, rounds = 100): Promise<void> {
  for (let n = 1; from.socket.unsent < count || n === 1; n++) {
    assert.ok(n < rounds, `${from.socket.unsent} of ${count} counted as unsent`);
    from.send(numbered(n), to.socket.local);
    await to.untilReceived(n);
  }
  assert.equal(from.socket.unsent, count);
}

export function senderOf(probe: DatagramProbe): Endpoint {
  const from = probe.received[0]?.from;
  assert.ok(from);
  return from;
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/**
 * Why 2,000 datagrams at once cannot be asked for. One of 100 bytes takes about 800 of the kernel's, and it
 * doubles what it is asked for (socket(7)).
 */
export function smallBuffer(runtime: Runtime): string | undefined {
  if (runtime.name === "deno") return "Deno cannot set SO_RCVBUF";
  try {
    const most = Number(readFileSync("/proc/sys/net/core/rmem_max", "utf8"));
    return most < 2 << 20 ? `net.core.rmem_max is ${most}` : undefined;
  } catch {
    return "what this kernel grants is not known";
  }
}
