/** A server that sends back what it gets, for trying things out. */
import type { Address } from "../net/address.ts";
import type { Listener, Runtime, StreamSocket } from "../net/runtime.ts";

const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 262_144, backlog: 4_096 };

export class EchoServer {
  readonly #sockets = new Set<StreamSocket>();
  #listener: Listener | undefined;

  static async open(runtime: Runtime, at: Address): Promise<EchoServer> {
    const server = new EchoServer();
    server.#listener = await runtime.listen(at, OPTIONS, (socket) => server.#accept(socket));
    return server;
  }

  private constructor() {}

  get address(): Address {
    if (!this.#listener) throw new Error("the echo server is not open yet");
    return this.#listener.address;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Stops listening and resets every connection. */
  async close(): Promise<void> {
    await this.#listener?.close();
    for (const socket of this.#sockets) socket.abort();
  }

  #accept(socket: StreamSocket): void {
    this.#sockets.add(socket);
    socket.on({
      data: (chunk) => {
        if (!socket.write(chunk)) socket.pause();
      },
      drain: () => socket.resume(),
      end: () => socket.end(),
      close: () => this.#sockets.delete(socket),
    });
    socket.resume();
  }
}
