/**
 * A client of the multiplexer. To its session it is the socket of a target: what is written to it is cut into requests,
 * and what comes from it are the replies, in the order of the requests, or in any where keys match them.
 *
 *     session ──write──► reader ──► queue ──► a line of the trunk
 *     session ◄──data─── replies ◄──────────── its reply
 */
import type { Reason } from "../metrics/reason.ts";
import type { Address } from "../net/address.ts";
import { SocketError } from "../net/errors.ts";
import type { Chunk, StreamEvents, StreamSocket, Timer } from "../net/runtime.ts";
import type { Link } from "./chain.ts";
import type { Line } from "./line.ts";
import { BadMessage, type RequestMessage, type RequestReader, type RequestSink } from "./message.ts";
import type { Outcome } from "./outcome.ts";
import { Replies } from "./replies.ts";
import { Request } from "./request.ts";
import { RequestQueue } from "./request-queue.ts";
import type { Trunk } from "./trunk.ts";

/** The session behind a client. */
export interface ClientOwner {
  /** Whole ones that it has sent, those included that are answered here. */
  requests: number;
  /** Ends it behind what it got. */
  finish(reason: Reason, rule: string): unknown;
  /** Ends it at once. */
  cut(reason: Reason, rule: string): void;
  /** A bug has shown itself. */
  failed(cause: unknown): void;
}

const SOON = Promise.resolve();
const FLOODED = "the client does not take its replies, and too many bytes wait for such clients";

export class MuxClient implements StreamSocket, RequestSink, Link<MuxClient> {
  readonly local: Address;
  readonly remote: Address;
  /** Where its requests are under way; all on one, so that replies keep their order. */
  line: Line | undefined;
  /** How many of them. */
  inFlight = 0;
  /** Replies that were read and are still to be delivered. */
  #due = 0;
  /** It waits for its turn, in the trunk's list or in that of a line. */
  chain: Link<MuxClient>["chain"];
  before: MuxClient | undefined;
  after: MuxClient | undefined;
  /** Nothing of it is under way or wanted any more. */
  gone = false;
  readonly #trunk: Trunk;
  readonly #owner: ClientOwner;
  readonly #reader: RequestReader;
  readonly #stranded: boolean;
  readonly #replies: Replies;
  /** What is to be sent, or answered here, in order. */
  readonly #queue = new RequestQueue(() => this.#trunk.counters);
  /** `write` has returned false. */
  #full = false;
  /** Nothing more of it is read as a request. */
  #deaf = false;
  /** It has sent its FIN. */
  #ended = false;
  #incomplete: Timer | undefined;
  /** There is something to be done as soon as nobody above is inside of one of our methods. */
  #soon = false;

