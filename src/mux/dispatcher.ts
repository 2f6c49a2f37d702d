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
  /** There is no room on any of them. */
  crowded(): void;
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
    const line = this.#lineFor(client, bytes);
    if (!line?.free || !line.accepts(bytes)) return false;
    line.send(request, bytes);
    return true;
  }

  /** The client takes its turn, if its next request can be sent. */
  enlist(client: MuxClient): void {
    if (!client.ready) return;
    if (client.chain !== this.#ready) this.#ready.push(client);
    this.dispatch();
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
    for (let client = this.#ready.first; client; client = this.#ready.first) {
      if (!this.#turn(client)) break;
    }
    this.#held = false;
  }

  /** False: nothing more can be done now. */
  #turn(client: MuxClient): boolean {
    const bytes = client.next;
    if (!bytes || !client.ready) {
      this.#ready.remove(client);
      return true;
    }
    const line = this.#lineFor(client, bytes);
    if (!line) {
      this.#owner.crowded();
      return false;
    }
    if (!line.free || !line.accepts(bytes)) {
      line.parked.push(client);
      return true;
    }
    this.#ready.remove(client);
    const request = client.take() as Request;
    line.send(request, bytes);
    if (client.ready) this.#ready.push(client);
    return true;
  }

  /** The line for its next request: the one to wait for, if there is room on others alone or none takes it now. */
  #lineFor(client: MuxClient, bytes: Uint8Array): Line | undefined {
    if (this.#owner.inOrder) return client.line ?? this.#freest();
    return this.#freest(bytes) ?? this.#freest();
  }

  /** Of the lines with room, and those that take `bytes`, the one with the least under way. */
  #freest(bytes?: Uint8Array): Line | undefined {
    let best: Line | undefined;
    for (const line of this.#owner.lines) {
      if (line.free && (!best || line.load < best.load) && (!bytes || line.accepts(bytes))) best = line;
    }
    return best;
  }
}
