/** A small HTTP/1.1 client over the seam: one GET, one answer, one connection; over TCP and unix sockets alike. */
import { type Address, formatAddress, hostWithPort } from "./address.ts";
import { explain, SocketError } from "./errors.ts";
import { HttpAnswer, type HttpResponse } from "./http-answer.ts";
import type { Chunk, Connecting, Runtime, StreamEvents, StreamSocket, Timer } from "./runtime.ts";

const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 0 };

export interface GetOptions {
  /** Milliseconds for all of it. */
  readonly timeout: number;
}

/**
 * Asks the server at `address` for `path`.
 *
 *     const { status, body } = await httpGet(runtime, parseAddress("8998", "target"), "/readyz", { timeout: 5_000 });
 *
 * Rejects with a {@link SocketError}: what `Runtime.connect` rejects with, `ETIMEDOUT` when the answer is not there in
 * time, `ECONNRESET` when it breaks off, `EPROTO` when it is no HTTP/1.x or larger than 16 MiB.
 */
export function httpGet(
  runtime: Runtime,
  address: Address,
  path: string,
  { timeout }: GetOptions,
): Promise<HttpResponse> {
  return new Promise((resolve, reject) => new Exchange(runtime, address, path, timeout, resolve, reject));
}

class Exchange implements StreamEvents {
  readonly #address: Address;
  readonly #attempt: Connecting;
  readonly #timer: Timer;
  readonly #resolve: (response: HttpResponse) => void;
  readonly #reject: (error: SocketError) => void;
  readonly #answer = new HttpAnswer();
  #socket: StreamSocket | undefined;
  #over = false;

  constructor(
    runtime: Runtime,
    address: Address,
    path: string,
    timeout: number,
    resolve: (response: HttpResponse) => void,
    reject: (error: SocketError) => void,
  ) {
    this.#address = address;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#attempt = runtime.connect(address, OPTIONS);
    this.#timer = runtime.after(timeout, () => this.#fail("ETIMEDOUT", `no answer within ${timeout / 1_000} s`));
    this.#attempt.socket.then(
      (socket) => this.#ask(socket, path),
      (error) => this.#fail(error instanceof SocketError ? error.code : "EUNKNOWN"),
    );
  }

  data(chunk: Chunk): void {
    if (!this.#over) this.#look(() => this.#answer.take(chunk));
  }

  drain(): void {}

  end(): void {
    if (!this.#over) this.#look(() => this.#answer.finish());
  }

  close(error?: SocketError): void {
    this.#fail(error?.code ?? "ECONNRESET");
  }

  #ask(socket: StreamSocket, path: string): void {
    if (this.#over) {
      socket.abort();
      return;
    }
    this.#socket = socket;
    socket.on(this);
    const host = this.#address.kind === "unix" ? "localhost" : hostWithPort(this.#address);
    const head = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\nConnection: close\r\n\r\n`;
    socket.write(new TextEncoder().encode(head));
    socket.resume();
  }

  #look(step: () => HttpResponse | string | undefined): void {
    const found = step();
    if (found === undefined) return;
    if (typeof found === "string") this.#fail("EPROTO", found);
    else if (this.#finish()) this.#resolve(found);
  }

  #fail(code: string, why = explain(code)): void {
    if (this.#finish()) this.#reject(new SocketError(code, `${formatAddress(this.#address)}: ${why} (${code})`));
  }

  /** False: it was over before. */
  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#timer.cancel();
    this.#attempt.cancel();
    this.#socket?.abort();
    return true;
  }
}
