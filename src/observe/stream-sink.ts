/** An observer that is connected over TCP or a unix socket. Whatever it sends is read and dropped. */
import type { Address } from "../net/address.ts";
import { asSocketError, type SocketError } from "../net/errors.ts";
import type { Chunk, ConnectOptions, Runtime, StreamEvents, StreamSocket } from "../net/runtime.ts";
import type { Destination, Sink, SinkOwner, Taken } from "./sink.ts";

/** `buffer`: what the socket holds beyond the observer's own buffer, and how much is read from it at once. */
const OPTIONS: ConnectOptions = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 5_000 };

export class StreamDestination implements Destination {
  readonly piece = Number.POSITIVE_INFINITY;
  readonly isStream = true;
  readonly #runtime: Pick<Runtime, "connect">;
  readonly #address: Address;

  constructor(runtime: Pick<Runtime, "connect">, address: Address) {
    this.#runtime = runtime;
    this.#address = address;
  }

  open(owner: SinkOwner): () => void {
    const attempt = this.#runtime.connect(this.#address, OPTIONS);
    let wanted = true;
    attempt.socket.then(
      (socket) => {
        if (wanted) owner.opened(new StreamSink(socket, owner));
        else socket.abort();
      },
      (error: unknown) => {
        if (wanted) owner.failed(asSocketError(error));
      },
    );
    return () => {
      wanted = false;
      attempt.cancel();
    };
  }

  close(): void {}
}

class StreamSink implements Sink, StreamEvents {
  readonly stream: StreamSocket;
  readonly #owner: SinkOwner;
  #over = false;

  constructor(socket: StreamSocket, owner: SinkOwner) {
    this.stream = socket;
    this.#owner = owner;
    socket.on(this);
    socket.resume();
  }

  write(chunk: Chunk): Taken {
    return this.stream.write(chunk) ? "more" : "full";
  }

  finish(): boolean {
    this.stream.end();
    return false;
  }

  cut(): void {
    this.#over = true;
    this.stream.abort();
  }

  get underway(): number {
    return this.stream.buffered + (this.stream.unacknowledged() ?? 0);
  }

  data(): void {}

  drain(): void {
    this.#owner.drained();
  }

  /** A FIN says that it will send nothing more, not that it reads nothing more: `nc -l` sends one in a script. */
  end(): void {}

  /** Nothing can be sent any more, and what may be left to read is for nobody. */
  broken(error: SocketError): void {
    this.cut();
    this.#owner.closed(error);
  }

  close(error?: SocketError): void {
    if (!this.#over) this.#owner.closed(error);
  }
}
