/**
 * Stream sockets on `node:net`, for Node itself and for Deno, whose own sockets cannot send RST.
 *
 * Writes go to node:net one at a time; what comes meanwhile is gathered in our queue, because node:net
 * keeps an object per write. Its reads have one flaw: a reset that arrives behind unread bytes is reported as a normal end (libuv takes the hang-up
 * for an end of file). The socket still knows better, and an empty write makes it tell.
 */
import { connect as connectNode, createServer, type NetConnectOpts, type Server, type Socket } from "node:net";
import type { Address, TcpAddress } from "../../src/net/address.ts";
import type { SocketError } from "../../src/net/errors.ts";
import type {
  Chunk,
  Connecting,
  ConnectOptions,
  Listener,
  ListenOptions,
  Runtime,
  StreamOptions,
  StreamSocket,
} from "../../src/net/runtime.ts";
import { type Accepting, emptied } from "./accept-queue.ts";
import { plainChunk } from "./chunk.ts";
import { Attempt } from "./connecting.ts";
import { endpoint } from "./endpoint.ts";
import { attemptError, socketError } from "./errors.ts";
import { sendQueueOf } from "./send-queue.ts";
import { Stream } from "./stream.ts";
import { kernelPath, prepare } from "./unix-path.ts";
import { WriteQueue } from "./write-queue.ts";

export class NodeStream extends Stream {
  readonly local: Address;
  readonly remote: Address;
  readonly #socket: Socket;
  readonly #limit: number;
  /** What waits while node:net still has something to write. */
  readonly #queue = new WriteQueue();
  #ending = false;
  #owesDrain = false;
  /** Bytes of the writes that node:net has not reported on. */
  #inFlight = 0;
  /** What was buffered when the socket closed: node:net forgets it. */
  #left: number | undefined;

