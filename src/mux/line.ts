/**
 * One connection to a target, shared by all clients: requests go out as they come, several at once if that is allowed,
 * and each reply goes back to who asked.
 */
import { CELL } from "../metrics/counters.ts";
import type { Chunk, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";
import { Batch } from "./batch.ts";
import { Chain } from "./chain.ts";
import type { MuxClient } from "./client.ts";
import { BadMessage, type ReplyReader, type ReplySink } from "./message.ts";
import type { LineEnd } from "./mux-events.ts";
import type { Request } from "./request.ts";
import type { Trunk } from "./trunk.ts";
import { type UnderWay, underWay } from "./under-way.ts";

/** Milliseconds that a target gets to close its side. */
const LINGER = 1_000;

/** Milliseconds after which a connection is no failure, even if nothing came over it. */
const LASTING = 1_000;

/** In the place of bytes: a reply is complete, and perhaps its client's connection as well. */
const DONE = Symbol("done");
const LAST = Symbol("last");

export class Line implements StreamEvents, ReplySink {
  /** Clients whose next request can go nowhere else, and has to wait. */
  readonly parked = new Chain<MuxClient>();
  readonly #trunk: Trunk;
  readonly #socket: StreamSocket;
  readonly #reader: ReplyReader;
  readonly #requests: UnderWay;
  readonly #batch: Batch;
  /** It takes no more until it is drained. */
  #blocked = false;
  #retired = false;
  /** The target has said that it looks at nothing more. */
  #spent = false;
  /** What was sent last may not be repeated. */
  #unsafe = false;
  #over = false;
  /** What was first said of its end. */
  #why: LineEnd | undefined;
  /** Whose replies wait; nothing more is read meanwhile. */
  #holder: MuxClient | undefined;
  /** What was read and has still to be delivered: on loan until `data` returns. */
  readonly #receivers: MuxClient[] = [];
  readonly #pieces: (Uint8Array | typeof DONE | typeof LAST)[] = [];
  readonly #openedAt: number;
  #usedAt: number;
  /** A reply has come over it, or it ends because we want it to. */
  #proven = false;
  #idle: Timer | undefined;
  #age: Timer | undefined;
  #closing: Timer | undefined;

  /** `age`: milliseconds after which it takes no more requests; 0: it never gets too old. */
  constructor(trunk: Trunk, socket: StreamSocket, age: number) {
    const { runtime, protocol, config } = trunk;
    this.#trunk = trunk;
    this.#socket = socket;
    this.#reader = protocol.replies(config);
    this.#requests = underWay(protocol.keys(config), trunk.random);
    this.#batch = new Batch((bytes) => this.#write(bytes));
    this.#usedAt = runtime.now();
    this.#openedAt = this.#usedAt;
    if (age > 0) this.#age = runtime.after(age, () => this.retire("max_age"));
    this.#watchIdle();
    socket.on(this);
    socket.resume();
  }

  /** How many requests are under way. */
  get load(): number {
    return this.#requests.length;
  }

  /** It was good for something: the next one may be opened at once. */
  get proven(): boolean {
    return this.#proven || this.#trunk.runtime.now() - this.#openedAt >= LASTING;
  }

  /** It takes another request. */
  get free(): boolean {
    const open = !this.#over && !this.#retired && !this.#spent;
    return open && !this.#blocked && this.load < this.#trunk.config.inFlight;
  }

  /** Whether a reply to this request could be told from all others, and no harm is done if the connection dies. */
  accepts(request: Request, bytes: Uint8Array): boolean {
    if (this.#trunk.protocol.cautious && this.load > 0 && (this.#unsafe || !request.idempotent)) return false;
    return this.#requests.accepts(bytes);
  }

  /** A reply to another request that is called the same may still come. */
  late(bytes: Uint8Array): boolean {
    return this.#requests.late(bytes);
  }

  /** Only if it is {@link free} and {@link accepts} it. `bytes`: on loan. */
  send(request: Request, bytes: Uint8Array): void {
    const { runtime, counters, config, protocol } = this.#trunk;
    const { client } = request;
    this.#usedAt = runtime.now();
    request.line = this;
    request.sentAt = this.#usedAt;
    request.tries++;
    client.line = this;
    client.inFlight++;
    counters.add(CELL.requestsInFlight, 1);
    counters.requestSent((this.#usedAt - request.queuedAt) / 1_000);
    const alone = this.load === 0;
    const again = request.idempotent && request.tries <= config.requestRetries;
    const kept = again || (protocol.announcesEnd && !alone && request.idempotent);
    this.#unsafe = !request.idempotent;
    request.bytes = kept ? (request.bytes ?? new Uint8Array(bytes)) : undefined;
    const sent = this.#requests.add(request, bytes);
    if (alone) this.#batch.through(sent);
    else this.#batch.add(sent);
  }

  /** No request is sent any more; it is closed when nothing is under way. */
  retire(why: LineEnd): void {
    this.#why ??= why;
    this.#retired = true;
    this.#proven = true;
    if (this.load === 0) this.#finish();
    else this.#trunk.unpark(this);
  }

  /** Closes it, and nobody waits for what is under way. */
  leave(why: LineEnd): void {
    this.#why ??= why;
    this.#proven = true;
    this.#finish();
  }

  /** Ends it at once. */
  abort(why: LineEnd): void {
    this.#why ??= why;
    this.#end();
    this.#socket.abort();
  }

  /** A request that is under way was not answered in time. */
  expired(request: Request): void {
    if (request === this.#requests.current && this.#goesOnWithout(request)) {
      this.#trunk.giveUpOne(request);
      this.unclogged(request.client);
      this.#trunk.extend(request);
      return;
    }
    if (request === this.#requests.current) {
      // Whatever comes next may be its reply, or that to another.
      this.#why ??= "request_timeout";
      // It has had its time: there is no need of a pause before the next one.
      this.#proven = true;
      this.#end(request);
      this.#socket.abort();
      return;
    }
    // Its turn is yet to come, or its key tells its reply from others.
    if (!this.#requests.forget(request)) {
      this.#trunk.extend(request);
      return;
    }
    this.#trunk.giveUpOne(request);
    if (this.#requests.worn) this.retire("request_timeout");
    this.#trunk.dispatch();
  }

  /**
   * The reply may still come in its turn: it is the client that does not take it, or the request has waited in the queue
   * for most of its time, and the target has not had that.
   */
  #goesOnWithout({ begun, clogged, givenUp, queuedAt, sentAt }: Request): boolean {
    if (!this.#requests.inOrder || givenUp) return false;
    return begun ? clogged : sentAt - queuedAt > this.#trunk.runtime.now() - sentAt;
  }

  /** A client that did not take its reply does now, or is gone. */
  unclogged(client: MuxClient): void {
    if (this.#holder !== client) return;
    this.#holder = undefined;
    if (!this.#over) this.#socket.resume();
  }

  data(chunk: Chunk): void {
    if (!this.#over) this.#read(chunk);
  }

  drain(): void {
    this.#blocked = false;
    this.#trunk.dispatch();
  }

  end(): void {
    if (this.#over) return;
    this.#why ??= "target_closed";
    this.#retired = true;
    this.#read(undefined);
    this.#finish();
  }

  close(): void {
    this.#closing?.cancel();
    this.#end();
    this.#trunk.closed(this);
  }

  get context(): unknown {
    return this.#requests.current?.context;
  }

  get unasked(): boolean {
    return this.#requests.inOrder && this.load === 0;
  }

  part(bytes: Uint8Array): void {
    const piece = this.#requests.match(bytes);
    const request = this.#requests.current;
    if (piece === "late") this.#trunk.counters.add(CELL.repliesDropped, 1);
    else if (piece === "unknown" || !request) this.#trunk.mismatched("a reply that nobody has asked for");
    else {
      request.begun = true;
      if (request.givenUp) return;
      this.#receivers.push(request.client);
      this.#pieces.push(piece);
    }
  }

  done(last: boolean, spent: boolean): void {
    if (spent) this.#why ??= "spent";
    this.#spent ||= spent;
    this.#proven = true;
    const request = this.#requests.shift();
    if (!request) return;
    this.#trunk.answered(request);
    // Nobody is told of it, but the connection is out of step if it does not come.
    if (this.#requests.current?.givenUp) this.#trunk.extend(this.#requests.current);
    if (request.givenUp) return;
    this.#receivers.push(request.client);
    this.#pieces.push(last ? LAST : DONE);
  }

  /** Undefined: the target's FIN. */
  #read(chunk: Chunk | undefined): void {
    let wrong: unknown;
    this.#trunk.hold();
    try {
      if (chunk) this.#reader.read(chunk, this);
      else this.#reader.end(this);
    } catch (thrown) {
      wrong = thrown;
    }
    // The next requests go before anybody is told of replies: the target has something to do meanwhile. But not before
    // all that was read has been looked at: a reply too many would be taken for theirs.
    if (wrong === undefined) this.#trunk.goOn();
    try {
      this.#deliver();
    } finally {
      if (wrong !== undefined) {
        this.#retired = true;
        this.#trunk.goOn();
      }
    }
    if (wrong instanceof BadMessage) {
      this.#trunk.mismatched(wrong.message);
      this.abort("mismatch");
    } else if (wrong !== undefined) throw wrong;
    else if (this.#spent || (this.#retired && this.load === 0)) this.#finish();
    else this.#goOnLater();
  }

  #deliver(): void {
    const [receivers, pieces] = [this.#receivers, this.#pieces];
    for (let at = 0; at < receivers.length; at++) {
      const receiver = receivers[at] as MuxClient;
      const piece = pieces[at];
      if (piece === DONE || piece === LAST) receiver.delivered(piece === LAST);
      else receiver.deliver(piece as Uint8Array);
    }
    receivers.length = 0;
    pieces.length = 0;
  }

  /** A reply of which some has come gets its time again, but nothing is read for a client that does not take it. */
  #goOnLater(): void {
    const request = this.#requests.inOrder ? this.#requests.current : undefined;
    if (this.#over || !request?.begun) return;
    const { client, givenUp } = request;
    request.clogged ||= client.clogged;
    // Who takes it too slowly for others that wait has no more time than that, however little of it he takes each time.
    if (!request.clogged || givenUp || (this.load === 1 && !this.#trunk.crowded)) this.#trunk.extend(request);
    if (givenUp || !client.clogged) return;
    this.#holder = request.client;
    this.#socket.pause();
  }

  #write(bytes: Uint8Array): void {
    if (!this.#over && !this.#socket.write(bytes)) this.#blocked = true;
  }

  /** Closes it, with nothing under way that could still be answered. */
  #finish(): void {
    if (this.#over) return;
    this.#end();
    this.#socket.end();
    this.#closing = this.#trunk.runtime.after(LINGER, () => this.#socket.abort());
  }

  /** `expired`: the request that was not answered in time. */
  #end(expired?: Request): void {
    if (this.#over) return;
    this.#over = true;
    this.#idle?.cancel();
    this.#age?.cancel();
    this.#trunk.removed(this, this.#why ?? "target_reset");
    this.#trunk.giveUp(this.#requests.drain(), expired, this.#spent);
    this.#trunk.unpark(this);
  }

  #watchIdle(): void {
    const { runtime, config } = this.#trunk;
    if (config.idle === 0) return;
    const left = this.load > 0 || !this.#trunk.spare ? config.idle : this.#usedAt + config.idle - runtime.now();
    this.#idle = runtime.after(Math.max(1, left), () => {
      if (this.load === 0 && runtime.now() - this.#usedAt >= config.idle && this.#trunk.spare) this.retire("idle");
      else this.#watchIdle();
    });
  }
}
