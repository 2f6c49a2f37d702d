/**
 * A stream on one of Bun's sockets. `write` takes what fits and forgets the rest, so a queue keeps it; `end`
 * and `close` shut both ways, so a FIN is `shutdown`; after our own FIN the peer's arrives as `close` alone,
 * so `end` is made up for it.
 */
import type { Socket, SocketHandler } from "bun";
import type { Address } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { Chunk, StreamOptions } from "../../src/net/runtime.ts";
import { endpoint } from "../portable/endpoint.ts";
import { socketError } from "../portable/errors.ts";
import { Stream } from "../portable/stream.ts";
import { WriteQueue } from "../portable/write-queue.ts";
import { sendQueue } from "./libc.ts";

export class BunStream extends Stream {
  readonly remote: Address;
  readonly #socket: Socket<unknown>;
  readonly #limit: number;
  readonly #queue = new WriteQueue();
  #local: Address | undefined;
  #ending = false;
  #finSent = false;
  /** A write has failed: with that the kernel has told its error, and what it calls an end from here on is none. */
  #broken = false;
  #owesDrain = false;

  constructor(socket: Socket<unknown>, remote: Address, local: Address | undefined, options: StreamOptions) {
    super();
    this.#socket = socket;
    this.#limit = options.buffer;
    this.#local = local;
    this.remote = remote;
    if (remote.kind === "tcp") {
      if (!options.noDelay) socket.setNoDelay(false);
      if (options.keepAlive > 0) socket.setKeepAlive(true, options.keepAlive);
    }
  }

  get local(): Address {
    this.#local ??= endpoint(this.#socket.localAddress, this.#socket.localPort);
    return this.#local;
  }

  get buffered(): number {
    return this.#queue.bytes + this.refused;
  }

  write(chunk: Chunk): boolean {
    if (this.#ending || this.dead) return this.refuse(chunk);
    const queue = this.#queue;
    let written = 0;
    if (queue.bytes === 0) {
      written = this.#give(chunk);
      if (written === chunk.length) return true;
    }
    const rest = written === 0 ? chunk : chunk.subarray(written);
    // A small rest would keep its whole chunk, half a megabyte, alive.
    if (this.onLoan(chunk) && rest.length * 4 > chunk.length) queue.keep(rest);
    else queue.copy(rest);
    if (queue.bytes < this.#limit) return true;
    this.#owesDrain = true;
    return false;
  }

  end(): void {
    if (this.#ending || this.dead) return;
    this.#ending = true;
    if (this.#queue.bytes === 0) this.#sendFin();
  }

  unacknowledged(): number | undefined {
    return sendQueue(descriptor(this.#socket));
  }

  /** The kernel has room again. */
  writable(): void {
    const queue = this.#queue;
    for (let chunk = queue.first(); chunk; chunk = queue.first()) {
      const written = this.#give(chunk);
      if (written > 0) queue.advance(written);
      if (written < chunk.length) return;
    }
    if (this.#ending) this.#sendFin();
    if (!this.#owesDrain) return;
    this.#owesDrain = false;
    this.flushed();
  }

  read(chunk: Chunk): void {
    this.received(chunk);
  }

  fin(): void {
    if (!this.#broken) this.ended();
  }

  gone(error: Error | undefined): void {
    if (this.#broken) this.closed(new SocketError("ECONNRESET"));
    else if (error && !(this.remote.kind === "unix" && this.finSeen)) this.closed(socketError(error));
    else if (this.#finSent) {
      this.ended();
      this.closed();
    } else if (this.remote.kind === "unix" && this.finSeen) {
      // A unix socket whose peer has closed is hung up both ways.
      this.closed();
    } else {
      // Without our FIN nothing but a reset can have closed it: one that came after the peer's own FIN.
      this.closed(new SocketError("ECONNRESET"));
    }
  }

  protected readStop(): void {
    this.#socket.pause();
  }

  protected readStart(): void {
    this.#socket.resume();
  }

  protected reset(): void {
    this.#socket.terminate();
  }

  /** How many bytes the kernel takes; Bun says -1 when the connection is broken. */
  #give(chunk: Chunk): number {
    const written = this.#socket.write(chunk);
    if (written >= 0) return written;
    if (!this.#broken) {
      this.#broken = true;
      queueMicrotask(() => this.broke(new SocketError("ECONNRESET")));
    }
    return 0;
  }

  #sendFin(): void {
    if (this.#finSent) return;
    this.#finSent = true;
    this.#socket.shutdown();
  }
}

/** Handlers of sockets that have their stream; one object for all, so that a connection costs no closures. */
export const handlers: SocketHandler<BunStream, "uint8array"> = {
  // By default chunks are Buffers, of which `slice` is no copy.
  binaryType: "uint8array",
  data: (socket, chunk) => socket.data.read(chunk),
  drain: (socket) => socket.data.writable(),
  end: (socket) => socket.data.fin(),
  close: (socket, error) => socket.data?.gone?.(error),
  error: (socket, error) => socket.data?.gone?.(error),
};

/** Present on sockets and listeners, missing in Bun's types. */
export function descriptor(socket: object): number {
  return (socket as { fd: number }).fd;
}
