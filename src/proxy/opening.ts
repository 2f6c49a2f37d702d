/**
 * What a connection begins with that has to be read before there is a target: the PROXY header of a trusted source,
 * and the ClientHello by which the target is chosen. The header is for us; the hello and whatever has come behind
 * either is the target's, and waits here for it.
 */
import type { Reason } from "../metrics/reason.ts";
import type { SocketError } from "../net/errors.ts";
import { PROXY_HEADER_MAX, type Proxied, readProxyHeader } from "../net/proxy-protocol.ts";
import type { Chunk, Runtime, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";
import { beginsLikeTls, type ClientHello, HelloReader } from "../tls/client-hello.ts";

/** Hears of the socket again when a part is complete, or never will be. */
export interface OpeningOwner extends StreamEvents {
  /** What was due is not there, or broken, or was not there in time. */
  unopened(reason: Reason, why: string): void;
}

export class Opening implements StreamEvents {
  /** What the header says; without, the connection speaks for itself. */
  proxied: Proxied | undefined;
  /** What the client has said; null: it speaks no TLS; undefined: nobody has asked. */
  said: ClientHello | null | undefined;
  readonly #runtime: Runtime;
  readonly #client: StreamSocket;
  readonly #owner: OpeningOwner;
  #part: Part | undefined;
  #timer: Timer | undefined;
  /** Read and not yet done with; there is room behind it. */
  #bytes = new Uint8Array(0);
  #length = 0;

  constructor(runtime: Runtime, client: StreamSocket, owner: OpeningOwner) {
    this.#runtime = runtime;
    this.#client = client;
    this.#owner = owner;
  }

  /** Waits for a PROXY header. `timeout`: milliseconds; 0: any time. */
  readHeader(timeout: number, then: () => void): void {
    const read = (bytes: Uint8Array): Outcome => {
      const header = readProxyHeader(bytes.subarray(0, PROXY_HEADER_MAX));
      if (header.kind === "more") return "more";
      if (header.kind === "wrong") return { reason: "bad_header", why: `PROXY header: ${header.why}` };
      this.proxied = header.proxied;
      return { taken: header.length };
    };
    this.#expect({ reason: "bad_header", named: "PROXY header", read, then }, timeout);
  }

  /** Waits for a ClientHello; `plain`: who speaks something else is as welcome. */
  readHello(timeout: number, plain: boolean, then: () => void): void {
    const reader = new HelloReader();
    const read = (bytes: Uint8Array): Outcome => {
      if (plain && !beginsLikeTls(bytes)) {
        this.said = null;
        return { taken: 0 };
      }
      const hello = reader.read(bytes);
      if (hello.kind === "more") return "more";
      if (hello.kind === "wrong") return { reason: "bad_hello", why: `ClientHello: ${hello.why}` };
      if (hello.kind === "other") return { reason: "no_tls", why: `no TLS: ${hello.what}` };
      this.said = hello;
      return { taken: 0 };
    };
    this.#expect({ reason: "bad_hello", named: "ClientHello", read, then }, timeout);
  }

  /** What is the target's to get; while a header is due, nothing is known to be. */
  get early(): Chunk | undefined {
    const its = this.#length > 0 && this.#part?.reason !== "bad_header";
    return its ? this.#bytes.subarray(0, this.#length) : undefined;
  }

  /** The target has them. */
  handed(): void {
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
  }

  data(chunk: Chunk): void {
    if (!this.#timer) return;
    this.#keep(chunk);
    this.#look();
  }

  drain(): void {}

  end(): void {
    const { reason, named } = this.#part as Part;
    this.#fail(reason, `${named}: the client finished before it was complete`);
  }

  broken(error: SocketError): void {
    this.#stop();
    this.#client.on(this.#owner);
    this.#owner.broken?.(error);
  }

  close(error?: SocketError): void {
    this.#stop();
    this.#owner.close(error);
  }

  #expect(part: Part, timeout: number): void {
    const { reason, named } = part;
    this.#part = part;
    const late = () => this.#fail(reason, `${named}: none in time`);
    this.#timer = timeout > 0 ? this.#runtime.after(timeout, late) : NEVER;
    // It may have come together with what was before it.
    if (this.#length > 0 && this.#look()) return;
    this.#client.on(this);
    this.#client.resume();
  }

  /** True: it is known what it is. */
  #look(): boolean {
    const { read, then } = this.#part as Part;
    const outcome = read(this.#bytes.subarray(0, this.#length));
    if (outcome === "more") return false;
    if ("why" in outcome) {
      this.#fail(outcome.reason, outcome.why);
      return true;
    }
    this.#bytes = this.#bytes.subarray(outcome.taken);
    this.#length -= outcome.taken;
    this.#stop();
    this.#part = undefined;
    this.#client.pause();
    this.#client.on(this.#owner);
    then();
    return true;
  }

  /** The first chunk is copied once, as it is on loan; with more of them no byte is moved more than twice on average. */
  #keep(chunk: Chunk): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#bytes.length) {
      const bytes = new Uint8Array(this.#length === 0 ? needed : Math.max(needed, 2 * this.#bytes.length));
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }

  #fail(reason: Reason, why: string): void {
    if (!this.#timer) return;
    this.#stop();
    this.#client.pause();
    this.#client.on(this.#owner);
    this.#owner.unopened(reason, why);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** "more": it is not complete. `taken`: bytes that are not the target's to get. */
type Outcome = "more" | { readonly taken: number } | { readonly reason: Reason; readonly why: string };

interface Part {
  /** If it does not come. */
  readonly reason: Reason;
  readonly named: string;
  read(bytes: Uint8Array): Outcome;
  then(): void;
}

const NEVER: Timer = { cancel() {} };
