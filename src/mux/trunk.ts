/** The connections to one target and the clients that share them, in one thread. */
import { formatDuration } from "../config/units.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import type { Address } from "../net/address.ts";
import { SocketError } from "../net/errors.ts";
import type { Connecting, ConnectOptions, Runtime, StreamSocket } from "../net/runtime.ts";
import { type ClientOwner, MuxClient } from "./client.ts";
import { RequestDeadlines } from "./deadlines.ts";
import { Dialling, type DiallingOwner } from "./dialling.ts";
import { Dispatcher, type DispatcherOwner } from "./dispatcher.ts";
import { Joining, joined, refused } from "./joining.ts";
import { Line } from "./line.ts";
import { BadMessage, type FailureKind, type Protocol } from "./message.ts";
import type { MuxConfig } from "./mux-config.ts";
import type { LineEnd, MuxNews } from "./mux-events.ts";
import { BROKEN, notTaken, type Outcome, outcomeOf } from "./outcome.ts";
import type { Request } from "./request.ts";

/** What all trunks of a multiplexer have in common. */
export interface TrunkOwner {
  readonly runtime: Pick<Runtime, "now" | "after" | "connect">;
  readonly protocol: Protocol;
  readonly config: MuxConfig;
  readonly connectOptions: ConnectOptions;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly news: MuxNews;
  /** Nothing is left of it. */
  idle(trunk: Trunk): void;
}

export class Trunk implements DiallingOwner, DispatcherOwner {
  readonly address: Address;
  counters: Counters;
  readonly #owner: TrunkOwner;
  /** Those that are open. */
  readonly lines: Line[] = [];
  readonly inOrder: boolean;
  /** Connections over which nothing goes any more, and which are not closed: to the target they are some. */
  readonly #closing = new Set<Line>();
  readonly #clients = new Set<MuxClient>();
  readonly #joining = new Joining();
  readonly #dispatcher = new Dispatcher(this);
  readonly #deadlines: RequestDeadlines;
  readonly #dialling = new Dialling(this);
  /** Nobody else comes, and whoever is here may stay. */
  #leaving = false;
  #over = false;

  constructor(owner: TrunkOwner, address: Address, counters: Counters) {
    this.#owner = owner;
    this.address = address;
    this.counters = counters;
    this.#deadlines = new RequestDeadlines(owner.runtime, (request) => this.#expired(request));
    this.inOrder = owner.protocol.keys(owner.config) === undefined;
  }

  get runtime(): TrunkOwner["runtime"] {
    return this.#owner.runtime;
  }

  get protocol(): Protocol {
    return this.#owner.protocol;
  }

  get config(): MuxConfig {
    return this.#owner.config;
  }

  get connectOptions(): ConnectOptions {
    return this.#owner.connectOptions;
  }

  get random(): () => number {
    return this.#owner.random;
  }

  /** Bytes of requests, and of replies, that wait for one client at most, beyond the message at the border. */
  get buffer(): number {
    return this.connectOptions.buffer;
  }

  /** There are more connections than are kept in any case. */
  get spare(): boolean {
    return this.lines.length > this.config.warm;
  }

