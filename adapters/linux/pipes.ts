/**
 * Kernel pipes for splice(2). A pipe is in use only while bytes are in it, so a few serve many connections;
 * only stalled readers keep theirs. Without a pipe weir copies.
 */
import { F_SETPIPE_SZ, O_CLOEXEC, O_NONBLOCK } from "./abi.ts";
import type { System } from "./system.ts";

/** Bytes; the most that an unprivileged process may ask for (pipe-max-size in pipe(7)). */
export const PIPE_SIZE = 1 << 20;
/** Smaller ones are not worth their two descriptors: the user's share of pipe memory is used up. */
const SIZE_LEAST = 1 << 17;
/** Empty pipes kept for the next user. */
const KEPT = 16;

export interface Pipe {
  readonly input: number;
  readonly output: number;
  /** Bytes that it holds, if they fill its pages. */
  readonly size: number;
}

export class PipePool {
  readonly #system: System;
  readonly #free: Pipe[] = [];
  readonly #ceiling: number;
  #open = 0;
  #refused = false;

  /** The kernel gives the lowest free number: one above `ceiling` means that few descriptors are left. */
  constructor(system: System, ceiling: number) {
    this.#system = system;
    this.#ceiling = ceiling;
  }

  /** How many there are, in use or not. */
  get open(): number {
    return this.#open;
  }

  /** splice does not work here at all: copy from now on. */
  refuse(): void {
    this.#refused = true;
  }

  /** An empty pipe, or undefined where there is none to be had. */
  take(): Pipe | undefined {
    if (this.#refused) return undefined;
    return this.#free.pop() ?? this.#make();
  }

  /** `empty` tells whether another connection may use it. */
  give(pipe: Pipe, empty: boolean): void {
    if (empty && this.#free.length < KEPT) this.#free.push(pipe);
    else this.#close(pipe);
  }

  destroy(): void {
    for (const pipe of this.#free.splice(0)) this.#close(pipe);
  }

  #make(): Pipe | undefined {
    const { libc, scratch, scratchInts } = this.#system;
    if (libc.pipe2(scratch.pointer, O_NONBLOCK | O_CLOEXEC) < 0) return undefined;
    const system = this.#system;
    const ends = { output: system.opened(scratchInts[0] as number), input: system.opened(scratchInts[1] as number) };
    this.#open++;
    const scarce = ends.input > this.#ceiling;
    const size = scarce ? 0 : libc.fcntl(ends.input, F_SETPIPE_SZ, PIPE_SIZE);
    const pipe = { ...ends, size };
    if (size >= SIZE_LEAST) return pipe;
    this.#close(pipe);
    return undefined;
  }

  #close({ input, output }: Pipe): void {
    this.#open--;
    this.#system.close(input);
    this.#system.close(output);
  }
}
