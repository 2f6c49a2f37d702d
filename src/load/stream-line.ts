/** Requests over TCP, TLS or a unix socket. */
import type { Address } from "../net/address.ts";
import { asSocketError } from "../net/errors.ts";
import type { Chunk, Connecting, StreamSocket } from "../net/runtime.ts";
import type { Line, LineEvents, LineSetup } from "./line.ts";

export class StreamLine implements Line {
  readonly #setup: LineSetup;
  readonly #target: Address;
  readonly #client: number;
  readonly #events: LineEvents;
  #connecting: Connecting | undefined;
  #socket: StreamSocket | undefined;
  #request = 0;
  /** Bytes of the reply so far; undefined: nothing is under way. */
  #got: number | undefined;
  /** Something came that nobody has asked for: the next request pays for it. */
  #spoiled = false;

  constructor(setup: LineSetup, target: Address, client: number, events: LineEvents) {
    this.#setup = setup;
    this.#target = target;
    this.#client = client;
    this.#events = events;
  }

  ask(request: number): void {
    this.#request = request;
    if (this.#spoiled) {
      this.#spoiled = false;
      this.#events.failed("mismatch");
    } else if (this.#socket) this.#send(this.#socket);
    else void this.#connect();
  }

  drop(): void {
    this.#got = undefined;
    this.#connecting?.cancel();
    this.#connecting = undefined;
    this.#forget()?.abort();
  }

  close(): void {
    this.#forget()?.end();
  }

  async #connect(): Promise<void> {
    const { runtime, options } = this.#setup;
    const attempt = runtime.connect(this.#target, options);
    this.#connecting = attempt;
    try {
      const socket = await attempt.socket;
      if (this.#connecting !== attempt) {
        socket.on({ data() {}, drain() {}, end() {}, close() {} });
        socket.abort();
        return;
      }
      this.#connecting = undefined;
      this.#socket = socket;
      this.#events.connected(1);
      socket.on({
        data: (chunk) => socket === this.#socket && this.#received(chunk),
        drain: () => {},
        end: () => this.#ended(socket, "closed"),
        close: (error) => this.#ended(socket, error?.code ?? "closed"),
      });
      socket.resume();
      this.#send(socket);
    } catch (thrown) {
      if (this.#connecting !== attempt) return;
      this.#connecting = undefined;
      this.#events.failed(asSocketError(thrown).code);
    }
  }

  #send(socket: StreamSocket): void {
    const { pattern } = this.#setup;
    this.#got = 0;
    this.#events.sent();
    pattern.stamp(this.#client, this.#request);
    socket.write(pattern.message);
  }

  #received(chunk: Chunk): void {
    const { scenario, pattern } = this.#setup;
    const got = this.#got;
    const { length } = chunk;
    const whole = got !== undefined && got + length <= scenario.messageSize;
    if (!whole || (scenario.verify && !pattern.matches(chunk, 0, length, got, this.#client, this.#request))) {
      this.#spoiled = got === undefined;
      this.drop();
      if (!this.#spoiled) this.#events.failed("mismatch");
      return;
    }
    this.#got = got + length;
    if (this.#got < scenario.messageSize) return;
    this.#got = undefined;
    // A reset, behind all there is: the port of a connection that we closed could not be used again for a minute (TIME_WAIT).
    if (scenario.reconnect) this.drop();
    this.#events.replied();
  }

  #ended(socket: StreamSocket, code: string): void {
    if (socket !== this.#socket) return;
    const waiting = this.#got !== undefined;
    this.drop();
    if (waiting) this.#events.failed(code);
  }

  #forget(): StreamSocket | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) this.#events.connected(-1);
    return socket;
  }
}
