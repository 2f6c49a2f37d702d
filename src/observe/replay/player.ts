/**
 * Plays the client of one recorded session: sends what it sent, when it is time for it, and listens to the answers.
 * It is over when everything is sent, the answers have come as long as they were, and the target has finished as well.
 */
import { SocketError } from "../../net/errors.ts";
import type { Chunk, Runtime, StreamEvents, StreamSocket, Timer } from "../../net/runtime.ts";
import { Comparison } from "./comparison.ts";
import type { RecordedEvent, RecordedSession } from "./recording.ts";

/** How a session went, in bytes. */
export interface Played {
  readonly sent: number;
  readonly received: number;
  /** Bytes of the answers that were recorded. */
  readonly expected: number;
  /** The offset in the answers of the first byte that is not as recorded; undefined if there is none. */
  readonly difference: number | undefined;
  /** Why it could not be played to its end: `ECONNREFUSED`, `ECONNRESET`, `ETIMEDOUT` (the target said nothing), … */
  readonly error: SocketError | undefined;
}

export interface Pace {
  /** When the recording begins, by `Runtime.now`, to which its times are added. */
  readonly epoch: number;
  /** How many times as fast as recorded; 0: each next bytes at once when the answers before them have come. */
  readonly speed: number;
  /** Milliseconds for which the target may be silent while something is expected of it. */
  readonly timeout: number;
}

export class Player implements StreamEvents {
  /** When the socket is closed. */
  readonly played: Promise<Played>;
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #socket: StreamSocket;
  readonly #events: readonly RecordedEvent[];
  readonly #pace: Pace;
  readonly #answers: Comparison;
  /** The client's FIN was recorded. */
  readonly #ends: boolean;
  /** The next event. */
  #next = 0;
  /** Bytes of answers that were recorded before it. */
  #due = 0;
  #sent = 0;
  #blocked = false;
  #finished = false;
  /** The target has finished: no further answer comes. */
  #ended = false;
  #error: SocketError | undefined;
  #timer: Timer | undefined;
  #resolve: (played: Played) => void = () => {};

  /** `socket`: newly connected. */
  constructor(runtime: Pick<Runtime, "now" | "after">, session: RecordedSession, socket: StreamSocket, pace: Pace) {
    this.#runtime = runtime;
    this.#socket = socket;
    this.#events = session.events;
    this.#pace = pace;
    this.#answers = new Comparison(session);
    this.#ends = session.events.some((event) => event.kind === "end" && event.direction === "upstream");
    this.played = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    socket.on(this);
    socket.resume();
    this.#proceed();
  }

  data(chunk: Chunk): void {
    this.#answers.take(chunk);
    this.#proceed();
  }

  drain(): void {
    this.#blocked = false;
    this.#proceed();
  }

  end(): void {
    this.#ended = true;
    this.#proceed();
  }

  close(error?: SocketError): void {
    this.#timer?.cancel();
    if (error && !this.#complete) this.#error ??= error;
    const { received, expected, difference } = this.#answers;
    this.#resolve({ sent: this.#sent, received, expected, difference, error: this.#error });
  }

  /** Does what can be done now, and sees to it that there will be a next time. */
  #proceed(): void {
    this.#timer?.cancel();
    let wait: number | undefined;
    while (!this.#blocked && this.#next < this.#events.length) {
      const event = this.#events[this.#next] as RecordedEvent;
      wait = this.#wait(event);
      if (wait !== 0) break;
      this.#next++;
      this.#play(event);
    }
    if (!this.#blocked && this.#next === this.#events.length) this.#finish();
    if (wait) this.#timer = this.#after(wait, () => this.#proceed());
    else this.#bePatient();
  }

  /** Milliseconds until it is time for an event; undefined if that depends on the target. */
  #wait(event: RecordedEvent): number | undefined {
    // What the target did is nothing to wait for, except where something of ours follows it.
    if (event.kind !== "reset" && event.direction === "downstream") return 0;
    const { epoch, speed } = this.#pace;
    if (speed === 0) return this.#has(this.#due) ? 0 : undefined;
    return Math.max(0, epoch + event.at / speed - this.#runtime.now());
  }

  #play(event: RecordedEvent): void {
    if (event.kind === "reset") {
      this.#finished = true;
      this.#socket.abort();
    } else if (event.direction === "downstream") {
      this.#due = event.offset + (event.kind === "data" ? event.bytes.length : 0);
    } else if (event.kind === "end") {
      this.#finish();
    } else {
      this.#sent += event.bytes.length;
      this.#blocked = !this.#socket.write(event.bytes);
    }
  }

  /** Nothing more is sent. */
  #finish(): void {
    if (this.#finished) return;
    // Where no FIN of the client was recorded, it or the recording was cut off: the answers come first.
    if (!this.#ends && !this.#has(this.#answers.expected)) return;
    this.#finished = true;
    this.#socket.end();
  }

  /** The answers have come so far, or never will. */
  #has(bytes: number): boolean {
    return this.#ended || this.#answers.received >= bytes;
  }

  /** All that was recorded has happened. */
  get #complete(): boolean {
    return this.#finished && this.#answers.received >= this.#answers.expected;
  }

  #bePatient(): void {
    const pending = this.#pending;
    this.#timer = this.#after(this.#pace.timeout, () => {
      // A target that takes what was sent, however slowly, is not silent.
      if (this.#pending < pending) this.#bePatient();
      else this.#giveUp();
    });
  }

  /** Bytes that the target has not taken yet, as far as that is known. */
  get #pending(): number {
    return this.#socket.buffered + (this.#socket.unacknowledged() ?? 0);
  }

  /** The target has been silent for too long. */
  #giveUp(): void {
    if (!this.#complete) this.#error = new SocketError("ETIMEDOUT");
    this.#socket.abort();
  }

  #after(ms: number, run: () => void): Timer {
    return this.#runtime.after(Math.min(ms, LONGEST), run);
  }
}

/** Timers count in 31 bits of milliseconds. */
const LONGEST = 2_147_483_647;