  constructor(socket: Socket, local: Address, remote: Address, options: StreamOptions) {
    super();
    this.#socket = socket;
    this.#limit = options.buffer;
    this.local = local;
    this.remote = remote;
    if (remote.kind === "tcp") this.setOptions(options);
    let failure: SocketError | undefined;
    socket.on("data", (chunk: Uint8Array) => this.received(plainChunk(chunk)));
    socket.on("end", () => this.#endOrReset());
    socket.on("error", (error) => {
      failure = this.errorOf(error);
      this.#left ??= this.buffered - this.refused;
    });
    socket.on("close", () => {
      this.#left ??= this.buffered - this.refused;
      // A unix socket that its peer has closed is hung up both ways; after the peer's FIN that is no failure.
      const hungUp = remote.kind === "unix" && failure?.code === "ECONNRESET" && this.finSeen;
      this.closed(hungUp ? undefined : failure);
    });
  }

  get buffered(): number {
    return (this.#left ?? this.#socket.writableLength + this.#queue.bytes) + this.refused;
  }

  write(chunk: Chunk): boolean {
    if (this.#ending || this.dead) return this.refuse(chunk);
    const keep = this.onLoan(chunk);
    if (this.#socket.writableLength === 0 && this.#queue.bytes === 0) {
      this.#inFlight = chunk.length;
      this.#socket.write(keep ? chunk : chunk.slice(), this.#wrote);
    } else if (keep) this.#queue.keep(chunk);
    else this.#queue.copy(chunk);
    if (this.buffered < this.#limit) return true;
    this.#owesDrain = true;
    return false;
  }

  end(): void {
    if (this.#ending || this.dead) return;
    this.#ending = true;
    if (this.#queue.bytes === 0) this.#socket.end();
  }

  unacknowledged(): number | undefined {
    return sendQueueOf(this.local, this.remote);
  }

  protected setOptions(options: StreamOptions): void {
    this.#socket.setNoDelay(options.noDelay);
    if (options.keepAlive > 0) this.#socket.setKeepAlive(true, options.keepAlive);
  }

  // A paused node:net socket reads on into a buffer of its own, which a reset destroys. So it always flows,
  // and reading stops below it, in the handle; `reading` stays true, or the stream would start it again.
  protected readStop(): void {
    handleOf(this.#socket)?.readStop();
  }

  protected readStart(): void {
    handleOf(this.#socket)?.readStart();
  }

  protected reset(): void {
    this.#left = this.buffered - this.refused;
    this.destroy();
  }

  protected errorOf(thrown: Error): SocketError {
    return socketError(thrown);
  }

  protected destroy(): void {
    if (this.remote.kind === "tcp") this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  readonly #wrote = (error?: Error | null): void => {
    if (error) {
      // node:net forgets what it could not write.
      this.#left ??= this.#inFlight + this.#queue.bytes;
      return;
    }
    if (this.dead || this.#socket.writableLength > 0) return;
    this.#inFlight = 0;
    for (let chunk = this.#queue.first(); chunk; chunk = this.#queue.first()) {
      this.#queue.advance(chunk.length);
      this.#inFlight += chunk.length;
      this.#socket.write(chunk, this.#wrote);
    }
    if (this.#ending) this.#socket.end();
    if (!this.#owesDrain || this.buffered > 0) return;
    this.#owesDrain = false;
    this.flushed();
  };

  /**
   * See the head of this file. An empty write on a healthy socket does nothing, on a reset one it fails. After
   * our own FIN there is no such test, and a unix socket fails it although its peer has just closed.
   */
  #endOrReset(): void {
    if (this.#ending || this.remote.kind === "unix") this.ended();
    else this.askForReset(this.#socket);
  }

  protected askForReset(socket: Socket): void {
    socket.write(new Uint8Array(0), (error) => {
      if (!error) this.ended();
    });
  }
}

export class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #emptied: () => Promise<void>;

  /** `emptied`: accepts who waits. */
  constructor(server: Server, address: Address, emptied: () => Promise<void>) {
    this.#server = server;
    this.address = address;
    this.#emptied = emptied;
  }

  /** node:net accepts whatever comes; `can.pauseAccept` says so. */
  pause(): void {}
  resume(): void {}

  async close(): Promise<void> {
    if (this.#server.listening) await this.#emptied();
    // The callback waits for the connections, which live on; the listening socket closes at once.
    this.#server.close();
  }
}

/** `Runtime.listen`, for a runtime that accepts like that. */
export function listening(accepting: Accepting): Runtime["listen"] {
  return (at, options, accept) => listen(at, options, accept, accepting);
}

async function listen(
  at: Address,
  options: ListenOptions,
  accept: (socket: StreamSocket) => void,
  accepting: Accepting,
): Promise<Listener> {
  await prepare(at);
  const server = createServer({ allowHalfOpen: true });
  const { backlog, reusePort = false } = options;
  let accepted = 0;
  const bound = await new Promise<Address>((resolve, reject) => {
    server.once("error", (error) => reject(attemptError("listen on", at, error)));
    server.once("listening", () => resolve(boundAddress(server, at)));
    if (at.kind === "unix") server.listen({ path: kernelPath(at), backlog });
    else server.listen({ host: at.host, port: at.port, backlog, reusePort });
  });
  // After this an error is a failed accept; the kernel keeps the client in its queue and node:net tries again.
  server.on("error", () => {});
  server.on("connection", (socket) => {
    accepted++;
    if (bound.kind === "unix") accept(new NodeStream(socket, bound, { kind: "unix", path: "" }, options));
    else accept(new NodeStream(socket, localOf(socket), endpoint(socket.remoteAddress, socket.remotePort), options));
  });
  return new NodeListener(server, bound, () => emptied(() => accepted, backlog, accepting));
}

export function connect(to: Address, options: ConnectOptions): Connecting {
  const attempt = new Attempt(to, options.timeout);
  const place =
    to.kind === "unix" ? { path: kernelPath(to) } : { host: to.host, port: to.port, localAddress: options.source };
  const socket = connectNode({ ...place, allowHalfOpen: true } as NetConnectOpts);
  attempt.stop = () => socket.destroy();
  const failed = (error: Error & { code?: string }) => {
    // Deno's word for a source address that this machine does not have.
    const foreign = options.source !== undefined && error.code === "EINVAL";
    attempt.fail(foreign ? { code: "EADDRNOTAVAIL" } : error);
  };
  socket.once("error", failed);
  socket.once("connect", () => {
    socket.off("error", failed);
    const stream = new NodeStream(socket, to.kind === "unix" ? to : localOf(socket), to, options);
    if (!attempt.succeed(stream)) stream.abort();
  });
  return attempt;
}

/** What is under a node:net socket, in Node and in Deno. */
export function handleOf(socket: Socket): { readStop(): void; readStart(): void } | null | undefined {
  return (socket as unknown as { _handle?: { readStop(): void; readStart(): void } | null })._handle;
}

export function boundAddress(server: Server, at: Address): Address {
  const bound = server.address();
  return at.kind === "tcp" && bound && typeof bound === "object" ? { ...at, port: bound.port } : at;
}

export function localOf(socket: Socket): TcpAddress {
  return endpoint(socket.localAddress, socket.localPort);
}
