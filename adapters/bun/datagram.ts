/**
 * A datagram socket on Bun.udpSocket. Bun has no call to stop reading: a paused socket keeps what arrives, up to
 * 1 MiB, and counts the rest in `overrun`.
 * It asks the kernel for ICMP's answers (IP_RECVERR), and the socket hears of a refused datagram when it sends
 * the next one, to whomever: that one then has not left and is sent again.
 */

import { platform } from "node:process";
import type { udp } from "bun";
import type { Chunk, DatagramOptions, DatagramSocket, Endpoint } from "../../src/net/runtime.ts";
import { Datagram, isReport } from "../portable/datagram.ts";
import { plainHost } from "../portable/endpoint.ts";
import { attemptError } from "../portable/errors.ts";
import { groupRequest, socketOptions } from "../portable/linux-multicast.ts";
import type { Joined } from "../portable/memberships.ts";
import { enter, exit, sendAs } from "../portable/node-multicast.ts";
import { canSetOptions, setOption, setReceiveBuffer } from "./libc.ts";
import { descriptor } from "./stream.ts";

/** Every attempt takes one report; more of them than this in so short a time is a bad network's doing. */
const ATTEMPTS = 4;

/** `LIBUS_LISTEN_REUSE_ADDR`, and `LIBUS_LISTEN_REUSE_PORT`, which BSD's kernels want for multicast. */
const SHARED = platform === "linux" ? 16 : 20;

class BunDatagram extends Datagram {
  local: Endpoint;
  #socket: udp.Socket<"uint8array"> | udp.ConnectedSocket<"uint8array"> | undefined;

  constructor(at: Endpoint, { remote }: DatagramOptions) {
    super(remote);
    this.local = at;
  }

  async open(options: DatagramOptions): Promise<void> {
    const { host, port } = this.local;
    const socket = {
      binaryType: "uint8array" as const,
      data: (_: unknown, chunk: Chunk, port: number, address: string) =>
        this.received(chunk, { host: plainHost(address), port }),
      drain: () => this.writable(),
      // Called with the error alone, whatever the types say.
      error: (error: unknown) => this.failed(error),
    };
    const { remote, shared = false, multicast, receiveBuffer } = options;
    const connect = remote && { connect: { hostname: remote.host, port: remote.port } };
    const wanted = { hostname: host, port, ...connect, ...(shared && { flags: SHARED }), socket };
    const opened = await Bun.udpSocket(wanted as unknown as udp.SocketOptions<"uint8array">);
    this.#socket = opened;
    this.local = { host, port: opened.port };
    // Bun leaves the kernel's default, which a burst of a few hundred datagrams fills.
    if (receiveBuffer > 0) setReceiveBuffer(descriptor(opened), receiveBuffer);
    try {
      if (canSetOptions()) for (const each of socketOptions(host, options)) setOption(descriptor(opened), each);
      else if (multicast) sendAs(opened, host, multicast);
    } catch (thrown) {
      opened.close();
      throw thrown;
    }
  }

  protected transmit(chunk: Chunk, to: Endpoint): boolean {
    for (let left = ATTEMPTS; left > 0; left--) {
      try {
        return this.#give(chunk, to);
      } catch (error) {
        this.reported(error);
        if (!isReport(error)) break;
      }
    }
    this.unsent++;
    return true;
  }

  #give(chunk: Chunk, to: Endpoint): boolean {
    if (!this.#socket) return true;
    if (this.remote) return (this.#socket as udp.ConnectedSocket<"uint8array">).send(chunk);
    return (this.#socket as udp.Socket<"uint8array">).send(chunk, to.port, to.host);
  }

  protected enter(membership: Joined): void {
    if (!this.#socket) return;
    if (canSetOptions()) setOption(descriptor(this.#socket), groupRequest(membership, true));
    else enter(this.#socket, membership);
  }

  protected exit(membership: Joined): void {
    if (!this.#socket) return;
    if (canSetOptions()) setOption(descriptor(this.#socket), groupRequest(membership, false));
    else exit(this.#socket, membership);
  }

  protected readStop(): void {}
  protected readStart(): void {}

  protected shut(): void {
    this.#socket?.close();
    queueMicrotask(() => this.closed());
  }
}

export async function datagram(at: Endpoint, options: DatagramOptions): Promise<DatagramSocket> {
  const socket = new BunDatagram(at, options);
  try {
    await socket.open(options);
  } catch (thrown) {
    throw attemptError("listen on", { kind: "tcp", ...at }, thrown);
  }
  return socket;
}
