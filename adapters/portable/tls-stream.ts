/** A stream on a socket of `node:tls`, behind its handshake: what is inside is bytes as on any other. */
import { versions } from "node:process";
import type { TLSSocket } from "node:tls";
import type { TcpAddress } from "../../src/net/address.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { StreamOptions } from "../../src/net/runtime.ts";
import type { TlsInfo } from "../../src/net/tls.ts";
import { handleOf, localOf, NodeStream } from "./node-stream.ts";

export class TlsStream extends NodeStream {
  readonly tls: TlsInfo;
  #secured!: TLSSocket;
  #halted = false;

  constructor(socket: TLSSocket, remote: TcpAddress, options: StreamOptions, tls: TlsInfo) {
    super(socket, localOf(socket), remote, options);
    this.#secured = socket;
    this.tls = tls;
  }

  protected override setOptions(): void {
    // Before the handshake: see `tune`.
  }

  /**
   * Bun's node:tls starts reading again behind each event, so it is told when that is over. Under Deno the TLS socket goes
   * on reading into memory without a bound; what is under it stops.
   */
  protected override readStop(): void {
    this.#halted = true;
    if (IN_BUN) queueMicrotask(() => this.#halted && bunHandle(this.#secured)?.pause());
    else handleOf(IN_DENO ? carrierOf(this.#secured) : this.#secured)?.readStop();
  }

  protected override readStart(): void {
    this.#halted = false;
    if (IN_BUN) bunHandle(this.#secured)?.resume();
    else handleOf(IN_DENO ? carrierOf(this.#secured) : this.#secured)?.readStart();
  }

  /** Deno, and Node at times, tell a reset as an end, and empty writes tell nothing; but who is reset has no peer any more. */
  protected override askForReset(socket: TLSSocket): void {
    if (IN_BUN || isConnected(carrierOf(socket))) this.ended();
    else socket.destroy(Object.assign(new Error("reset by the peer"), { code: "ECONNRESET" }));
  }

  /** Deno's word for a connection that is broken. */
  protected override errorOf(thrown: Error & { code?: string }): SocketError {
    return thrown.code === "EPERM"
      ? new SocketError("ECONNRESET", undefined, { cause: thrown })
      : super.errorOf(thrown);
  }

  protected override destroy(): void {
    resetTls(this.#secured);
  }
}

export const IN_BUN = "bun" in versions;
export const IN_DENO = "deno" in versions;

/** The TCP socket that carries it; under Bun they are one. */
export function carrierOf(socket: TLSSocket): TLSSocket {
  return (socket as unknown as { _parent?: TLSSocket })._parent ?? socket;
}

/** Options of the TCP socket under it; Deno's TLS socket takes no notice of them. */
export function tune(carrier: TLSSocket, options: StreamOptions): void {
  carrier.setNoDelay(options.noDelay);
  if (options.keepAlive > 0) carrier.setKeepAlive(true, options.keepAlive);
}

/**
 * RST, of what is under a TLS socket. Not from within an event of it: Node 20 would free what its SSL_read, still on the
 * stack, goes on with, and crash.
 */
export function resetTls(socket: TLSSocket): void {
  const carrier = carrierOf(socket);
  const reset = () => {
    if (carrier !== socket) carrier.once("close", () => socket.destroy());
    carrier.resetAndDestroy();
  };
  if (IN_BUN || IN_DENO) reset();
  else setImmediate(reset);
}

/** getpeername(2), which the kernel answers with ENOTCONN as soon as there is no connection. */
function isConnected(carrier: TLSSocket): boolean {
  const handle = (carrier as unknown as { _handle?: { getpeername(into: object): number } | null })._handle;
  return handle?.getpeername({}) === 0;
}

function bunHandle(socket: TLSSocket): { pause(): void; resume(): void } | null | undefined {
  return (socket as unknown as { _handle?: { pause(): void; resume(): void } | null })._handle;
}
