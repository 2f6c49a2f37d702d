/** One connection whose bytes become datagrams. */
import type { SocketError } from "../../net/errors.ts";
import type { Chunk, StreamEvents, StreamSocket } from "../../net/runtime.ts";
import type { BridgeConfig } from "./bridge-config.ts";
import { Cutter } from "./cutter.ts";

/** Bytes that are read at once. */
export const READ = 65_536;

export class Inflow implements StreamEvents {
  readonly #socket: StreamSocket;
  readonly #cutter: Cutter;
  readonly #over: (error: SocketError | undefined) => void;
  readonly #closed: Promise<void>;
  #close: () => void = () => {};

  /** `over`: it has ended, whoever wanted that. The socket is not read before `resume`. */
  constructor(
    socket: StreamSocket,
    config: Pick<BridgeConfig, "cut" | "datagramSize">,
    emit: (datagram: Chunk) => void,
    over: (error: SocketError | undefined) => void,
  ) {
    this.#socket = socket;
    this.#cutter = new Cutter({ ...config, whole: false }, emit);
    this.#over = over;
    this.#closed = new Promise((resolve) => {
      this.#close = resolve;
    });
    socket.on(this);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Resolves when the last of it is emitted: a line that was not complete. */
  abort(): Promise<void> {
    this.#socket.abort();
    return this.#closed;
  }

  data(chunk: Chunk): void {
    this.#cutter.take(chunk);
  }

  drain(): void {}

  /** It has said all: there is nothing to answer. */
  end(): void {
    this.#cutter.flush();
    this.#socket.end();
  }

  close(error?: SocketError): void {
    this.#cutter.flush();
    this.#over(error);
    this.#close();
  }
}
