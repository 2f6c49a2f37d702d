/** One session's way to one observer: connects, and connects again after pauses, until it is no use. */
import type { Chunk, Runtime, StreamSocket, Timer } from "../net/runtime.ts";
import { OBSERVER_CELL, type ObserverCounters } from "./observer-counters.ts";
import type { Destination, Sink, SinkError, SinkOwner } from "./sink.ts";

/** Milliseconds before the next attempt: doubled each time, up to the most. */
const PAUSE = 100;
const PAUSE_MAX = 5_000;
/** Failures in a row after which there is no further attempt. */
const ATTEMPTS = 10;
/** A connection that breaks before so many milliseconds have passed is one failure more. */
const LASTING = 1_000;

/** What has become of bytes. */
export type Sent = "sent" | "lost" | "not";

export interface ContactOwner {
  opened(): void;
  /** It could not be opened. */
  unopened(error: SinkError): void;
  /** There is room again. */
  drained(): void;
  /** What was open is over. False: it need not be opened again. */
  broke(): boolean;
  /** There will be no further attempt. */
  gone(): void;
}

export class Contact implements SinkOwner {
  state: "connecting" | "open" | "waiting" | "over" = "waiting";
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #destination: Destination;
  readonly #session: number;
  readonly #counters: ObserverCounters;
  readonly #owner: ContactOwner;
  #sink: Sink | undefined;
  /** The sink wants no more until it is drained. */
  #full = false;
  /** Something was sent over the connection that is open. */
  #sent = false;
  #openedAt = 0;
  #failures = 0;
  #giveUp: (() => void) | undefined;
  #pause: Timer | undefined;

  constructor(
    runtime: Pick<Runtime, "now" | "after">,
    destination: Destination,
    session: number,
    counters: ObserverCounters,
    owner: ContactOwner,
  ) {
    this.#runtime = runtime;
    this.#destination = destination;
    this.#session = session;
    this.#counters = counters;
    this.#owner = owner;
  }

  /** Attempts to connect, now. */
  open(): void {
    this.state = "connecting";
    const giveUp = this.#destination.open(this, this.#session);
    if (this.state === "connecting") this.#giveUp = giveUp;
  }

  /** Sends all of `bytes`. "not": it is not open, or full, or has failed now and `broke` was told. */
  write(bytes: Chunk): Sent {
    if (!this.#sink || this.#full) return "not";
    const taken = this.#sink.write(bytes);
    if (taken === "failed") return "not";
    if (taken === "lost") return "lost";
    this.#full = taken === "full";
    this.#sent = true;
    return "sent";
  }

  /** What is behind it and has room, if it is a stream. */
  get stream(): StreamSocket | undefined {
    return this.#full ? undefined : this.#sink?.stream;
  }

  /** Something was sent over {@link stream}. */
  sent(): void {
    this.#sent = true;
  }

  /** Bytes taken that may not have arrived. */
  get underway(): number {
    return this.#sink?.underway ?? 0;
  }

  /** The last write is followed by the end. True: it is over with that; false: `broke` tells. */
  finish(): boolean {
    if (!this.#sink?.finish()) return false;
    this.#end();
    return true;
  }

  /** Ends it at once, whatever it is doing; the owner is not told. */
  close(): void {
    this.#sink?.cut();
    this.#giveUp?.();
    this.#end();
  }

  opened(sink: Sink): void {
    this.state = "open";
    this.#sink = sink;
    this.#full = false;
    this.#sent = false;
    this.#giveUp = undefined;
    this.#openedAt = this.#runtime.now();
    this.#counters.add(OBSERVER_CELL.connections, 1);
    this.#owner.opened();
  }

  failed(error: SinkError): void {
    this.#giveUp = undefined;
    this.#counters.add(OBSERVER_CELL.connectFailures, 1);
    this.#owner.unopened(error);
    this.#again();
  }

  drained(): void {
    this.#full = false;
    this.#owner.drained();
  }

  closed(error: SinkError | undefined): void {
    this.#left();
    // What was on its way has arrived or not.
    if (error && this.#sent) this.#counters.add(OBSERVER_CELL.gaps, 1);
    if (this.#runtime.now() - this.#openedAt >= LASTING) this.#failures = 0;
    if (this.#owner.broke()) this.#again();
    else this.#end();
  }

  #again(): void {
    this.#failures++;
    if (this.#failures >= ATTEMPTS) {
      this.#end();
      this.#owner.gone();
      return;
    }
    this.state = "waiting";
    this.#pause = this.#runtime.after(Math.min(PAUSE * 2 ** (this.#failures - 1), PAUSE_MAX), () => this.open());
  }

  #end(): void {
    this.state = "over";
    this.#pause?.cancel();
    this.#left();
  }

  #left(): void {
    if (this.#sink) this.#counters.add(OBSERVER_CELL.connections, -1);
    this.#sink = undefined;
  }
}
