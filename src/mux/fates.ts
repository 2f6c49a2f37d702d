/** What becomes of requests that were sent: answered, given up, or sent once more. */
import { CELL, type Counters } from "../metrics/counters.ts";
import type { Runtime } from "../net/runtime.ts";
import type { MuxClient } from "./client.ts";
import type { RequestDeadlines } from "./deadlines.ts";
import type { FailureKind, Protocol } from "./message.ts";
import type { MuxConfig } from "./mux-config.ts";
import { BROKEN, notTaken, type Outcome, outcomeOf } from "./outcome.ts";
import type { Request } from "./request.ts";

interface FatesOwner {
  readonly runtime: Pick<Runtime, "now">;
  readonly counters: Counters;
  readonly protocol: Protocol;
  readonly config: MuxConfig;
}

export class Fates {
  readonly #owner: FatesOwner;
  readonly #deadlines: RequestDeadlines;

  constructor(owner: FatesOwner, deadlines: RequestDeadlines) {
    this.#owner = owner;
    this.#deadlines = deadlines;
  }

  /** A reply is complete. */
  answered(request: Request): void {
    this.#deadlines.remove(request);
    request.line = undefined;
    request.bytes = undefined;
    if (request.givenUp || request.client.gone) this.#owner.counters.add(CELL.repliesDropped, 1);
    if (request.givenUp) return;
    this.#owner.counters.add(CELL.requestsInFlight, -1);
    this.#owner.counters.requestAnswered((this.#owner.runtime.now() - request.sentAt) / 1_000);
    request.client.replied();
  }

  /** The client is told at once that a request which is under way was not answered in time. */
  giveUpOne(request: Request): void {
    request.givenUp = true;
    this.#owner.counters.add(CELL.requestTimeouts, 1);
    this.#owner.counters.add(CELL.requestsInFlight, -1);
    request.client.fail(this.#lost(request, true));
  }

  /**
   * Requests that were under way, in their order, and will not be answered; `expired`: not in time, so to speak.
   * `unseen`: the target has said that it answers none of them.
   */
  giveUp(requests: readonly Request[], expired: Request | undefined, unseen: boolean): void {
    const byClient = new Map<MuxClient, Request[]>();
    for (const request of requests) {
      if (request.givenUp) {
        this.#deadlines.remove(request);
        continue;
      }
      this.#owner.counters.add(CELL.requestsInFlight, -1);
      if (request === expired) this.#owner.counters.add(CELL.requestTimeouts, 1);
      if (!this.#comesAgain(request, expired, unseen)) {
        this.#deadlines.remove(request);
        request.givenUp = true;
        request.outcome = this.#lost(request, request === expired);
      }
      const { client } = request;
      if (!request.givenUp) request.line = undefined;
      const others = byClient.get(client);
      if (others) others.push(request);
      else byClient.set(client, [request]);
    }
    for (const [client, theirs] of byClient) client.takeBack(theirs);
  }

  #comesAgain(request: Request, expired: Request | undefined, unseen: boolean): boolean {
    if (request === expired || request.begun || !request.bytes || request.client.gone) return false;
    if (!request.idempotent || (!unseen && request.tries > this.#owner.config.requestRetries)) return false;
    if (unseen) request.tries--;
    this.#owner.counters.add(CELL.requestRetries, 1);
    return true;
  }

  /** What the client gets whose connection was lost with its request. */
  #lost(request: Request, expired: boolean): Outcome {
    if (!request.begun) return this.outcome(expired ? "timeout" : "lost", request);
    return expired && request.clogged ? notTaken(this.#owner.config) : BROKEN;
  }

  /** What its client gets in the place of a reply. */
  outcome(kind: FailureKind, request: Request): Outcome {
    return outcomeOf(kind, this.#owner.protocol, this.#owner.config, request);
  }
}
