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
import { Fates } from "./fates.ts";
import { Joining, joined, refused } from "./joining.ts";
import { Line } from "./line.ts";
import { BadMessage, type Protocol } from "./message.ts";
import type { MuxConfig } from "./mux-config.ts";
import type { LineEnd, MuxNews } from "./mux-events.ts";
import type { Outcome } from "./outcome.ts";
import type { Request } from "./request.ts";

/** Bytes of replies that may wait for all clients of one target. */
const BACKLOG_MAX = 67_108_864;

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
  /** Bytes of replies that wait for clients. */
  #backlog = 0;
  /** Connections over which nothing goes any more, and which are not closed: to the target they are some. */
  readonly #closing = new Set<Line>();
  readonly #clients = new Set<MuxClient>();
  readonly #joining = new Joining();
  readonly #dispatcher = new Dispatcher(this);
  readonly #deadlines: RequestDeadlines;
  readonly #fates: Fates;
  readonly #dialling = new Dialling(this);
  /** Nobody else comes, and whoever is here may stay. */
  #leaving = false;
  #over = false;

  constructor(owner: TrunkOwner, address: Address, counters: Counters) {
    this.#owner = owner;
    this.address = address;
    this.counters = counters;
    this.#deadlines = new RequestDeadlines(owner.runtime, (request) => this.#expired(request));
    this.#fates = new Fates(this, this.#deadlines);
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

  /** So many bytes more, or less, of replies wait for a client. */
  keeps(bytes: number): void {
    this.#backlog += bytes;
  }

  /** There are so many that whoever takes none of his is cut. */
  get flooded(): boolean {
    return this.#backlog > BACKLOG_MAX;
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
    if (this.#dialling.underWay === 0) this.dial();
    return waiting;
  }

  /** It is wanted: opens what is to be open in any case. */
  warm(): void {
    this.#leaving = false;
    this.#warm();
  }

  #warm(): void {
    while (this.lines.length + this.#dialling.underWay < this.config.warm && this.dial());
  }

  /** The configuration is another one. */
  configured(): void {
    this.#deadlines.bound(this.config.timeout);
    for (const line of this.lines.slice(this.config.connections)) line.retire("unused");
    this.#warm();
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
    if (this.lines.length > 0) return undefined;
    this.forgotten(request);
    // For those who come next.
    this.dial();
    return this.#fates.outcome("unreachable", request);
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

  /** Who waits for a line that has ended takes his turn again. */
  unpark(line: Line): void {
    this.#dispatcher.unpark(line);
    this.dispatch();
  }

  /** Somebody waits for room. */
  get crowded(): boolean {
    return this.#dispatcher.crowded;
  }

  /** A reply is complete. */
  answered(request: Request): void {
    this.#dialling.succeeded();
    this.#fates.answered(request);
  }

  /** The client is told at once that a request which is under way was not answered in time. */
  giveUpOne(request: Request): void {
    this.#fates.giveUpOne(request);
  }

  /** Requests that were under way, in their order, and will not be answered; see {@link Fates.giveUp}. */
  giveUp(requests: readonly Request[], expired: Request | undefined, unseen: boolean): void {
    this.#fates.giveUp(requests, expired, unseen);
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
    for (const each of this.lines) this.#dispatcher.unpark(each);
    this.dispatch();
    this.#vacated();
  }

  unopened(error: SocketError): void {
    this.#owner.news.unopened(this.address, error);
    if (this.lines.length === 0) this.#joining.refuse(error);
    this.#settleDown();
  }

  rested(): void {
    this.#warm();
    if (this.#joining.size > 0) this.dial();
    this.dispatch();
    this.#settleDown();
  }

  left(client: MuxClient): void {
    client.chain?.remove(client);
    client.line?.unclogged(client);
    this.#clients.delete(client);
    this.#vacated();
  }

  /** What becomes of connections when there is no client. */
  #vacated(): void {
    if (this.#clients.size > 0) return;
    // Nobody waits for the replies of those who have left.
    if (this.#leaving) for (const line of [...this.lines]) line.leave("unused");
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

  /** It is not wanted any more: its connections are closed when the last client has left. */
  close(): void {
    this.#leaving = true;
    this.#vacated();
  }

  /** Ends all at once. */
  abort(): void {
    this.#over = true;
    this.#dialling.stop();
    for (const line of [...this.lines, ...this.#closing]) line.abort("shutdown");
  }

  /** Opens another connection, unless there are enough or it has to wait. */
  dial(): boolean {
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

  #expired(request: Request): void {
    if (request.line) {
      request.line.expired(request);
      return;
    }
    this.counters.add(CELL.requestTimeouts, 1);
    request.client.settle(request, this.#fates.outcome(this.lines.length > 0 ? "timeout" : "unreachable", request));
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
