/** Waits for the PROXY header with which a connection from a trusted source begins. */

import type { SocketError } from "../net/errors.ts";
import { PROXY_HEADER_MAX, type Proxied, readProxyHeader } from "../net/proxy-protocol.ts";
import type { Chunk, Runtime, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";

export interface HeaderOwner {
  /** The header is complete. Without `proxied` the connection speaks for itself; `early`: what came behind it. */
  headed(proxied: Proxied | undefined, early: Chunk | undefined): void;
  /** There is none, or a broken one, or none in time. */
  headless(why: string): void;
  broken(error: SocketError): void;
  close(error?: SocketError): void;
}

export class Header implements StreamEvents {
  readonly #client: StreamSocket;
  readonly #owner: HeaderOwner;
  readonly #timer: Timer;
  #bytes: Uint8Array = new Uint8Array(0);
  #done = false;

  /** `timeout`: milliseconds; 0: any time. */
  constructor(runtime: Runtime, client: StreamSocket, timeout: number, owner: HeaderOwner) {
    this.#client = client;
    this.#owner = owner;
    const late = timeout > 0 ? timeout : Number.POSITIVE_INFINITY;
    this.#timer = late < Number.POSITIVE_INFINITY ? runtime.after(late, () => this.#fail("none in time")) : NEVER;
    client.on(this);
    client.resume();
  }

  data(chunk: Chunk): void {
    if (this.#done) return;
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    const header = readProxyHeader(bytes.subarray(0, PROXY_HEADER_MAX));
    if (header.kind === "more") return;
    if (header.kind === "wrong") {
      this.#fail(header.why);
      return;
    }
    this.#finish();
    this.#client.pause();
    const early = bytes.subarray(header.length);
    this.#owner.headed(header.proxied, early.length > 0 ? early : undefined);
  }

  drain(): void {}

  end(): void {
    this.#fail("the client finished before it was complete");
  }

  broken(error: SocketError): void {
    this.#finish();
    this.#owner.broken(error);
  }

  close(error?: SocketError): void {
    this.#finish();
    this.#owner.close(error);
  }

  #fail(why: string): void {
    if (this.#done) return;
    this.#finish();
    this.#client.pause();
    this.#owner.headless(why);
  }

  #finish(): void {
    this.#done = true;
    this.#timer.cancel();
  }
}

const NEVER: Timer = { cancel() {} };
