/**
 * The event loop of one thread: epoll(7), timers, and work that waits for the end of the batch.
 *
 * Everything is registered once and edge-triggered, so an event costs no further call. A descriptor is
 * closed only when the batch in which it died is over: within the batch its number cannot come back, and
 * an event that is still to come finds nobody.
 */
import {
  EAGAIN,
  EFD_CLOEXEC,
  EFD_NONBLOCK,
  EINTR,
  EPOLL_CLOEXEC,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLLIN,
  EPOLLOUT,
  EVENT_DATA,
  EVENT_WORDS,
} from "./abi.ts";
import type { Block } from "./arena.ts";
import { BusyPoll } from "./busy-poll.ts";
import type { System } from "./system.ts";
import { TimerWheel } from "./timers.ts";

/** Whoever has a descriptor in the loop. */
export interface Pollable {
  /** `events` are the EPOLL bits. */
  ready(events: number): void;
  /** `ready` or `turn` threw: a bug or a user's handler. */
  failed(cause: unknown): void;
}

/** Deals with what arrives without its owner, where it can. */
export interface Shortcut {
  /** There is something to read from `fd`, and no more to say. False: that is for its owner. */
  take(fd: number): boolean;
  /** `fd` is given up. */
  forget(fd: number): void;
}

/** Work put off to the end of the batch. */
export interface Deferred {
  turn(): void;
  failed(cause: unknown): void;
}

const NO_SHORTCUT: Shortcut = { take: () => false, forget() {} };
const clock = () => performance.now();
const EVENTS = 512;
/** Milliseconds that an idle loop sleeps at most. */
const SLEEP = 1_000;
/**
 * Rounds of the microtask queue after a batch in which connections came or went: what hangs on them is a
 * chain of a few promises. Plain traffic needs none.
 */
const SETTLE = 16;
/** Rounds of deferred work before the kernel is asked for events again. */
const TURNS = 3;
/** The same after messages from another thread, which start longer chains. */
const SETTLE_COMMANDS = 64;

export class Loop {
  readonly system: System;
  readonly timers: TimerWheel;
  readonly busyPoll = new BusyPoll();
  /** Milliseconds, monotonic, as of the beginning of this batch. */
  now: number;
  /** Set by whoever may have settled a promise. */
  settles = true;
  readonly #shortcut: Shortcut;
  readonly #poll: number;
  readonly #wake: number;
  readonly #ownsWake: boolean;
  readonly #events: Block;
  readonly #words: Int32Array;
  readonly #owners: (Pollable | undefined)[] = [];
  readonly #closing: number[] = [];
  #deferred: Deferred[] = [];
  #spare: Deferred[] = [];
  /** Asks the kernel for events, and does not wait. */
  readonly #look: () => number;
  /** How often we were woken since the last rest. */
  #calls = 0;
  #stopped = false;

