/**
 * Datagram sockets on `node:dgram`, for Node and for Deno. One datagram is given to it at a time: Node queues
 * without a bound what the kernel does not take, and in Deno such datagrams overtake each other (after a burst
 * on a new socket they leave last first).
 *
 * Deno cannot set SO_RCVBUF: its `setRecvBufferSize` sets what it allocates for each datagram. There a burst of
 * some hundred datagrams overflows the kernel's default.
 */
import type { Socket } from "node:dgram";
import { versions } from "node:process";
import type { Chunk, DatagramOptions, DatagramSocket, Endpoint } from "../../src/net/runtime.ts";
import { plainChunk } from "./chunk.ts";
import { Datagram } from "./datagram.ts";
import { plainHost } from "./endpoint.ts";
import { attemptError } from "./errors.ts";
import type { Joined } from "./memberships.ts";
import { enter, exit, sendAs } from "./node-multicast.ts";

const CAN_SET_BUFFER = !("deno" in versions);

class NodeDatagram extends Datagram {
  readonly local: Endpoint;
  readonly #socket: Socket;
  /** Of an IPv6 socket, which says IPv4 in its own way (RFC 4291 section 2.5.5.2). */
  readonly #mapped: boolean;
  /** node:dgram has not reported on the last datagram. */
  #sending = false;
  #shutting = false;

  constructor(socket: Socket, local: Endpoint, remote: Endpoint | undefined) {
    super(remote);
    this.#socket = socket;
    this.local = local;
    this.#mapped = local.host.includes(":");
    socket.on("message", (chunk, { address, port }) => {
      this.received(plainChunk(chunk), { host: plainHost(address), port });
    });
    socket.on("error", (error) => this.failed(error));
    socket.on("close", () => this.closed());
  }

  protected transmit(chunk: Chunk, to: Endpoint, kept: boolean): boolean {
    if (this.#sending) return false;
    try {
      // Whether it has to wait shows only when it is too late to copy.
      const bytes = kept ? chunk : chunk.slice();
      if (this.remote) this.#socket.send(bytes, this.#sent);
      else this.#socket.send(bytes, to.port, this.#mapped ? mappedHost(to.host) : to.host, this.#sent);
      this.#sending = true;
    } catch {
      this.unsent++;
    }
    return true;
  }

  protected enter(membership: Joined): void {
    enter(this.#socket, membership);
  }

  protected exit(membership: Joined): void {
    exit(this.#socket, membership);
  }

  protected readStop(): void {
    handleOf(this.#socket)?.recvStop();
  }

  protected readStart(): void {
    handleOf(this.#socket)?.recvStart();
  }

  protected shut(): void {
    this.#shutting = true;
    if (!this.#sending) this.#socket.close();
  }

  readonly #sent = (error: Error | null): void => {
    this.#sending = false;
    if (error) this.unsent++;
    if (error) this.reported(error);
    if (this.#shutting) this.#socket.close();
    else this.writable();
  };
}

export async function datagram(at: Endpoint, options: DatagramOptions): Promise<DatagramSocket> {
  const { createSocket } = await import("node:dgram");
  const family = at.host.includes(":") ? 6 : 4;
  // An endpoint's host is no name; to look it up all the same would put every send off to a later tick.
  const socket = createSocket({
    type: `udp${family}`,
    reuseAddr: options.shared ?? false,
    lookup: (host, _, found) => found(null, host, family),
  });
  try {
    await settled(socket, "listening", () => socket.bind({ port: at.port, address: at.host }));
    const { remote, multicast } = options;
    if (remote) await settled(socket, "connect", () => socket.connect(remote.port, remote.host));
    if (multicast) sendAs(socket, at.host, multicast);
  } catch (thrown) {
    socket.close();
    throw attemptError("listen on", { kind: "tcp", ...at }, thrown);
  }
  socket.removeAllListeners();
  setBuffers(socket, options);
  return new NodeDatagram(socket, { host: at.host, port: socket.address().port }, options.remote);
}

/** Until the event, or the error that comes in its place. */
function settled(socket: Socket, event: "listening" | "connect", start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once(event, () => resolve());
    start();
  });
}

function setBuffers(socket: Socket, { receiveBuffer, sendBuffer = 0 }: DatagramOptions): void {
  try {
    if (sendBuffer > 0) socket.setSendBufferSize(sendBuffer);
    if (CAN_SET_BUFFER && receiveBuffer > 0) socket.setRecvBufferSize(receiveBuffer);
  } catch {
    // Not Linux, and more than this kernel grants: its default stays.
  }
}

function mappedHost(host: string): string {
  return host.includes(":") ? host : `::ffff:${host}`;
}

interface Handle {
  recvStart(): void;
  recvStop(): void;
}

/** What is under a node:dgram socket, in Node and in Deno; the property `_handle` would print a warning. */
function handleOf(socket: Socket): Handle | null | undefined {
  const state = Object.getOwnPropertySymbols(socket).find((key) => STATES.has(key.description));
  if (!state) return undefined;
  return (socket as unknown as Record<symbol, { handle?: Handle | null }>)[state]?.handle;
}

const STATES = new Set<string | undefined>(["state symbol", "kStateSymbol"]);
