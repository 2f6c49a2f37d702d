/**
 * A simulated process: its descriptors, its timers, and how its runtime behaves where the contract leaves a
 * choice. One that has died runs nothing any more, while its sockets stay open until somebody closes them.
 */
import type { Attempt } from "../../adapters/portable/connecting.ts";
import type { Timer } from "../../src/net/runtime.ts";
import type { Random } from "../peers/random.ts";
import type { Clock } from "./clock.ts";
import { MemoryFiles } from "./files.ts";
import type { SimSocket } from "./socket.ts";

/** Where one adapter differs from the next. */
export interface Habits {
  /** Milliseconds at most until the process gets to an event. */
  readonly lag: number;
  /** Bytes of one read at most. */
  readonly read: number;
  readonly tellsUnacknowledged: boolean;
  /** A reset is told at once to a socket that does not read; what was not read is lost. */
  readonly tellsResetWhilePaused: boolean;
  /** A reset destroys what was received and not read. */
  readonly resetDiscards: boolean;
  readonly pauseAccept: boolean;
  /** Has `Runtime.link`. */
  readonly links: boolean;
  /** Bytes that may be written at once although no read has brought them: messages that were collected. */
  readonly whole?: number;
}

export const EASY: Habits = {
  lag: 0.5,
  read: 65_536,
  tellsUnacknowledged: true,
  tellsResetWhilePaused: false,
  resetDiscards: false,
  pauseAccept: true,
  links: false,
};

export class Process {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly habits: Habits;
  /** How many descriptors there can be (RLIMIT_NOFILE). */
  readonly limit: number;
  readonly sockets = new Set<SimSocket>();
  /** Attempts to connect; each can be told to give up. */
  readonly attempts = new Set<Attempt>();
  readonly files: MemoryFiles;
  /** What else the kernel closes when it is gone: ports, and addresses where it listens. */
  readonly holdings = new Set<() => void>();
  /** What a socket's owner did that the contract forbids. */
  readonly misuses: string[] = [];
  /** Descriptors that are not stream sockets, and those that somebody else in the process holds. */
  others = 0;
  timers = 0;
  /** Connections that its listeners have handed to their owners. */
  accepted = 0;
  dead = false;
  trace: ((text: () => string) => void) | undefined;
  readonly #parent: Process | undefined;

  /** `parent`: a thread of it, which shares its descriptors. */
  constructor(
    name: string,
    clock: Clock,
    random: Random,
    habits: Habits,
    limit = Number.POSITIVE_INFINITY,
    parent?: Process,
  ) {
    this.name = name;
    this.clock = clock;
    this.random = random;
    this.habits = habits;
    this.limit = limit;
    this.#parent = parent;
    this.trace = parent?.trace;
    this.files = parent?.files ?? new MemoryFiles();
  }

  /** No further descriptor is to be had. */
  get full(): boolean {
    const top = this.#parent ?? this;
    return top.descriptors >= this.limit;
  }

  /** Open ones of this process and its threads. */
  descriptors = 0;

  take(): void {
    this.others++;
    this.#count(1);
  }

  give(): void {
    this.others--;
    this.#count(-1);
  }

  opened(socket: SimSocket): void {
    this.sockets.add(socket);
    this.#count(1);
  }

  released(socket: SimSocket): void {
    if (this.sockets.delete(socket)) this.#count(-1);
  }

  readonly misuse = (what: string): void => {
    this.misuses.push(`${this.name} at ${this.clock.now.toFixed(3)}: ${what}`);
  };

  /** Runs `run` when this process gets its turn. */
  soon(run: () => void): void {
    this.clock.after(this.random.fraction() * this.habits.lag, () => {
      if (!this.dead) run();
    });
  }

  after(ms: number, run: () => void): Timer {
    this.timers++;
    let over = false;
    const end = () => {
      if (!over) this.timers--;
      over = true;
    };
    const timer = this.clock.after(ms + this.random.fraction() * this.habits.lag, () => {
      if (this.dead || over) return;
      end();
      run();
    });
    const cancel = () => {
      timer.cancel();
      end();
    };
    return { cancel };
  }

  /** What close(2) does for a process that is gone: its peers see resets. */
  reclaim(): void {
    for (const socket of this.sockets) socket.abort();
    for (const attempt of this.attempts) {
      // Nobody is left who could be told.
      attempt.settled = true;
      attempt.stop();
    }
    for (const close of this.holdings) close();
    this.holdings.clear();
    this.timers = 0;
  }

  #count(change: number): void {
    this.descriptors += change;
    if (this.#parent) this.#parent.#count(change);
  }
}
