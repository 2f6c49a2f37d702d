/**
 * What one observer gets of one session. As long as it keeps up, bytes go straight to its socket; what does not fit there
 * waits in a ring, and what does not fit in there is dealt with as the configuration says. The session waits for nobody
 * unless that is `block`.
 *
 *     offer ──► socket                                  it keeps up
 *     offer ──► ring ──(tick)─────────────► socket      it keeps up, and small reads come one soon after the other
 *     offer ──► ring ──(opened, drained)──► socket      it does not, or has still to be connected
 */
import type { Direction } from "../filter/step.ts";
import type { Reason } from "../metrics/reason.ts";
import type { Chunk, Runtime, StreamSocket } from "../net/runtime.ts";
import { Contact, type ContactOwner, type Sent } from "./contact.ts";
import { Courses } from "./courses.ts";
import { type FrameBench, FrameWriter, type SessionInfo } from "./framed.ts";
import { GATHERED, type Gatherer, type Gathering } from "./gathering.ts";
import { Linger } from "./linger.ts";
import type { ObserverConfig } from "./observer-config.ts";
import { OBSERVER_CELL, type ObserverCounters } from "./observer-counters.ts";
import { Ring } from "./ring.ts";
import type { Destination, SinkError } from "./sink.ts";

const NOTHING = new Uint8Array(0);

/** The observer, as all its feeds in one thread see it. */
export interface FeedOwner {
  readonly runtime: Pick<Runtime, "now" | "after" | "wallClock">;
  readonly config: ObserverConfig;
  readonly counters: ObserverCounters;
  readonly destination: Destination;
  readonly bench: FrameBench;
  readonly gathering: Gathering;
  reachable(): void;
  unreachable(error: SinkError): void;
  /** The first read of a session was skipped. */
  behind(session: number): void;
  /** It was full, and is cut off from this session. */
  disconnected(session: number): void;
  /** Nothing is left of this feed. */
  ended(feed: Feed): void;
}

/** "gone": the observer is lost for the rest of this session; "done": it has got what there was for it. */
export type FeedState = "connecting" | "open" | "waiting" | "gone" | "done";

export class Feed implements ContactOwner, Gatherer {
  readonly #owner: FeedOwner;
  readonly #counters: ObserverCounters;
  readonly #session: number;
  /** Called when {@link full} has become false again; never from inside of {@link offer}. */
  readonly #released: () => void;
  readonly #framed: boolean;
  readonly #courses: Courses;
  readonly #ring: Ring;
  readonly #contact: Contact;
  /** Bytes of a read that are kept together. */
  readonly #piece: number;
  /** Bytes of small reads that are gathered at most; 0: none, each is to go by itself. */
  readonly #most: number;
  /** The last read went a moment ago: small ones that follow wait for the next tick. */
  #gathers = false;
  /** Somebody was told that we are full. */
  #holding = false;
  #skipped = false;
  /** The last read did not fit, and nothing has gone since. */
  #missing = false;
  #ending = false;
  #end: "gone" | "done" | undefined;
  #linger: Linger | undefined;

  constructor(owner: FeedOwner, session: SessionInfo, released: () => void) {
    const { config, counters, destination, runtime } = owner;
    this.#owner = owner;
    this.#counters = counters;
    this.#session = session.id;
    this.#released = released;
    this.#framed = config.format === "framed";
    const frames = this.#framed ? new FrameWriter(session, () => runtime.wallClock()) : undefined;
    this.#piece = destination.piece - (frames?.longest ?? 0);
    this.#most = this.#framed || !destination.isStream ? 0 : Math.min(GATHERED.most, config.buffer - 1);
    this.#courses = new Courses(frames, counters);
    this.#ring = new Ring(config.buffer, this.#framed || !destination.isStream);
    this.#contact = new Contact(runtime, destination, session.id, counters, this);
    this.#contact.open();
  }

  get state(): FeedState {
    const { state } = this.#contact;
    return this.#end ?? (state === "over" ? "gone" : state);
  }

  /** The session has to wait for it. */
  get full(): boolean {
    return this.#owner.config.whenFull === "block" && !this.#end && this.#ring.full;
  }

  /** Bytes of memory that it takes for what waits. */
  get size(): number {
    return this.#ring.size;
  }

  /** The socket to which whoever moves bytes in the kernel may copy them past us: nothing waits and nothing is added. */
  get direct(): StreamSocket | undefined {
    const stream = this.#framed || this.#ending || this.#ring.used > 0 ? undefined : this.#contact.stream;
    return stream?.buffered === 0 ? stream : undefined;
  }

  /** So many bytes went to {@link direct} past us. */
  sent(direction: Direction, bytes: number): void {
    this.#contact.sent();
    this.#courses.taken(direction, bytes);
    this.#counters.add(OBSERVER_CELL.bytes, bytes);
  }

  /** It would skip the next read, as it did with the last: nobody need show it. */
  get deaf(): boolean {
    return this.#end !== undefined || this.#missing;
  }

  /** So many bytes went past it. */
  missed(direction: Direction, bytes: number): void {
    this.#skip(direction, bytes);
  }

  /** A read, on loan. False: it is full, and there is to be no more until it is released; it takes this one all the same. */
  offer(direction: Direction, chunk: Chunk): boolean {
    const piece = this.#piece;
    for (let at = 0; at < chunk.length; at += piece) {
      this.#put(direction, chunk.length <= piece ? chunk : chunk.subarray(at, at + piece));
    }
    if (!this.full) return true;
    this.#holding = true;
    return false;
  }

