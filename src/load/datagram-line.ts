/** Requests over UDP: one datagram each way. Each client has a port of its own. */
import { anyAddress, type UdpAddress } from "../net/address.ts";
import { asSocketError } from "../net/errors.ts";
import type { Chunk, DatagramSocket } from "../net/runtime.ts";
import type { Line, LineEvents, LineSetup } from "./line.ts";

/** Requests back to which a reply may belong that nobody waits for any more. */
const REMEMBERED = 1_000;

export class DatagramLine implements Line {
  readonly #setup: LineSetup;
  readonly #target: UdpAddress;
  readonly #client: number;
  readonly #events: LineEvents;
  #opening = 0;
  #socket: DatagramSocket | undefined;
  #request = 0;
  #waiting = false;
  #refused = 0;

  constructor(setup: LineSetup, target: UdpAddress, client: number, events: LineEvents) {
    this.#setup = setup;
    this.#target = target;
    this.#client = client;
    this.#events = events;
  }

  ask(request: number): void {
    this.#request = request;
    if (this.#socket) this.#send(this.#socket);
    else void this.#open();
  }

  /** The socket stays: nothing is out of step where each reply says what it is for. */
  drop(): void {
    this.#opening++;
    this.#waiting = false;
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    this.#events.connected(-1);
    socket.close();
  }

  /** ICMP has said that nobody is there; the socket itself does not fail. */
  trouble(): string | undefined {
    const refused = this.#socket?.refused ?? 0;
    if (refused === this.#refused) return undefined;
    this.#refused = refused;
    return "ECONNREFUSED";
  }

  async #open(): Promise<void> {
    const opening = ++this.#opening;
    const { host, port } = this.#target;
    const remote = { host, port };
    try {
      const socket = await this.#setup.runtime.datagram(
        { host: anyAddress(host), port: 0 },
        { receiveBuffer: 0, remote },
      );
      if (opening !== this.#opening) return socket.close();
      this.#socket = socket;
      this.#refused = 0;
      this.#events.connected(1);
      socket.on({
        message: (chunk) => this.#received(chunk),
        close: (error) => socket === this.#socket && this.#lost(error?.code ?? "closed"),
      });
      socket.resume();
      this.#send(socket);
    } catch (thrown) {
      if (opening === this.#opening) this.#events.failed(asSocketError(thrown).code);
    }
  }

  #send(socket: DatagramSocket): void {
    const { pattern } = this.#setup;
    this.#waiting = true;
    this.#events.sent();
    pattern.stamp(this.#client, this.#request);
    socket.send(pattern.message, this.#target);
  }

  #received(chunk: Chunk): void {
    if (!this.#waiting) return;
    const { verify, reconnect } = this.#setup.scenario;
    if (this.#is(chunk, this.#request) || (!verify && !this.#isEarlier(chunk))) {
      this.#waiting = false;
      if (reconnect) this.close();
      this.#events.replied();
      return;
    }
    // One that was given up, or a copy of what has come already: UDP may do that.
    if (this.#isEarlier(chunk)) return;
    this.#waiting = false;
    this.#events.failed("mismatch");
  }

  #is(chunk: Chunk, request: number): boolean {
    const { pattern, scenario } = this.#setup;
    return chunk.length === scenario.messageSize && pattern.matches(chunk, 0, chunk.length, 0, this.#client, request);
  }

  #isEarlier(chunk: Chunk): boolean {
    for (let back = 1; back <= Math.min(REMEMBERED, this.#request); back++) {
      if (this.#is(chunk, this.#request - back)) return true;
    }
    return false;
  }

  #lost(code: string): void {
    const waiting = this.#waiting;
    this.#waiting = false;
    this.close();
    if (waiting) this.#events.failed(code);
  }
}
