/** A server that sends back what it gets, for trying things out. */
import type { Address } from "../net/address.ts";
import type { Listener, Runtime, StreamSocket } from "../net/runtime.ts";

const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 262_144, backlog: 4_096 };

export class EchoServer {
  readonly #runtime: Runtime;
  readonly #sockets = new Set<StreamSocket>();
  readonly #empty: (() => void)[] = [];
  #listener: Listener | undefined;

  static async open(runtime: Runtime, at: Address): Promise<EchoServer> {
    const server = new EchoServer(runtime);
    server.#listener = await runtime.listen(at, OPTIONS, (socket) => server.#accept(socket));
    return server;
  }

  private constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get address(): Address {
    if (!this.#listener) throw new Error("the echo server is not open yet");
    return this.#listener.address;
  }

  /** Stops listening, gives connections `grace` milliseconds to finish (less if `hurry` resolves), then resets them. */
  async stop(grace: number, hurry: Promise<unknown>): Promise<void> {
    await this.#listener?.close();
    const cut = () => {
      for (const socket of this.#sockets) socket.abort();
    };
    const timer = this.#runtime.after(grace, cut);
    hurry.then(cut);
    if (this.#sockets.size > 0) await new Promise<void>((resolve) => this.#empty.push(resolve));
    timer.cancel();
  }

  #accept(socket: StreamSocket): void {
    this.#sockets.add(socket);
    socket.on({
      data: (chunk) => {
        if (!socket.write(chunk)) socket.pause();
      },
      drain: () => socket.resume(),
      end: () => socket.end(),
      close: () => this.#closed(socket),
    });
    socket.resume();
  }

  #closed(socket: StreamSocket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    for (const resolve of this.#empty.splice(0)) resolve();
  }
}