  /** The FIN of a direction. */
  finished(direction: Direction): void {
    this.#say(this.#courses.end(direction));
  }

  /** The session is over: what waits is sent, and then the FIN. */
  end(reason: Reason): void {
    if (this.#ending || this.#end) return;
    for (const line of this.#courses.close(reason)) this.#say(line);
    this.#ending = true;
    this.#send();
    if (this.#finish()) return;
    const left = () => this.#ring.used + this.#contact.underway;
    this.#linger = new Linger(this.#owner.runtime, left, () => this.cut());
  }

  /** Ends it at once; what waits is lost. */
  cut(): void {
    if (this.#end) return;
    const { underway } = this.#contact;
    this.#contact.close();
    this.#over("gone", underway);
  }

  opened(): void {
    this.#owner.reachable();
    this.#pump();
  }

  unopened(error: SinkError): void {
    this.#owner.unreachable(error);
  }

  drained(): void {
    this.#pump();
  }

  broke(): boolean {
    if (!this.#ending || this.#ring.used > 0) return true;
    this.#over("done");
    return false;
  }

  gone(): void {
    this.#over("gone");
  }

  flush(): boolean {
    if (this.#ring.used > 0) {
      this.#pump();
      return this.#gathers;
    }
    this.#gathers = false;
    this.#ring.keep(false);
    return false;
  }

  #put(direction: Direction, piece: Chunk): void {
    if (this.#end || this.#ending) {
      this.#courses.lost(direction, piece.length);
      return;
    }
    const { length } = piece;
    const line = this.#courses.line(direction, length);
    const sent = this.#gather(length) ? "not" : this.#write(line, piece);
    if (sent === "sent" || (sent === "not" && this.#keep(line, piece))) this.#courses.taken(direction, length);
    else this.#skip(direction, length);
  }

  /** Whether so many bytes wait for the next tick. If not, what was gathered goes before them. */
  #gather(length: number): boolean {
    if (this.#gathers) {
      if (length < GATHERED.read && this.#ring.used + length <= this.#most) return true;
      this.#send();
    } else if (length <= this.#most && length < GATHERED.read && this.#contact.state === "open") {
      this.#gathers = true;
      this.#ring.keep(true);
      this.#owner.gathering.join(this);
    }
    return false;
  }

  /** Sends it now. Nothing can be before it: as long as something waits there is no connection, or it is full. */
  #write(line: Uint8Array, body: Chunk): Sent {
    const sent = this.#contact.write(this.#framed ? this.#owner.bench.join(line, body) : body);
    if (sent === "sent") this.#counters.add(OBSERVER_CELL.bytes, body.length);
    return sent;
  }

  #keep(line: Uint8Array, body: Chunk): boolean {
    // A write that failed may have been the last.
    if (this.#end) return false;
    if (this.#owner.config.whenFull !== "block" && !this.#ring.fits(line.length + body.length)) return false;
    this.#ring.add(line, body);
    this.#counters.add(OBSERVER_CELL.waiting, body.length);
    return true;
  }

  #skip(direction: Direction, length: number): void {
    this.#courses.lost(direction, length);
    if (this.#end) return;
    if (this.#owner.config.whenFull === "disconnect") {
      this.#counters.add(OBSERVER_CELL.disconnects, 1);
      this.cut();
      this.#owner.disconnected(this.#session);
      return;
    }
    if (!this.#skipped) this.#owner.behind(this.#session);
    this.#skipped = true;
    this.#missing = true;
  }

  /** A line without bytes: there are few of them, and a ring that is full takes them all the same. */
  #say(line: Uint8Array): void {
    if (line.length === 0 || this.#ending || this.#write(line, NOTHING) !== "not" || this.#end) return;
    this.#ring.add(line, NOTHING);
  }

  /** Sends what waits. */
  #pump(): void {
    this.#send();
    this.#release();
    if (this.#ending) this.#finish();
  }

  /** Sends as much of it as can be taken. */
  #send(): void {
    this.#missing = false;
    for (let next = this.#ring.next(); next; next = this.#ring.next()) {
      const sent = this.#contact.write(next);
      if (sent === "not") break;
      const payload = this.#ring.shift();
      this.#counters.add(OBSERVER_CELL.waiting, -payload);
      this.#counters.add(sent === "sent" ? OBSERVER_CELL.bytes : OBSERVER_CELL.lost, payload);
      if (sent === "lost") this.#counters.add(OBSERVER_CELL.gaps, 1);
    }
  }

  #release(): void {
    if (!this.#holding || this.full) return;
    this.#holding = false;
    this.#released();
  }

  /** Ends the connection behind all that was sent, if nothing is left. True: all is over. */
  #finish(): boolean {
    if (this.#end) return true;
    if (this.#ring.used > 0) return false;
    // Who has still to be reached, and has nothing to get, need not be.
    if (this.#contact.state !== "open") this.#contact.close();
    else if (!this.#contact.finish()) return false;
    this.#over("done");
    return true;
  }

  /** `underway`: bytes that were sent, and are lost perhaps. */
  #over(end: "gone" | "done", underway = 0): void {
    if (this.#end) return;
    this.#linger?.stop();
    this.#gathers = false;
    this.#owner.gathering.leave(this);
    const left = this.#ring.clear();
    this.#ring.keep(false);
    this.#end = end;
    if (left + underway > 0) this.#counters.add(OBSERVER_CELL.gaps, 1);
    this.#counters.add(OBSERVER_CELL.waiting, -left);
    this.#counters.add(OBSERVER_CELL.lost, left);
    this.#owner.ended(this);
    this.#release();
  }
}
