/** Bun: Bun.listen, Bun.connect and Bun.serve, with the streams of bun/stream.ts. */

import { linkSync, renameSync, rmSync } from "node:fs";
import type { Socket as NodeSocket } from "node:net";
import { platform } from "node:process";
import type { Socket, SocketHandler, TCPSocketListener, UnixSocketListener } from "bun";
import { type Address, formatAddress } from "../src/net/address.ts";
import type {
  Bound,
  Connecting,
  ConnectOptions,
  Fetch,
  Listener,
  ListenOptions,
  Runtime,
  StreamSocket,
} from "../src/net/runtime.ts";
import { datagram } from "./bun/datagram.ts";
import { canDuplicate, closeDescriptor, duplicate } from "./bun/libc.ts";
import { BunStream, descriptor, handlers } from "./bun/stream.ts";
import { type Accepting, emptied } from "./portable/accept-queue.ts";
import { tlsTools } from "./portable/certificates.ts";
import { clock } from "./portable/clock.ts";
import { Attempt } from "./portable/connecting.ts";
import { descriptorLimit } from "./portable/descriptors.ts";
import { endpoint } from "./portable/endpoint.ts";
import { attemptError } from "./portable/errors.ts";
import { files } from "./portable/files.ts";
import { openInput } from "./portable/input.ts";
import { interfaces } from "./portable/interfaces.ts";
import { importModule } from "./portable/modules.ts";
import { resolution } from "./portable/resolve.ts";
import { overTls } from "./portable/tls.ts";
import { isAbstract, kernelPath, prepare } from "./portable/unix-path.ts";

/**
 * Bun accepts all who wait whenever it polls, and an immediate runs straight after that. What is ready in the same
 * poll is dealt with first, so the moment in which somebody comes too late is as long as that takes.
 */
const ACCEPTING: Accepting = { turn: () => new Promise((resolve) => setImmediate(resolve)), few: 0 };

export const runtime: Runtime = {
  name: "bun",
  version: Bun.version,
  can: {
    pauseAccept: canDuplicate(),
    abstractUnix: platform === "linux",
    reusePort: platform === "linux",
    multicast: true,
    sourceMulticast: true,
  },
  descriptors: descriptorLimit(),
  ...clock,
  ...overTls(listen, connect, ACCEPTING),
  tls: tlsTools,
  datagram,
  interfaces,
  ...resolution(),
  serve,
  ...files,
  openInput,
  importModule,
};

class BunListener implements Listener {
  address: Address;
  #listener: TCPSocketListener<unknown> | UnixSocketListener<unknown> | undefined;
  /** While paused: the listening socket itself, which Bun no longer polls. */
  #parked: number | undefined;
  /** It has been parked before. */
  #reopened = false;
  #accepted = 0;
  /** The socket file, if there is one. */
  readonly #file: string | undefined;
  readonly #options: ListenOptions;
  readonly #accept: (socket: StreamSocket) => void;

  constructor(at: Address, options: ListenOptions, accept: (socket: StreamSocket) => void) {
    this.address = at;
    this.#file = at.kind === "unix" && !isAbstract(at) ? at.path : undefined;
    this.#options = options;
    this.#accept = accept;
    const place = at.kind === "unix" ? { unix: kernelPath(at) } : { hostname: at.host, port: at.port };
    const { backlog, reusePort = false } = options;
    this.#listener = this.#open({ ...place, backlog, reusePort });
    if (at.kind === "tcp") {
      const bound = this.#listener as TCPSocketListener<unknown>;
      this.address = { kind: "tcp", host: at.host, port: bound.port };
    }
  }

  pause(): void {
    const fd = this.#listener ? duplicate(descriptor(this.#listener)) : undefined;
    if (fd === undefined) return;
    // `stop` removes the socket file, and with it the way to the socket that still listens. (A listener made
    // from a descriptor does not know its file and leaves it.)
    const file = this.#reopened ? undefined : this.#file;
    if (file) linkSync(file, `${file}.paused`);
    this.#listener?.stop(false);
    if (file) renameSync(`${file}.paused`, file);
    this.#listener = undefined;
    this.#parked = fd;
  }

  resume(): void {
    const fd = this.#parked;
    if (fd === undefined) return;
    this.#listener = this.#open({ fd });
    this.#parked = undefined;
    this.#reopened = true;
  }

