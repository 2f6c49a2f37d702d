/** The same for datagrams: each goes back to where it came from. */
import type { UdpAddress } from "../net/address.ts";
import type { DatagramSocket, Runtime } from "../net/runtime.ts";

export class DatagramEcho {
  readonly address: UdpAddress;
  readonly #socket: DatagramSocket;
  readonly #closed: Promise<void>;

  static async open(runtime: Runtime, { host, port }: UdpAddress): Promise<DatagramEcho> {
    return new DatagramEcho(await runtime.datagram({ host, port }, { receiveBuffer: 4 * 1_024 * 1_024 }));
  }

  private constructor(socket: DatagramSocket) {
    const { host, port } = socket.local;
    this.address = { kind: "udp", host, port };
    this.#socket = socket;
    this.#closed = new Promise((resolve) => {
      socket.on({ message: (chunk, from) => socket.send(chunk, from), close: () => resolve() });
    });
    socket.resume();
  }

  /** There is nothing that would have to finish. */
  async stop(): Promise<void> {
    this.#socket.close();
    await this.#closed;
  }
}