  /**
   * A new client, as soon as there is a connection for it, or when one could not be opened. `only`: it will not be given
   * another target, so that it is told in the words of the protocol, if it has some for that.
   */
  join(owner: ClientOwner, only: boolean): Connecting {
    this.#leaving = false;
    const admit = (stranded: boolean) => {
      const client = new MuxClient(this, owner, stranded);
      this.#clients.add(client);
      return client;
    };
    const strand = only && this.protocol.apologizes ? () => admit(true) : undefined;
    if (this.#over) return refused(new SocketError("ECANCELED"));
    if (this.lines.length > 0) return joined(admit(false));
    const { resting } = this.#dialling;
    if (resting) return strand ? joined(strand()) : refused(resting);
    const waiting = this.#joining.wait(() => admit(false), strand);
    if (this.#dialling.underWay === 0) this.#dial();
    return waiting;
  }

  /** Opens what is to be open in any case. */
  warm(): void {
    while (this.lines.length + this.#dialling.underWay < this.config.warm && this.#dial());
  }

  /** The configuration is another one. */
  configured(): void {
    for (const line of this.lines.slice(this.config.connections)) line.retire("unused");
    this.warm();
    for (const client of this.#clients) this.enlist(client);
    this.dispatch();
  }

  /** A client has a whole request. */
  accepted(request: Request): void {
    this.counters.add(CELL.requests, 1);
    this.extend(request);
  }

  /** What a client gets that came when there was no connection, as long as there is none. */
  apology(request: Request): Outcome | undefined {
    return this.lines.length === 0 ? this.#outcome("unreachable", request) : undefined;
  }

  /** What is said to a client that does not go on with a message. */
  tooSlow(): BadMessage {
    const why = `a message was not complete within ${formatDuration(this.config.messageTimeout)}`;
    return new BadMessage(why, this.protocol.failure("incomplete", undefined)?.bytes);
  }

  /** A client has sent what is no request. */
  refused(what: string): void {
    this.#owner.news.badMessage(what);
  }

  /** It gets its whole time again. */
  extend(request: Request): void {
    this.#deadlines.extend(request, this.config.timeout);
  }

  /** Nothing becomes of it any more. */
  forgotten(request: Request): void {
    this.#deadlines.remove(request);
  }

  /** Sends a request past the queue, if nobody is in it. `bytes`: on loan. */
  sendNow(client: MuxClient, request: Request, bytes: Uint8Array): boolean {
    return this.#dispatcher.sendNow(client, request, bytes);
  }

  /** The client takes its turn, if its next request can be sent. */
  enlist(client: MuxClient): void {
    this.#dispatcher.enlist(client);
  }

  /** Nothing is sent until {@link goOn}: what was read is still looked at. */
  hold(): void {
    this.#dispatcher.hold();
  }

  goOn(): void {
    this.#dispatcher.goOn();
  }

  /** There may be room on a line. */
  dispatch(): void {
    this.#dispatcher.dispatch();
  }

  crowded(): void {
    this.#dial();
  }

  /** A reply is complete. */
  answered(request: Request): void {
    this.#deadlines.remove(request);
    request.line = undefined;
    request.bytes = undefined;
    this.#dialling.succeeded();
    if (request.givenUp || request.client.gone) this.counters.add(CELL.repliesDropped, 1);
    if (request.givenUp) return;
    this.counters.add(CELL.requestsInFlight, -1);
    this.counters.requestAnswered((this.runtime.now() - request.sentAt) / 1_000);
    request.client.replied();
  }

  /** The client is told at once that a request which is under way was not answered in time. */
  giveUpOne(request: Request): void {
    request.givenUp = true;
    this.counters.add(CELL.requestsInFlight, -1);
    request.client.fail(this.#outcome("timeout", request));
  }

  /**
   * Requests that were under way, in their order, and will not be answered; `expired`: not in time, so to speak.
   * `unseen`: the target has not looked at them.
   */
  giveUp(requests: readonly Request[], expired: Request | undefined, unseen: boolean): void {
    const byClient = new Map<MuxClient, Request[]>();
    for (const request of requests) {
      if (request.givenUp) {
        this.#deadlines.remove(request);
        continue;
      }
      this.counters.add(CELL.requestsInFlight, -1);
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

  opened(socket: StreamSocket): void {
    if (!this.#wanted) {
      socket.abort();
      this.#settleDown();
      return;
    }
    const { maxAge } = this.config;
    const line = new Line(this, socket, maxAge * (0.9 + 0.2 * this.random()));
    this.lines.push(line);
    this.counters.add(CELL.lines, 1);
    this.#owner.news.opened(this.address, line, socket.local);
    this.#joining.admit();
    this.dispatch();
  }

  unopened(error: SocketError): void {
    this.#owner.news.unopened(this.address, error);
    if (this.lines.length === 0) this.#joining.refuse(error);
    this.#settleDown();
  }

  rested(): void {
    this.warm();
    if (this.#joining.size > 0) this.#dial();
    this.dispatch();
    this.#settleDown();
  }

  left(client: MuxClient): void {
    client.chain?.remove(client);
    client.line?.unclogged(client);
    this.#clients.delete(client);
    if (this.#clients.size > 0) return;
    if (this.#leaving) for (const line of [...this.lines]) line.retire("unused");
    else if (this.config.closeWithLast) for (const line of this.lines.slice(this.config.warm)) line.retire("unused");
    this.#settleDown();
  }

  removed(line: Line, why: LineEnd): void {
    this.lines.splice(this.lines.indexOf(line), 1);
    this.#closing.add(line);
    this.counters.add(CELL.lines, -1);
    this.#owner.news.closed(this.address, line, why, line.load);
    if (line.proven) this.#dialling.succeeded();
    else this.#dialling.failed(new SocketError("ECONNRESET"));
  }

  /** A line that was {@link removed} is closed: there may be another one in its place. */
  closed(line: Line): void {
    this.#closing.delete(line);
    this.rested();
  }

  /** What came over a connection was no reply, or none that anybody has asked for. */
  mismatched(what: string): void {
    this.counters.add(CELL.mismatches, 1);
    this.#owner.news.mismatch(this.address, what);
  }

  /** It is not wanted any more: what is under way is answered, and then the connections are closed. */
  close(): void {
    this.#leaving = true;
    if (this.#clients.size === 0) for (const line of [...this.lines]) line.retire("unused");
    this.#settleDown();
  }

  /** Ends all at once. */
  abort(): void {
    this.#over = true;
    this.#dialling.stop();
    for (const line of [...this.lines, ...this.#closing]) line.abort("shutdown");
  }

  /** Opens another connection, unless there are enough or it has to wait. */
  #dial(): boolean {
    const dialling = this.#dialling;
    if (!this.#wanted || dialling.resting) return false;
    if (this.lines.length + this.#closing.size + dialling.underWay >= this.config.connections) return false;
    dialling.attempt();
    return true;
  }

  /** Somebody has, or may have, a use for a connection. */
  get #wanted(): boolean {
    return !this.#over && (!this.#leaving || this.#clients.size + this.#joining.size > 0);
  }

  #comesAgain(request: Request, expired: Request | undefined, unseen: boolean): boolean {
    if (request === expired || request.begun || !request.bytes || request.client.gone) return false;
    if (!unseen && !(request.idempotent && request.tries <= this.config.requestRetries)) return false;
    if (unseen) request.tries--;
    this.counters.add(CELL.requestRetries, 1);
    return true;
  }

  #expired(request: Request): void {
    if (!request.givenUp) this.counters.add(CELL.requestTimeouts, 1);
    if (request.line) request.line.expired(request);
    else request.client.settle(request, this.#outcome(this.lines.length > 0 ? "timeout" : "unreachable", request));
  }

  /** What the client gets whose connection was lost with its request. */
  #lost(request: Request, expired: boolean): Outcome {
    if (!request.begun) return this.#outcome(expired ? "timeout" : "lost", request);
    return expired && request.client.clogged ? notTaken(this.config) : BROKEN;
  }

  #outcome(kind: FailureKind, request: Request): Outcome {
    return outcomeOf(kind, this.protocol, this.config, request);
  }

  /** Nobody needs it any more. */
  #settleDown(): void {
    const { underWay } = this.#dialling;
    if (this.#clients.size + this.lines.length + this.#closing.size + this.#joining.size + underWay > 0) return;
    if (!this.#over && !this.#leaving) return;
    this.#dialling.stop();
    this.#deadlines.stop();
    this.#owner.idle(this);
  }
}