  async close(): Promise<void> {
    if (this.#listener) await emptied(() => this.#accepted, this.#options.backlog, ACCEPTING);
    this.#listener?.stop(false);
    this.#listener = undefined;
    if (this.#file && (this.#reopened || this.#parked !== undefined)) rmSync(this.#file, { force: true });
    if (this.#parked !== undefined) closeDescriptor(this.#parked);
    this.#parked = undefined;
  }

  #open(place: object): TCPSocketListener<unknown> | UnixSocketListener<unknown> {
    const open = (socket: Socket<unknown>) => {
      const unix = this.address.kind === "unix";
      const remote: Address = unix ? { kind: "unix", path: "" } : endpoint(socket.remoteAddress, socket.remotePort);
      const stream = new BunStream(socket, remote, unix ? this.address : undefined, this.#options);
      socket.data = stream;
      this.#accepted++;
      this.#accept(stream);
    };
    const socket = { ...handlers, open } as SocketHandler<unknown>;
    return Bun.listen({ ...place, allowHalfOpen: true, socket } as unknown as Bun.TCPSocketListenOptions<unknown>);
  }
}

async function listen(at: Address, options: ListenOptions, accept: (socket: StreamSocket) => void): Promise<Listener> {
  try {
    await prepare(at);
    return new BunListener(at, options, accept);
  } catch (thrown) {
    throw attemptError("listen on", at, thrown);
  }
}

/**
 * Addresses where an attempt of Bun.connect had to be abandoned. It keeps its descriptor until the kernel
 * gives up (tcp_syn_retries, two minutes), so the next attempts there go through node:net, which can
 * cancel and costs a tenth more; until one succeeds.
 */
const silent = new Set<string>();
const SILENT_MAX = 1_000;

function connect(to: Address, options: ConnectOptions): Connecting {
  const attempt = new Attempt(to, options.timeout);
  if (silent.has(formatAddress(to))) connectCancellably(to, options, attempt);
  else connectDirectly(to, options, attempt);
  return attempt;
}

function connectDirectly(to: Address, options: ConnectOptions, attempt: Attempt): void {
  attempt.stop = () => {
    if (silent.size >= SILENT_MAX) silent.clear();
    silent.add(formatAddress(to));
  };
  const open = (socket: Socket<unknown>) => adopt(socket, to, options, attempt);
  const socket = { ...handlers, open, connectError: (_: unknown, error: Error) => attempt.fail(trueCause(error)) };
  const place =
    to.kind === "unix" ? { unix: kernelPath(to) } : { hostname: to.host, port: to.port, localAddress: options.source };
  const options_ = { ...place, allowHalfOpen: true, socket } as unknown as Bun.TCPSocketConnectOptions<unknown>;
  try {
    Bun.connect(options_).catch((error) => attempt.fail(trueCause(error)));
  } catch (error) {
    attempt.fail(error);
  }
}

function connectCancellably(to: Address, options: ConnectOptions, attempt: Attempt): void {
  const place =
    to.kind === "unix" ? { path: kernelPath(to) } : { host: to.host, port: to.port, localAddress: options.source };
  // Loaded when it is needed, which is rare: it takes 5 MB.
  const { connect: connectNode } = process.getBuiltinModule("node:net");
  const node: NodeSocket = connectNode({ ...place, allowHalfOpen: true });
  attempt.stop = () => node.destroy();
  node.once("error", (error) => attempt.fail(trueCause(error)));
  node.once("connect", () => {
    silent.delete(formatAddress(to));
    // The native socket under node:net, from here on with our handlers in place of node:net's.
    const socket = (node as unknown as { _handle: Socket<unknown> })._handle;
    socket.reload({ socket: handlers as unknown as SocketHandler<unknown> });
    adopt(socket, to, options, attempt);
  });
}

/** Bun says "refused" when there was no descriptor for the attempt; another descriptor tells whether there is one. */
function trueCause(error: Error): unknown {
  if ((error as { code?: string }).code !== "ECONNREFUSED" || !canDuplicate()) return error;
  const spare = duplicate(0);
  if (spare === undefined) return { code: "EMFILE" };
  closeDescriptor(spare);
  return error;
}

function adopt(socket: Socket<unknown>, to: Address, options: ConnectOptions, attempt: Attempt): void {
  if (attempt.settled) {
    socket.terminate();
    return;
  }
  const stream = new BunStream(socket, to, to.kind === "unix" ? to : undefined, options);
  socket.data = stream;
  attempt.succeed(stream);
}

async function serve(at: Address, fetch: Fetch): Promise<Bound> {
  try {
    await prepare(at);
    const place = at.kind === "unix" ? { unix: kernelPath(at) } : { hostname: at.host, port: at.port };
    // `development: false` sets SO_REUSEPORT unless told otherwise, and two servers would share the port.
    const options = {
      ...place,
      fetch,
      development: false,
      reusePort: false,
      idleTimeout: 10,
      maxRequestBodySize: 1 << 20,
    };
    const server = Bun.serve(options as unknown as Bun.Serve.Options<undefined>);
    const address: Address = at.kind === "unix" ? at : { ...at, port: server.port ?? at.port };
    return { address, close: () => server.stop(true) };
  } catch (thrown) {
    throw attemptError("listen on", at, thrown);
  }
}
