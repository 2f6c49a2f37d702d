/**
 * The sending half of a stream: what the kernel does not take at once waits here, a FIN goes behind it, and a
 * stream that is linked to this one is told when there is room again.
 */
import type { Chunk } from "../../src/net/runtime.ts";
import { EAGAIN, MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_WR } from "./abi.ts";
import type { Core } from "./core.ts";
import type { Deferred } from "./loop.ts";
import { Outbox } from "./outbox.ts";
import type { Pipe } from "./pipes.ts";

export interface SenderOwner {
  /** Set while bytes wait for the kernel: what an event looks at, without a look at us. */
  waits: boolean;
  /** A send failed; the errno of it. */
  broke(errno: number): void;
  /** The FIN is sent, or would be: `close` may do it as well. True if the descriptor is about to be closed anyway. */
  finishes(): boolean;
  /** Everything is sent after a `write` that returned false. */
  drained(): void;
}

/** A linked stream that waits for room. */
export interface Waiter extends Deferred {
  defer(): void;
}

export class Sender {
  readonly fd: number;
  finSent = false;
  readonly #core: Core;
  readonly #limit: number;
  readonly #owner: SenderOwner;
  #outbox: Outbox | undefined;
  #waiting: Waiter | undefined;
  /** Bytes given to us after the connection broke. */
  #refused = 0;
  #ending = false;
  #broken = false;
  #closed = false;
  #owesDrain = false;

  constructor(core: Core, fd: number, limit: number, owner: SenderOwner) {
    this.#core = core;
    this.fd = fd;
    this.#limit = limit;
    this.#owner = owner;
  }

  /** Bytes taken that the kernel has not taken, and those that came too late. */
  get buffered(): number {
    return (this.#outbox?.bytes ?? 0) + this.#refused;
  }

  /** Bytes wait for the kernel. */
  get pending(): boolean {
    return this.#outbox !== undefined && this.#outbox.bytes > 0;
  }

  /** Nothing can be sent any more. */
  get deaf(): boolean {
    return this.#closed || this.#broken;
  }

  /** What is sent now goes to the kernel at once. */
  get free(): boolean {
    return !this.#ending && !this.deaf && !this.pending;
  }

  /** `StreamSocket.write`. */
  write(chunk: Chunk): boolean {
    if (this.#ending || this.deaf) return this.#refuse(chunk.length);
    const sent = this.pending ? 0 : this.#send(chunk);
    if (this.#broken) return this.#refuse(chunk.length - sent);
    if (sent === chunk.length) return true;
    const outbox = this.#outboxFor();
    outbox.add(chunk.subarray(sent));
    this.#owner.waits = true;
    if (outbox.bytes < this.#limit) return true;
    this.#owesDrain = true;
    return false;
  }

  /** Sends the first `count` bytes of the inbox, and keeps what the kernel does not take. */
  forward(count: number): void {
    const { inbox, system } = this.#core;
    if (this.#ending || this.deaf) {
      this.#refuse(count);
      return;
    }
    const result = system.libc.send(this.fd, inbox.pointer, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result < count) this.unsent(count, result, system.errno);
  }

  /** Of the first `count` bytes of the inbox send(2) has taken `result`, or none because of `errno`. */
  unsent(count: number, result: number, errno: number): void {
    const sent = this.#sent(result, errno);
    if (this.#broken) {
      this.#refuse(count - sent);
      return;
    }
    this.#outboxFor().add(this.#core.inbox.bytes.subarray(sent, count));
    this.#owner.waits = true;
  }

  /** For a splice: where bytes can be moved into, or undefined if they have to be read. */
  pipe(): Pipe | undefined {
    return this.#outboxFor().pipe();
  }

  /** A splice has moved `count` bytes into the pipe; 0 if it was not needed. */
  piped(count: number): void {
    this.#outbox?.piped(count);
    if (count > 0) this.flush();
  }

  /** FIN behind what waits. */
  end(): void {
    if (this.#ending || this.#closed) return;
    this.#core.fastPath.forget(this.fd);
    this.#ending = true;
    if (!this.pending) this.#sendFin();
  }

  /** The kernel has room again. */
  flush(): void {
    const outbox = this.#outbox;
    if (!outbox || this.#closed) return;
    const errno = outbox.flush();
    if (errno !== 0) this.fail(errno);
    this.#owner.waits = outbox.bytes > 0;
    if (outbox.bytes > 0) return;
    if (this.#ending) this.#sendFin();
    if (this.#owesDrain) {
      this.#owesDrain = false;
      this.#owner.drained();
    }
    this.#wake();
  }

  /** `waiter` gets a turn when there is room. False if it is waiting already. */
  await(waiter: Waiter): boolean {
    if (this.#waiting === waiter) return false;
    this.#waiting = waiter;
    return true;
  }

  /** The connection is broken: from here on bytes are refused and counted. */
  fail(errno: number): void {
    this.stop();
    this.#owner.broke(errno);
  }

  /** The connection broke, as the receiving half has noticed. */
  stop(): void {
    this.#broken = true;
  }

  /** The descriptor goes. `buffered` goes on telling what was lost. */
  close(): void {
    this.#closed = true;
    this.#outbox?.drop();
    this.#wake();
  }

  /** Sends what the kernel takes of `chunk` and returns how much that was. */
  #send(chunk: Chunk): number {
    const { system, inbox, stage } = this.#core;
    const { libc, arena } = system;
    const flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (chunk.buffer === inbox.bytes.buffer) {
      const from = arena.at(inbox, chunk.byteOffset - inbox.bytes.byteOffset);
      return this.#sent(libc.send(this.fd, from, chunk.length, flags), system.errno);
    }
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + stage.bytes.length);
      stage.bytes.set(part);
      const sent = this.#sent(libc.send(this.fd, stage.pointer, part.length, flags), system.errno);
      at += sent;
      if (sent < part.length) return at;
    }
    return chunk.length;
  }

  /** The result of a send(2) as a number of bytes. */
  #sent(result: number, errno: number): number {
    if (result >= 0) return result;
    if (errno !== EAGAIN) this.fail(errno);
    return 0;
  }

  #refuse(length: number): boolean {
    if (this.#broken && !this.#ending) this.#refused += length;
    return false;
  }

  #sendFin(): void {
    if (this.finSent) return;
    this.finSent = true;
    if (!this.#owner.finishes()) this.#core.system.libc.shutdown(this.fd, SHUT_WR);
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.defer();
  }

  /** What waits here is in front of all that comes later. */
  #outboxFor(): Outbox {
    this.#core.fastPath.forget(this.fd);
    this.#outbox ??= new Outbox(this.#core, this.fd);
    return this.#outbox;
  }
}
