/** Timers that ring within some ten microseconds: timerfd_create(2), where epoll counts in milliseconds. */
import type { Alarm } from "../../src/net/runtime.ts";
import { CLOCK_MONOTONIC, EPOLLIN, TFD_CLOEXEC, TFD_NONBLOCK } from "./abi.ts";
import type { Core } from "./core.ts";
import type { Pollable } from "./loop.ts";

export class LinuxAlarm implements Alarm, Pollable {
  readonly #core: Core;
  readonly #fd: number;
  readonly #ring: () => void;
  #closed = false;

  /** Throws the `SystemError` of the call that failed: `EMFILE`, … */
  constructor(core: Core, ring: () => void) {
    const { system, loop } = core;
    this.#core = core;
    this.#ring = ring;
    this.#fd = system.opened(system.libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    if (this.#fd < 0) throw system.error("timerfd_create");
    loop.add(this.#fd, EPOLLIN, this);
  }

  set(at: number): void {
    if (this.#closed) return;
    const { libc, scratch, scratchInts } = this.#core.system;
    // struct itimerspec: no interval, then seconds and nanoseconds from now; without any it would never ring.
    const wait = Math.max(0.001, at - performance.now());
    const seconds = Math.floor(wait / 1_000);
    scratchInts.fill(0, 0, 8);
    scratchInts[4] = seconds;
    scratchInts[6] = Math.ceil((wait - seconds * 1_000) * 1_000_000);
    libc.timerfd_settime(this.#fd, 0, scratch.pointer, null);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#core.loop.close(this.#fd);
  }

  ready(): void {
    const { libc, scratch } = this.#core.system;
    // It may have been set again since it rang: then the kernel has forgotten the former, and there is nothing to read.
    if (libc.read(this.#fd, scratch.pointer, 8) !== 8) return;
    this.#core.loop.settles = true;
    this.#ring();
  }

  failed(cause: unknown): void {
    throw cause;
  }
}
