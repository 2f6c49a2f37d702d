/** The clients and the target of the soak: what each of them does, and what it saw. */
import { runtime } from "#runtime";
import type { Address } from "../../src/net/address.ts";
import type { Bound, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";

const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 262_144 };
/** An odd length makes a lost or a moved byte show. */
const PATTERN = Uint8Array.from({ length: 65_521 }, (_, index) => (index * 31 + (index >> 8)) & 255);
const SMALL = 64;
const BULK = 50_000_000;
const STALLED = 8_000_000;
/** Milliseconds that a stalled reader stands still. */
const STALL = 2_000;

/** How many of each kind run at once. */
const CHURNING = 16;
const RESETTING = 8;
const STALLING = 8;
const MOVING = 2;

/** A target that sends back what it gets. */
export async function serve(at: Address): Promise<Bound> {
  return await runtime.listen(at, { ...OPTIONS, backlog: 4_096 }, (socket) => {
    socket.on({
      data(chunk) {
        if (!socket.write(chunk)) socket.pause();
      },
      drain: () => socket.resume(),
      end: () => socket.end(),
      close() {},
    });
    socket.resume();
  });
}

/** What clients sent and got back, on the proxy whose connections end in order. */
export interface Tally {
  connections: number;
  sent: number;
  received: number;
}

export class Clients {
  churned = 0;
  reset = 0;
  stalled = 0;
  bulk = 0;
  readonly tally: Tally = { connections: 0, sent: 0, received: 0 };
  readonly #exact: Address;
  readonly #rough: Address;

  constructor(exact: Address, rough: Address) {
    this.#exact = exact;
    this.#rough = rough;
  }

  /** Works until `more` says no; rejects when a byte is wrong or a connection ends as it should not. */
  async run(more: () => boolean): Promise<void> {
    const each = (count: number, work: () => Promise<void>) =>
      Array.from({ length: count }, async () => {
        while (more()) await work();
      });
    await Promise.all([
      ...each(CHURNING, () => this.#echo(SMALL, 0).then(() => void this.churned++)),
      ...each(STALLING, () => this.#echo(STALLED, STALL).then(() => void this.stalled++)),
      ...each(MOVING, () => this.#echo(BULK, 0).then(() => void this.bulk++)),
      ...each(RESETTING, () => this.#abort().then(() => void this.reset++)),
    ]);
  }

  /** Sends `total` bytes and reads them again, standing still for `stall` milliseconds after the first. */
  async #echo(total: number, stall: number): Promise<void> {
    const socket = await runtime.connect(this.#exact, { ...OPTIONS, timeout: 30_000 }).socket;
    this.tally.connections++;
    this.tally.sent += total;
    await new Promise<void>((resolve, reject) => {
      const reader = new Reader(socket, total, stall, resolve, reject);
      socket.on(reader);
      socket.resume();
      reader.send();
    });
    this.tally.received += total;
  }

  /** Breaks a connection in the middle. */
  async #abort(): Promise<void> {
    const socket = await runtime.connect(this.#rough, { ...OPTIONS, timeout: 30_000 }).socket;
    await new Promise<void>((resolve) => {
      let left = Math.random() * 300_000;
      const done = () => socket.abort();
      socket.on({
        data(chunk) {
          left -= chunk.length;
          if (left < 0) done();
        },
        drain() {},
        end: done,
        close: () => resolve(),
      });
      socket.resume();
      for (let sent = 0; sent < 400_000; sent += PATTERN.length) socket.write(PATTERN);
      if (left < 30_000) done();
    });
  }
}

class Reader implements StreamEvents {
  readonly #socket: StreamSocket;
  readonly #total: number;
  readonly #stall: number;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #sent = 0;
  #received = 0;
  #stalled = false;

  constructor(socket: StreamSocket, total: number, stall: number, resolve: () => void, reject: (error: Error) => void) {
    this.#socket = socket;
    this.#total = total;
    this.#stall = stall;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  send(): void {
    let room = true;
    while (room && this.#sent < this.#total) {
      const at = this.#sent % PATTERN.length;
      const part = PATTERN.subarray(at, at + Math.min(PATTERN.length - at, this.#total - this.#sent));
      this.#sent += part.length;
      room = this.#socket.write(part);
    }
    if (room && this.#sent === this.#total) this.#socket.end();
  }

  data(chunk: Uint8Array): void {
    for (let i = 0, at = this.#received % PATTERN.length; i < chunk.length; i++) {
      if (chunk[i] !== PATTERN[at]) throw new Error(`a wrong byte at ${this.#received + i}`);
      if (++at === PATTERN.length) at = 0;
    }
    this.#received += chunk.length;
    if (this.#stall === 0 || this.#stalled) return;
    this.#stalled = true;
    this.#socket.pause();
    runtime.after(this.#stall, () => this.#socket.resume());
  }

  drain(): void {
    this.send();
  }

  end(): void {}

  close(error?: Error): void {
    if (!error && this.#received === this.#total) this.#resolve();
    else this.#reject(error ?? new Error(`${this.#received} of ${this.#total} bytes came back`));
  }
}