  /**
   * `wake` is an eventfd(2) of somebody else: whoever adds 1 to it wakes the loop, from any thread. It has to
   * outlive the loop. Throws the `SystemError` of the call that failed.
   */
  constructor(system: System, wake?: number, shortcut = NO_SHORTCUT) {
    this.system = system;
    this.#shortcut = shortcut;
    const { libc, arena } = system;
    this.now = performance.now();
    this.timers = new TimerWheel(this.now);
    this.#poll = system.opened(libc.epoll_create1(EPOLL_CLOEXEC));
    if (this.#poll < 0) throw system.error("epoll_create1");
    this.#ownsWake = wake === undefined;
    this.#wake = wake ?? system.opened(libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (this.#wake < 0) {
      const error = system.error("eventfd");
      system.close(this.#poll);
      throw error;
    }
    this.#events = arena.take(EVENTS * EVENT_WORDS * 4);
    const { buffer, byteOffset } = this.#events.bytes;
    this.#words = new Int32Array(buffer, byteOffset, EVENTS * EVENT_WORDS);
    this.#look = () => libc.epoll_wait(this.#poll, this.#events.pointer, EVENTS, 0);
    this.add(this.#wake, EPOLLIN, { ready: () => this.#rouse(), failed() {} });
  }

  /** Sends the events of `fd` to `owner`. Throws the `SystemError` of a failed epoll_ctl(2). */
  add(fd: number, events: number, owner: Pollable): void {
    const { libc, scratch, scratchInts } = this.system;
    scratchInts[0] = events;
    scratchInts[EVENT_DATA] = fd;
    if (libc.epoll_ctl(this.#poll, EPOLL_CTL_ADD, fd, scratch.pointer) < 0) throw this.system.error("epoll_ctl");
    this.#owners[fd] = owner;
  }

  /** Sends the events of `fd`, which is in the loop, to another owner from now on. */
  hand(fd: number, owner: Pollable): void {
    this.#owners[fd] = owner;
  }

  /** No more events of `fd`, which stays open. */
  remove(fd: number): void {
    this.#owners[fd] = undefined;
    this.system.libc.epoll_ctl(this.#poll, EPOLL_CTL_DEL, fd, this.system.scratch.pointer);
  }

  /** No more events of `fd`; it is closed at the end of the batch. */
  close(fd: number): void {
    this.#shortcut.forget(fd);
    this.#owners[fd] = undefined;
    this.#closing.push(fd);
  }

  /** Gives `work` its turn at the end of this batch, or at once if the loop sleeps. */
  defer(work: Deferred): void {
    this.#deferred.push(work);
  }

  /**
   * Runs until `stop`. `rest` lets the runtime's own loop have its turn; it is called when the loop was woken,
   * with how often, and after every batch if `shared`: for a thread that has other things to do as well.
   */
  async run(rest: (calls: number) => Promise<void>, shared: boolean): Promise<void> {
    while (!this.#stopped) {
      if (shared || this.#calls > 0) {
        const calls = this.#calls;
        this.#calls = 0;
        await rest(calls);
        for (let round = 0; round < SETTLE_COMMANDS; round++) await null;
      } else await null;
      // Promises that were settled in the batch start work that waits, whose turns settle promises again.
      for (let turns = TURNS; turns > 0 && (this.settles || this.#deferred.length > 0); turns--) {
        if (this.settles) {
          this.settles = false;
          for (let round = 1; round < SETTLE; round++) await null;
        }
        // Whoever is told that it is closed may rely on it.
        this.#closeAll();
        if (this.#deferred.length > 0) this.#takeTurns();
      }
      if (this.#stopped) break;
      this.#closeAll();
      this.#batch(shared ? 1 : SLEEP);
    }
    this.#closeAll();
  }

  /** `run` ends after this batch. */
  stop(): void {
    this.#stopped = true;
  }

  /** Frees what the loop itself holds; nothing may be registered any more. */
  destroy(): void {
    this.#closeAll();
    if (this.#ownsWake) this.system.close(this.#wake);
    this.system.close(this.#poll);
    this.system.arena.give(this.#events);
  }

  #batch(sleep: number): void {
    const { libc } = this.system;
    const timeout = this.#deferred.length > 0 || this.settles ? 0 : this.timers.wait(this.now, sleep);
    let count = timeout === 0 ? 0 : this.busyPoll.before(this.#look, clock);
    if (count === 0) count = libc.epoll_wait(this.#poll, this.#events.pointer, EVENTS, timeout);
    const { errno } = this.system;
    this.now = performance.now();
    if (count < 0 && errno !== EINTR && errno !== EAGAIN) throw this.system.error("epoll_wait", errno);
    const words = this.#words;
    for (let i = 0, at = 0; i < count; i++, at += EVENT_WORDS) {
      const fd = words[at + EVENT_DATA] as number;
      const owner = this.#owners[fd];
      if (!owner) continue;
      const events = words[at] as number;
      try {
        if ((events & ~EPOLLOUT) !== EPOLLIN || !this.#shortcut.take(fd)) owner.ready(events);
      } catch (cause) {
        owner.failed(cause);
      }
    }
    if (this.timers.advance(this.now)) this.settles = true;
  }

  /** One turn for each that waits now; those that ask for another wait for the next batch. */
  #takeTurns(): void {
    const due = this.#deferred;
    this.#deferred = this.#spare;
    this.#spare = due;
    for (const work of due) {
      try {
        work.turn();
      } catch (cause) {
        work.failed(cause);
      }
    }
    due.length = 0;
  }

  #closeAll(): void {
    for (let fd = this.#closing.pop(); fd !== undefined; fd = this.#closing.pop()) this.system.close(fd);
  }

  #rouse(): void {
    const { libc, scratch, scratchInts } = this.system;
    if (libc.read(this.#wake, scratch.pointer, 8) === 8) this.#calls += scratchInts[0] as number;
  }
}
