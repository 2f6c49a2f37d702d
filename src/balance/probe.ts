/** One health check: connects, says something if it is to, and looks at the answer. */
import type { HealthConfig, ProxyProtocolConfig } from "../config/config.ts";
import { type Address, formatAddress } from "../net/address.ts";
import { explain, SocketError } from "../net/errors.ts";
import { ownProxyHeader } from "../net/proxy-protocol-write.ts";
import type { Chunk, Connecting, Runtime, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";

/** Bytes of an answer that are looked at. */
const ANSWER_MAX = 65_536;
const OPTIONS = { noDelay: true, keepAlive: 0, buffer: 65_536, timeout: 0 };

export interface ProbeRules extends Pick<HealthConfig, "timeout" | "send" | "expect" | "http" | "status"> {
  /** The local IP address to connect from; null leaves it to the kernel. */
  readonly source?: string | null;
  /** The PROXY header with which targets want to be spoken to. */
  readonly header?: ProxyProtocolConfig["send"];
}

/** A check under way. Tells `done` once what is wrong with the target, or nothing; after `cancel` never. */
export class Probe implements StreamEvents {
  readonly #runtime: Runtime;
  readonly #rules: ProbeRules;
  readonly #address: Address;
  readonly #attempt: Connecting;
  readonly #done: (wrong: string | undefined) => void;
  readonly #decoder = new TextDecoder();
  #timer: Timer;
  #socket: StreamSocket | undefined;
  #answer = "";
  /** Bytes of the answer that will still be looked at. */
  #room = ANSWER_MAX;
  #over = false;

  constructor(runtime: Runtime, address: Address, rules: ProbeRules, done: (wrong: string | undefined) => void) {
    this.#runtime = runtime;
    this.#rules = rules;
    this.#address = address;
    this.#done = done;
    this.#attempt = runtime.connect(address, { ...OPTIONS, source: rules.source ?? undefined });
    this.#timer = runtime.after(rules.timeout, () => this.#finish(this.#late()));
    this.#attempt.socket.then(
      (socket) => this.#connected(socket),
      (error) => this.#finish(error instanceof SocketError ? explain(error.code) : String(error)),
    );
  }

  /** Nothing is left of it, not even of one that has told what it knows. */
  cancel(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#attempt.cancel();
    this.#socket?.abort();
  }

  data(chunk: Chunk): void {
    if (this.#over) return;
    const part = chunk.subarray(0, this.#room);
    this.#room -= part.length;
    this.#answer += this.#decoder.decode(part, { stream: true });
    const verdict = this.#judge();
    if (verdict !== undefined) this.#finish(verdict === "" ? undefined : verdict);
    else if (this.#room === 0) this.#finish(`${this.#missing} in ${ANSWER_MAX} bytes`);
  }

  drain(): void {}

  end(): void {
    this.#finish(this.#unfinished);
  }

  close(error?: SocketError): void {
    this.#timer.cancel();
    this.#finish(error ? explain(error.code) : this.#unfinished);
  }

  #connected(socket: StreamSocket): void {
    if (this.#over) {
      socket.abort();
      return;
    }
    this.#socket = socket;
    socket.on(this);
    const { send, expect, http, header } = this.#rules;
    if (header !== undefined && header !== "off") socket.write(ownProxyHeader(header));
    if (http !== null) socket.write(encoder.encode(request(http, this.#address)));
    else if (send !== null) socket.write(encoder.encode(send));
    if (http === null && expect === null) {
      this.#finish(undefined);
      return;
    }
    socket.resume();
  }

  /** Undefined: not yet. Empty: all is well. Else what is wrong. */
  #judge(): string | undefined {
    const { expect, http } = this.#rules;
    if (http !== null) return this.#judgeHttp();
    return this.#answer.includes(expect ?? "") ? "" : undefined;
  }

  #judgeHttp(): string | undefined {
    const end = this.#answer.indexOf("\n");
    if (end < 0) return undefined;
    // RFC 9112 section 4: the reason may be missing; RFC 9110 section 2.5: a later minor version is understood.
    const status = Number(/^HTTP\/1\.\d (\d{3})(?: |\r?$)/.exec(this.#answer.slice(0, end))?.[1]);
    if (Number.isNaN(status)) return "the answer is not HTTP/1.x";
    const { status: wanted } = this.#rules;
    const good = wanted.length > 0 ? wanted.includes(status) : status >= 200 && status < 400;
    return good ? "" : `HTTP status ${status}`;
  }

  get #missing(): string {
    const { expect, http } = this.#rules;
    return http === null ? `no ${JSON.stringify(expect)}` : "no HTTP answer";
  }

  get #unfinished(): string {
    return `${this.#missing} before the target finished`;
  }

  #late(): string {
    return this.#socket ? `${this.#missing} within ${this.#rules.timeout} ms` : "timed out while connecting";
  }

  #finish(wrong: string | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer.cancel();
    this.#attempt.cancel();
    // A FIN for a target that was good to us, so that its log shows no error.
    if (wrong === undefined) this.#leave();
    else this.#socket?.abort();
    this.#done(wrong);
  }

  /** The target gets as long to finish as it had to answer. */
  #leave(): void {
    const socket = this.#socket;
    if (!socket) return;
    socket.end();
    socket.resume();
    this.#timer = this.#runtime.after(this.#rules.timeout, () => socket.abort());
  }
}

/** RFC 9112; version 1.0, so that the target closes the connection and sends no chunks. */
function request(path: string, address: Address): string {
  const host = address.kind === "tcp" ? formatAddress(address) : "localhost";
  return `GET ${path} HTTP/1.0\r\nHost: ${host}\r\nUser-Agent: weir-health\r\nConnection: close\r\n\r\n`;
}

const encoder = new TextEncoder();
