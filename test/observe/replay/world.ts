/** A replay on a simulated network, in virtual time, and targets that play the other side of a recording. */
import type { Direction } from "../../../src/filter/step.ts";
import type { Chunk, StreamEvents, StreamSocket } from "../../../src/net/runtime.ts";
import {
  type RecordedSession,
  type Recording,
  recordingOf,
  SessionBuilder,
} from "../../../src/observe/replay/recording.ts";
import { type ReplayOptions, type ReplayReport, replay } from "../../../src/observe/replay/replay.ts";
import { Random } from "../../peers/random.ts";
import { Clock } from "../../sim/clock.ts";
import { Network } from "../../sim/network.ts";
import { EASY, Process } from "../../sim/process.ts";
import { runtimeOf } from "../../sim/runtime.ts";

/** Segments of 1,000 bytes, so that chunks come in other pieces than they were sent in. */
const WEATHER = { latency: 1, segment: 1_000, sendBuffer: 20_000, receiveBuffer: 20_000, resetOvertakes: false };
const TARGET = { kind: "tcp", host: "10.0.0.1", port: 80 } as const;
const LISTEN = { noDelay: true, keepAlive: 0, buffer: 65_536, backlog: 511 };

/** Milliseconds that a target takes for its answer. */
export const THINKING = 20;

/** One connection as the target saw it. */
class Seen implements StreamEvents {
  readonly openedAt: number;
  /** When bytes came, and how many there were by then. */
  readonly arrivals: (readonly [at: number, bytes: number])[] = [];
  bytes: number[] = [];
  ended = false;
  endedAt = 0;
  /** Undefined: not closed yet. */
  closed: string | undefined;
  readonly socket: StreamSocket;
  readonly #clock: Clock;
  readonly #script: RecordedSession | undefined;
  readonly #resets: boolean;
  #next = 0;

  /**
   * `script`: whose answers it gives, each when what came before it has come; without one it says nothing. `resets`: a
   * reset in it is the target's own.
   */
  constructor(clock: Clock, socket: StreamSocket, script: RecordedSession | undefined, resets: boolean) {
    this.openedAt = clock.now;
    this.socket = socket;
    this.#clock = clock;
    this.#script = script;
    this.#resets = resets;
    socket.on(this);
    socket.resume();
    this.#answer();
  }

  data(chunk: Chunk): void {
    this.bytes.push(...chunk);
    this.arrivals.push([this.#clock.now, this.bytes.length]);
    this.#clock.after(THINKING, () => this.#answer());
  }

  drain(): void {}

  end(): void {
    this.ended = true;
    this.endedAt = this.#clock.now;
    this.#answer();
  }

  close(error?: { readonly code: string }): void {
    this.closed = error?.code ?? "";
  }

  #answer(): void {
    const events = this.#script?.events ?? [];
    for (; this.#next < events.length; this.#next++) {
      const event = events[this.#next];
      if (event?.kind === "reset" && this.#resets) this.socket.abort();
      if (!event || event.kind === "reset") return;
      if (event.direction === "downstream") {
        if (event.kind === "data") this.socket.write(event.bytes);
        else this.socket.end();
      } else if (event.kind === "data" ? this.bytes.length < event.offset + event.bytes.length : !this.ended) return;
    }
    if (this.ended) this.socket.end();
  }
}

export interface Replayed extends ReplayReport {
  readonly seen: readonly Seen[];
  /** Milliseconds of virtual time. */
  readonly took: number;
}

/** Replays `recording` to a target that answers as `answers` says; null: nobody listens. */
export async function replayed(
  recording: Recording,
  options: Partial<ReplayOptions> = {},
  answers: Recording | null = recording,
): Promise<Replayed> {
  const random = new Random(7);
  const clock = new Clock(random);
  const network = new Network(clock, random, () => WEATHER);
  if (answers === null) network.fate = () => "ECONNREFUSED";
  const seen: Seen[] = [];
  const server = runtimeOf(network, new Process("target", clock, random, EASY));
  await server.listen(TARGET, LISTEN, (socket) => {
    seen.push(new Seen(clock, socket, answers?.sessions[seen.length], answers !== recording));
  });
  const client = runtimeOf(network, new Process("replay", clock, random, EASY));
  let outcome: { readonly report: ReplayReport } | { readonly error: unknown } | undefined;
  replay(client, recording, TARGET, { speed: 0, timeout: 1_000, ...options }).then(
    (report) => {
      outcome = { report };
    },
    (error) => {
      outcome = { error };
    },
  );
  await clock.run(() => outcome !== undefined, Number.POSITIVE_INFINITY);
  if (!outcome) throw new Error("the replay waits for something that never comes");
  if ("error" in outcome) throw outcome.error;
  const took = clock.now;
  // What is on its way arrives.
  await clock.run(() => false, clock.now + 100);
  return { ...outcome.report, seen, took };
}

/** What happens in a session: bytes one way or the other, a FIN, a reset of the client; each at a time. */
export type Act =
  | readonly [at: number, direction: Direction, what: string | Uint8Array | "FIN"]
  | readonly [at: number, "reset"];

/** A recording of sessions in which this happens; FIN is written as it is here. */
export function recorded(...sessions: readonly (readonly Act[])[]): Recording {
  const builders = sessions.map((acts, index) => {
    const builder = new SessionBuilder(String(index), `10.0.0.9:${5_000 + index}`, acts[0]?.[0] ?? 0);
    const position = { upstream: 0, downstream: 0 };
    for (const [at, direction, what] of acts) {
      if (direction === "reset") builder.close(at, true);
      else if (what === "FIN") builder.end(direction, position[direction], at);
      else {
        const bytes = typeof what === "string" ? new TextEncoder().encode(what) : what;
        builder.data(direction, position[direction], bytes, at);
        position[direction] += bytes.length;
      }
    }
    return builder;
  });
  return recordingOf(builders, []);
}

export const text = (bytes: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(bytes));