  /** `stranded`: there is no connection, and it is told so as long as that holds. */
  constructor(trunk: Trunk, owner: ClientOwner, stranded: boolean) {
    this.#trunk = trunk;
    this.#stranded = stranded;
    this.#owner = owner;
    this.local = trunk.address;
    this.remote = trunk.address;
    this.#reader = trunk.protocol.requests(trunk.config);
    this.#replies = new Replies(
      () => this.#leave(),
      (bytes) => trunk.keeps(bytes),
    );
  }

  /**
   * Once it is over, bytes that never went to the target. Before, nobody is to wait for them: what a client has asked for
   * that has been reset is not asked any more.
   */
  get buffered(): number {
    return this.gone ? this.#queue.bytes + this.#reader.waiting : 0;
  }

  /** The next request, if it is one for the target. */
  get next(): Request | undefined {
    const { first } = this.#queue;
    return first?.outcome ? undefined : first;
  }

  /** The next request may be sent: it is one for the target, and not too many are under way. */
  get ready(): boolean {
    const { config } = this.#trunk;
    return this.next !== undefined && this.mayAsk(config.inFlightPerClient || config.inFlight);
  }

  /** Another request may be under way, of so many at most. */
  mayAsk(most: number): boolean {
    return this.inFlight < most && !this.clogged && !this.gone;
  }

  /** It does not take what it has asked for. */
  get clogged(): boolean {
    return this.#replies.waiting >= this.#trunk.buffer;
  }

  on(events: StreamEvents): void {
    this.#replies.events = events;
  }

  write(chunk: Chunk): boolean {
    if (this.#deaf || this.#ended || this.gone) return true;
    try {
      this.#reader.read(chunk, this);
    } catch (thrown) {
      if (!(thrown instanceof BadMessage)) throw thrown;
      this.#refuse(thrown);
    }
    this.#watch();
    this.#full = this.#overfull(1);
    return !this.#full;
  }

  end(): void {
    this.#ended = true;
    this.#incomplete?.cancel();
    this.#later();
  }

  abort(): void {
    this.#leave();
    this.#later();
  }

  pause(): void {
    this.#replies.paused = true;
  }

  resume(): void {
    this.#replies.paused = false;
    if (this.#replies.waiting > 0) this.#later();
  }

  unacknowledged(): number {
    return 0;
  }

  request(message: RequestMessage): void {
    if (this.#deaf) return;
    this.#whole(message.last);
    const trunk = this.#trunk;
    const request = new Request(this, trunk.runtime.now(), message);
    trunk.accepted(request);
    if (this.#queue.length === 0 && trunk.sendNow(this, request, message.bytes)) return;
    request.bytes = new Uint8Array(message.bytes);
    request.outcome = this.#stranded ? trunk.apology(request) : undefined;
    this.#queue.push(request);
    if (request.outcome) this.#later();
    trunk.enlist(this);
  }

  answer(bytes: Uint8Array, last: boolean): void {
    if (this.#deaf) return;
    this.#whole(last);
    this.#respond({ bytes: new Uint8Array(bytes), last });
  }

  interim(bytes: Uint8Array): void {
    if (!this.#deaf) this.#respond({ bytes: new Uint8Array(bytes), last: false });
  }

  /** The next of its requests, which is sent at once. */
  take(): Request | undefined {
    const request = this.#queue.shift();
    if (this.#full && !this.#overfull(2)) this.#later();
    return request;
  }

  /** Requests that were under way come back, in their order: to be sent again, or with what has become of them. */
  takeBack(requests: readonly Request[]): void {
    this.inFlight -= requests.length;
    if (this.inFlight === 0) this.line = undefined;
    if (this.gone || this.#replies.ending) {
      for (const request of requests) this.#trunk.forgotten(request);
      return;
    }
    this.#queue.unshift(requests);
    this.#trunk.enlist(this);
    this.#later();
  }

  /** One of its requests has got its reply, which is still to be delivered. */
  replied(): void {
    this.#due++;
    this.inFlight--;
    if (this.inFlight === 0) this.line = undefined;
    this.#trunk.enlist(this);
  }

  /** One of its requests that were under way, of those that count here the first, gets this in the place of a reply. */
  fail(outcome: Outcome): void {
    this.replied();
    this.#due--;
    if (!this.gone) this.#conclude(outcome);
    this.#advance();
  }

  /** What has become of a request that waits in its queue. */
  settle(request: Request, outcome: Outcome): void {
    request.outcome = outcome;
    this.#later();
  }

  /** A piece of a reply, on loan. */
  deliver(bytes: Uint8Array): void {
    this.#replies.data(bytes);
    if (this.clogged && this.#trunk.flooded) this.#breakOff("request_timeout", FLOODED);
  }

  /** A reply is complete. */
  delivered(last: boolean): void {
    this.#due--;
    if (last) this.#finish();
    this.#advance();
  }

  #overfull(divisor: number): boolean {
    const { config, buffer } = this.#trunk;
    return this.#queue.length >= config.queuePerClient / divisor || this.#queue.bytes >= buffer / divisor;
  }

  /** A message is complete. */
  #whole(last: boolean): void {
    this.#owner.requests++;
    this.#deaf = last;
    this.#incomplete?.cancel();
    this.#incomplete = undefined;
  }

  #respond(outcome: Outcome): void {
    const request = new Request(this, this.#trunk.runtime.now());
    request.outcome = outcome;
    this.#queue.push(request);
    this.#later();
  }

  #refuse({ message, reply }: BadMessage): void {
    this.#deaf = true;
    this.#trunk.refused(message);
    this.#respond({ bytes: reply, last: true, reason: "bad_message", rule: message });
  }

  /** Gives a message that has begun its time. */
  #watch(): void {
    const { messageTimeout } = this.#trunk.config;
    if (this.#incomplete || messageTimeout === 0 || this.#deaf || this.#reader.waiting === 0) return;
    this.#incomplete = this.#trunk.runtime.after(messageTimeout, () => {
      this.#incomplete = undefined;
      if (this.#deaf || this.gone) return;
      // What is not read is not late.
      if (this.#full) this.#watch();
      else this.#refuse(this.#trunk.tooSlow());
    });
  }

  /** Answers what stands first in the queue and is not for the target, as soon as nothing before it is under way. */
  #advance(): void {
    while (!this.gone && this.inFlight + this.#due === 0) {
      const outcome = this.#queue.first?.outcome;
      if (!outcome || (this.clogged && !outcome.reset)) break;
      this.take();
      this.#conclude(outcome);
    }
    this.#trunk.enlist(this);
    if (this.#ended && this.#queue.length === 0 && this.inFlight + this.#due === 0) this.#finish();
  }

  #conclude({ bytes, last, reason, rule = "", reset }: Outcome): void {
    if (reset) {
      this.#breakOff(reason, rule);
      return;
    }
    if (bytes) this.#replies.data(bytes);
    if (last) this.#finish(reason && (() => this.#owner.finish(reason, rule)));
  }

  /** Ends it as a target does that breaks off, behind the replies that it has still to take, or for a reason. */
  #breakOff(reason: Reason | undefined, rule: string): void {
    this.#deaf = true;
    this.#drop();
    if (reason) this.#owner.cut(reason, rule);
    else this.#replies.breakOff(new SocketError("ECONNRESET"));
  }

  /** Nothing follows what was delivered; what it has asked for as well is not sent any more. */
  #finish(told?: () => void): void {
    this.#deaf = true;
    this.#drop();
    this.#replies.end(told);
    if (this.#ended || this.#full) this.#later();
  }

  #later(): void {
    if (this.#soon) return;
    this.#soon = true;
    void SOON.then(() => {
      this.#soon = false;
      try {
        this.#catchUp();
      } catch (cause) {
        this.#owner.failed(cause);
      }
    });
  }

  #catchUp(): void {
    if (!this.gone) {
      const { clogged } = this;
      this.#replies.flush();
      if (clogged && !this.clogged) this.line?.unclogged(this);
      if (this.#full && (this.#deaf || !this.#overfull(2))) {
        this.#full = false;
        this.#replies.drain();
      }
      this.#advance();
      if (!this.#ended || !this.#replies.ended) return;
      this.#leave();
    }
    this.#replies.close();
  }

  #leave(): void {
    if (this.gone) return;
    this.gone = true;
    this.#incomplete?.cancel();
    this.#replies.mute();
    this.#drop();
    this.#trunk.left(this);
  }

  /** Forgets what waits; its bytes stay visible in {@link buffered}. */
  #drop(): void {
    for (const request of this.#queue.drop()) this.#trunk.forgotten(request);
  }
}
