/**
 * One end of a connection under test. It records every event, checks the rules that hold always (nothing
 * from inside a method, nothing after close, end and close once, no data while paused), checks the bytes
 * against the pattern that `send` writes, and lets a case wait for a condition instead of a time.
 */
import assert from "node:assert/strict";
import type { SocketError } from "../../src/net/errors.ts";
import type { Chunk, StreamEvents, StreamSocket } from "../../src/net/runtime.ts";
import { NOISE } from "../peers/noise.ts";
import { Watch } from "./watch.ts";

export class Probe extends Watch implements StreamEvents {
  readonly socket: StreamSocket;
  readonly log: ("data" | "drain" | "end" | "close")[] = [];
  received = 0;
  sent = 0;
  drains = 0;
  ended = false;
  closed = false;
  failure: SocketError | undefined;
  error: SocketError | undefined;
  paused = true;
  /** Bytes that are not the sender's pattern are expected (and kept in `bytes`). */
  raw = false;
  bytes: Uint8Array = new Uint8Array(0);
  onData: ((chunk: Chunk) => void) | undefined;
  onDrain: (() => void) | undefined;
  #aborted = false;

  constructor(socket: StreamSocket, resumed = true) {
    super();
    this.socket = socket;
    socket.on(this);
    if (resumed) this.resume();
  }

  data(chunk: Chunk): void {
    this.#record("data");
    this.check(!this.paused, "data while paused");
    this.check(!this.ended, "data after end");
    this.check(chunk.length > 0, "an empty chunk");
    if (this.raw) this.bytes = concat(this.bytes, chunk);
    else this.check(matches(chunk, this.received), `wrong bytes at offset ${this.received}`);
    this.received += chunk.length;
    this.onData?.(chunk);
    this.wake();
  }

  drain(): void {
    this.#record("drain");
    this.drains++;
    this.check(this.socket.buffered === 0, "drain while bytes are buffered");
    this.onDrain?.();
    this.wake();
  }

  end(): void {
    this.#record("end");
    this.check(!this.ended, "a second end");
    this.check(!this.paused, "end while paused");
    this.ended = true;
    this.wake();
  }

  broken(error: SocketError): void {
    this.#record("broken");
    this.check(this.failure === undefined, "broken twice");
    this.failure = error;
    this.wake();
  }

  close(error?: SocketError): void {
    this.#record("close");
    this.closed = true;
    this.error = error;
    this.wake();
  }

  /** Writes the next `count` bytes of the pattern in one call. */
  write(count: number): boolean {
    const went = this.call(() => this.socket.write(pattern(this.sent, count)));
    this.sent += count;
    return went;
  }

  writeText(text: string): boolean {
    return this.call(() => this.socket.write(new TextEncoder().encode(text)));
  }

  finish(): void {
    this.call(() => this.socket.end());
  }

  abort(): void {
    this.#aborted = true;
    this.call(() => this.socket.abort());
  }

  pause(): void {
    this.paused = true;
    this.call(() => this.socket.pause());
  }

  resume(): void {
    this.paused = false;
    this.call(() => this.socket.resume());
  }

  /** Sends `total` bytes in writes of `size`, stopping at false and going on at drain, as every user must. */
  async send(total: number, size = 65_536): Promise<void> {
    const goal = this.sent + total;
    while (this.sent < goal && !this.closed) {
      const before = this.drains;
      if (!this.write(Math.min(size, goal - this.sent))) {
        await this.until(() => this.drains > before || this.closed, "drain");
      }
    }
  }

  async untilEnd(): Promise<void> {
    await this.until(() => this.ended || this.closed, "end");
    assert.ok(this.ended, `closed without end: ${this.error?.code}`);
  }

  /** Waits for close and returns its error code. */
  async untilClose(): Promise<string | undefined> {
    await this.until(() => this.closed, "close");
    return this.error?.code;
  }

  #record(event: "data" | "drain" | "end" | "broken" | "close"): void {
    this.checkOutside(event);
    this.check(!this.closed, `${event} after close`);
    this.check(event === "close" || !this.#aborted, `${event} after abort`);
    // Whether an adapter knows of a broken connection before its last bytes are read is its own affair.
    if (event !== "broken" && (event !== "data" || this.log.at(-1) !== "data")) this.log.push(event);
  }

  protected override check(holds: boolean, rule: string): void {
    super.check(holds, `${rule} (${this.log.join(" ")})`);
  }
}

/** `count` bytes of the pattern from `offset`. */
export function pattern(offset: number, count: number): Uint8Array {
  const out = new Uint8Array(count);
  let at = 0;
  while (at < count) {
    const from = (offset + at) % NOISE.length;
    const part = NOISE.subarray(from, from + count - at);
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function matches(chunk: Uint8Array, offset: number): boolean {
  for (let i = 0, p = offset % NOISE.length; i < chunk.length; i++) {
    if (chunk[i] !== NOISE[p]) return false;
    if (++p === NOISE.length) p = 0;
  }
  return true;
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
