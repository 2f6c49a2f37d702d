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

const CAN_SET_BUFFER = !("deno" in versions);

class NodeDatagram extends Datagram {
  readonly local: Endpoint;
  readonly #socket: Socket;
  /** Of an IPv6 socket, which says IPv4 in its own way (RFC 4291 section 2.5.5.2). */
  readonly #mapped: boolean;
  /** node:dgram has not reported on the last datagram. */
  #sending = false;
  #shutting = false;

  constructor(socket: Socket, local: Endpoint) {
    super();
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
    const host = this.#mapped && !to.host.includes(":") ? `::ffff:${to.host}` : to.host;
    try {
      // Whether it has to wait shows only when it is too late to copy.
      this.#socket.send(kept ? chunk : chunk.slice(), to.port, host, this.#sent);
      this.#sending = true;
    } catch {
      this.unsent++;
    }
    return true;
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
    if (this.#shutting) this.#socket.close();
    else this.writable();
  };
}

export async function datagram(at: Endpoint, options: DatagramOptions): Promise<DatagramSocket> {
  const { createSocket } = await import("node:dgram");
  const family = at.host.includes(":") ? 6 : 4;
  // An endpoint's host is no name; to look it up all the same would put every send off to a later tick.
  const socket = createSocket({ type: `udp${family}`, lookup: (host, _, found) => found(null, host, family) });
  const port = await new Promise<number>((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(attemptError("listen on", { kind: "tcp", ...at }, error));
    });
    socket.once("listening", () => resolve(socket.address().port));
    socket.bind({ port: at.port, address: at.host });
  });
  socket.removeAllListeners();
  if (CAN_SET_BUFFER && options.receiveBuffer > 0) {
    try {
      socket.setRecvBufferSize(options.receiveBuffer);
    } catch {
      // Not Linux, and more than this kernel grants: its default stays.
    }
  }
  return new NodeDatagram(socket, { host: at.host, port });
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
