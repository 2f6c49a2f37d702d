/**
 * A datagram socket on Bun.udpSocket. Bun has no call to stop reading: a paused socket keeps what arrives, up to
 * 1 MiB, and counts the rest in `overrun`.
 * It asks the kernel for ICMP's answers (IP_RECVERR), and the socket hears of a refused datagram when it sends
 * the next one, to whomever: that one then has not left and is sent again.
 */
import type { udp } from "bun";
import type { Chunk, DatagramOptions, DatagramSocket, Endpoint } from "../../src/net/runtime.ts";
import { Datagram, isReport } from "../portable/datagram.ts";
import { plainHost } from "../portable/endpoint.ts";
import { attemptError } from "../portable/errors.ts";
import { setReceiveBuffer } from "./libc.ts";
import { descriptor } from "./stream.ts";

/** Every attempt takes one report; more of them than this in so short a time is a bad network's doing. */
const ATTEMPTS = 4;

class BunDatagram extends Datagram {
  local: Endpoint;
  #socket: udp.Socket<"uint8array"> | undefined;

  constructor(at: Endpoint) {
    super();
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
    this.#socket = await Bun.udpSocket({ hostname: host, port, socket: socket as udp.SocketHandler<"uint8array"> });
    this.local = { host, port: this.#socket.port };
    // Bun leaves the kernel's default, which a burst of a few hundred datagrams fills.
    if (options.receiveBuffer > 0) setReceiveBuffer(descriptor(this.#socket), options.receiveBuffer);
  }

  protected transmit(chunk: Chunk, to: Endpoint): boolean {
    for (let left = ATTEMPTS; left > 0; left--) {
      try {
        return this.#socket?.send(chunk, to.port, to.host) ?? true;
      } catch (error) {
        if (!isReport(error)) break;
      }
    }
    this.unsent++;
    return true;
  }

  protected readStop(): void {}
  protected readStart(): void {}

  protected shut(): void {
    this.#socket?.close();
    queueMicrotask(() => this.closed());
  }
}

export async function datagram(at: Endpoint, options: DatagramOptions): Promise<DatagramSocket> {
  const socket = new BunDatagram(at);
  try {
    await socket.open(options);
  } catch (thrown) {
    throw attemptError("listen on", { kind: "tcp", ...at }, thrown);
  }
  return socket;
}
