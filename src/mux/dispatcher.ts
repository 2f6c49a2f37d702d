/** Who is next: clients whose next request waits take turns, one request each, as long as there is room on a line. */
import { Chain } from "./chain.ts";
import type { MuxClient } from "./client.ts";
import type { Line } from "./line.ts";
import type { MuxConfig } from "./mux-config.ts";
import type { Request } from "./request.ts";

export interface DispatcherOwner {
  readonly config: MuxConfig;
  /** Those that are open. */
  readonly lines: readonly Line[];
  /** Replies come in order: all that is under way of a client has to be on one line. */
  readonly inOrder: boolean;
  /** There is no room on any of them: opens another one, if there may be more. */
  dial(): void;
}

export class Dispatcher {
  readonly #owner: DispatcherOwner;
  readonly #ready = new Chain<MuxClient>();
  /** Nothing is sent now: it is being done already, or what was read is still looked at. */
  #held = false;

  constructor(owner: DispatcherOwner) {
    this.#owner = owner;
  }

  /** Sends a request past the queue, if nobody is in it. `bytes`: on loan. */
  sendNow(client: MuxClient, request: Request, bytes: Uint8Array): boolean {
    const { inFlightPerClient, inFlight } = this.#owner.config;
    if (this.#held || this.#ready.first || !client.mayAsk(inFlightPerClient || inFlight)) return false;
    const line = this.#fitting(client, request, bytes);
    if (!line) return false;
    // It may still stand in line for a request that was given up meanwhile.
    client.chain?.remove(client);
    line.send(request, bytes);
    return true;
  }

  /** The client takes its turn, if its next request can be sent. */
  enlist(client: MuxClient): void {
    if (!client.ready) return;
    if (client.chain === undefined) this.#ready.push(client);
    this.dispatch();
  }

  /** Those who wait for a line that is no more, or need not wait for it any longer, take their turn again. */
  unpark(line: Line): void {
    for (let { first } = line.parked; first; first = line.parked.first) this.#ready.push(first);
  }

  /** Somebody waits. */
  get crowded(): boolean {
    return this.#ready.first !== undefined || this.#owner.lines.some(({ parked }) => parked.first);
  }

  /** Nothing is sent until {@link goOn}. */
  hold(): void {
    this.#held = true;
  }

  goOn(): void {
    this.#held = false;
    this.dispatch();
  }

  /** Sends what waits, as long as there is room for it. */
  dispatch(): void {
    if (this.#held) return;
    this.#held = true;
    try {
      for (const line of this.#owner.lines) if (line.parked.first) this.#serve(line);
      for (let client = this.#ready.first; client; client = this.#ready.first) {
        if (!this.#turn(client)) break;
      }
    } finally {
      this.#held = false;
    }
  }

  /** Those who wait for a line come before others; where replies come in order they keep theirs. */
  #serve(line: Line): void {
    for (let client = line.parked.first; client && line.free; ) {
      const { after, next } = client;
      const elsewhere = this.#owner.inOrder && client.line !== undefined && client.line !== line;
      if (elsewhere) this.#ready.push(client);
      else if (!next?.bytes || !client.ready) line.parked.remove(client);
      else if (line.accepts(next, next.bytes)) this.#send(client, line, next.bytes);
      else if (this.#owner.inOrder) return;
      client = after;
    }
  }

  /** False: nothing more can be done now. */
  #turn(client: MuxClient): boolean {
    const { next } = client;
    if (!next?.bytes || !client.ready) {
      this.#ready.remove(client);
      return true;
    }
    const fitting = this.#fitting(client, next, next.bytes);
    if (fitting) {
      this.#send(client, fitting, next.bytes);
      return true;
    }
    // Perhaps there may be another one, where it need not wait.
    this.#owner.dial();
    const line = this.#toWaitFor(client);
    if (!line) return false;
    line.parked.push(client);
    if (line.late(next.bytes)) line.retire("request_timeout");
    return true;
  }

  #send(client: MuxClient, line: Line, bytes: Uint8Array): void {
    client.chain?.remove(client);
    const request = client.take() as Request;
    line.send(request, bytes);
    if (client.ready) this.#ready.push(client);
  }

  /** Of the lines that take its next request now, the one with the least under way. */
  #fitting(client: MuxClient, request: Request, bytes: Uint8Array): Line | undefined {
    const { inOrder, lines } = this.#owner;
    const own = inOrder ? client.line : undefined;
    let best: Line | undefined;
    for (const line of lines) {
      if (!line.free || (own && line !== own) || (best && line.load >= best.load)) continue;
      // Where replies come in order, so do those who wait.
      if (!(inOrder && line.parked.first) && line.accepts(request, bytes)) best = line;
    }
    return best;
  }

  /** The line that will take it before others: its own, or one with room, where another request is in its way. */
  #toWaitFor(client: MuxClient): Line | undefined {
    if (this.#owner.inOrder && client.line) return client.line;
    let best: Line | undefined;
    for (const line of this.#owner.lines) if (line.free && (!best || line.load < best.load)) best = line;
    return best;
  }
}
