/** Plays recorded sessions to a target, side by side as they were recorded, and compares its answers. */
import type { Address } from "../../net/address.ts";
import { SocketError, UsageError } from "../../net/errors.ts";
import type { ConnectOptions, Runtime } from "../../net/runtime.ts";
import { Comparison } from "./comparison.ts";
import { type Pace, type Played, Player } from "./player.ts";
import type { RecordedSession, Recording } from "./recording.ts";

export interface ReplayOptions {
  /**
   * How many times as fast as recorded: 1 is its own pace. 0: as fast as the target answers; each next bytes are sent at
   * once, but not before the answers that were recorded before them have come in length.
   */
  readonly speed: number;
  /** The number of one session alone; undefined: all of them. */
  readonly session?: string | undefined;
  /** Milliseconds to connect, and for which the target may be silent while something is expected of it. */
  readonly timeout: number;
  /** Called as soon as a session is over. */
  readonly played?: (session: SessionReplay) => void;
}

export interface SessionReplay extends Played {
  readonly session: RecordedSession;
}

export interface ReplayReport {
  readonly sessions: readonly SessionReplay[];
  /** Those that could not be tried; `unusable` says why. */
  readonly skipped: readonly RecordedSession[];
  /** Milliseconds. */
  readonly duration: number;
}

const STREAM = { noDelay: true, keepAlive: 0, buffer: 262_144 } as const satisfies Partial<ConnectOptions>;

/**
 * Replays a recording.
 *
 *     const recording = readRecording(bytes);
 *     const { sessions } = await replay(runtime, recording, target, { speed: 1, timeout: 10_000 });
 *     const same = sessions.every(({ error, difference }) => !error && difference === undefined);
 *
 * @throws {UsageError} `ESESSION` if there is no such session.
 */
export async function replay(
  runtime: Pick<Runtime, "now" | "after" | "connect">,
  recording: Recording,
  target: Address,
  options: ReplayOptions,
): Promise<ReplayReport> {
  const chosen = choose(recording, options.session);
  const usable = chosen.filter(({ unusable }) => unusable === undefined);
  const startedAt = runtime.now();
  const first = usable[0]?.from ?? 0;
  const { speed, timeout } = options;
  const pace: Pace = { epoch: startedAt - (speed > 0 ? first / speed : 0), speed, timeout };
  const turns = speed > 0 ? new Timetable(runtime, pace) : new Sequence(usable);
  const sessions = usable.map(async (session): Promise<SessionReplay> => {
    await turns.turn(session);
    const played = { session, ...(await play(runtime, session, target, pace)) };
    turns.over();
    options.played?.(played);
    return played;
  });
  return {
    sessions: await Promise.all(sessions),
    skipped: chosen.filter(({ unusable }) => unusable !== undefined),
    duration: runtime.now() - startedAt,
  };
}

function choose({ sessions }: Recording, id: string | undefined): readonly RecordedSession[] {
  const chosen = id === undefined ? sessions : sessions.filter((session) => session.id === id);
  if (chosen.length > 0 || id === undefined) return chosen;
  const known = sessions.slice(0, KNOWN_MAX).map((session) => session.id);
  const more = sessions.length > known.length ? ", …" : "";
  throw new UsageError("ESESSION", `There is no session "${id}" in the recording; it has ${known.join(", ")}${more}`);
}

/** As many as a message can name. */
const KNOWN_MAX = 20;

async function play(
  runtime: Pick<Runtime, "now" | "after" | "connect">,
  session: RecordedSession,
  target: Address,
  pace: Pace,
): Promise<Played> {
  try {
    const socket = await runtime.connect(target, { ...STREAM, timeout: pace.timeout }).socket;
    return await new Player(runtime, session, socket, pace).played;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    const expected = new Comparison(session).expected;
    return { sent: 0, received: 0, expected, difference: undefined, error };
  }
}

/** When sessions begin. */
interface Turns {
  turn(session: RecordedSession): Promise<void>;
  /** A session is over. */
  over(): void;
}

/** At the times they were recorded. */
class Timetable implements Turns {
  readonly #runtime: Pick<Runtime, "now" | "after">;
  readonly #pace: Pace;

  constructor(runtime: Pick<Runtime, "now" | "after">, pace: Pace) {
    this.#runtime = runtime;
    this.#pace = pace;
  }

  turn({ from }: RecordedSession): Promise<void> {
    const { epoch, speed } = this.#pace;
    const wait = Math.max(0, epoch + from / speed - this.#runtime.now());
    return new Promise((resolve) => this.#runtime.after(Math.min(wait, LONGEST), resolve));
  }

  over(): void {}
}

/** At once, but no more of them at a time than were: one begins when as many are over as were when it began. */
class Sequence implements Turns {
  /** When sessions were over, the first one first. */
  readonly #ends: readonly number[];
  /** How many were over when the last one that had its turn began. */
  #before = 0;
  #over = 0;
  readonly #waiting: { readonly needs: number; readonly begin: () => void }[] = [];

  constructor(sessions: readonly RecordedSession[]) {
    this.#ends = sessions.map(({ to }) => to).sort((a, b) => a - b);
  }

  turn({ from }: RecordedSession): Promise<void> {
    while ((this.#ends[this.#before] ?? Number.POSITIVE_INFINITY) < from) this.#before++;
    const needs = this.#before;
    return new Promise((begin) => {
      if (this.#over >= needs) begin();
      else this.#waiting.push({ needs, begin });
    });
  }

  over(): void {
    this.#over++;
    // Sessions come in the order in which they began, and each needs at least as many as the one before.
    while (this.#waiting[0] && this.#waiting[0].needs <= this.#over) this.#waiting.shift()?.begin();
  }
}

/** Timers count in 31 bits of milliseconds. */
const LONGEST = 2_147_483_647;
