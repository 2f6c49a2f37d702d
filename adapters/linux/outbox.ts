/**
 * Bytes that one socket has taken and the kernel has not: first those in a pipe, then those in blocks.
 * Small writes are gathered, so a million of one byte cost a megabyte.
 */
import { EAGAIN, EPIPE, MSG_DONTWAIT, MSG_NOSIGNAL, SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from "./abi.ts";
import type { Block } from "./arena.ts";
import type { Core } from "./core.ts";
import type { Pipe } from "./pipes.ts";

const SMALL = 4_096;
const LARGE = 65_536;

interface Part {
  readonly block: Block;
  start: number;
  end: number;
}

export class Outbox {
  /** All of them; it stays as it was when `drop` is called. */
  bytes = 0;
  readonly #core: Core;
  readonly #fd: number;
  readonly #parts: Part[] = [];
  #pipe: Pipe | undefined;
  #piped = 0;

  constructor(core: Core, fd: number) {
    this.#core = core;
    this.#fd = fd;
  }

  /** Keeps a copy of `chunk`. */
  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const part = this.#room(chunk.length - at);
      const count = Math.min(chunk.length - at, part.block.bytes.length - part.end);
      part.block.bytes.set(chunk.subarray(at, at + count), part.end);
      part.end += count;
      at += count;
    }
    this.bytes += chunk.length;
  }

  /** Where a splice may put bytes; undefined if there is no pipe, or if its bytes would overtake others. */
  pipe(): Pipe | undefined {
    if (this.bytes > 0) return undefined;
    this.#pipe ??= this.#core.pipes.take();
    return this.#pipe;
  }

  /** A splice has put `count` bytes into the pipe; 0 if it was not needed. */
  piped(count: number): void {
    this.#piped += count;
    this.bytes += count;
    if (this.#piped === 0) this.#leavePipe();
  }

  /** Gives the kernel what it takes. 0, or the errno of what broke. */
  flush(): number {
    while (this.#piped > 0) {
      const { libc } = this.#core.system;
      const output = this.#pipe?.output ?? -1;
      const count = libc.splice(output, null, this.#fd, null, this.#piped, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      if (count <= 0) return count < 0 ? this.#blocked() : EPIPE;
      this.#piped -= count;
      this.bytes -= count;
    }
    this.#leavePipe();
    for (let part = this.#parts[0]; part; part = this.#parts[0]) {
      const { libc, arena } = this.#core.system;
      const from = arena.at(part.block, part.start);
      const count = libc.send(this.#fd, from, part.end - part.start, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count < 0) return this.#blocked();
      part.start += count;
      this.bytes -= count;
      if (part.start < part.end) continue;
      this.#parts.shift();
      arena.give(part.block);
    }
    return 0;
  }

  /** Frees the memory; `bytes` goes on telling what was lost. */
  drop(): void {
    if (this.#pipe) this.#core.pipes.give(this.#pipe, this.#piped === 0);
    this.#pipe = undefined;
    for (const { block } of this.#parts.splice(0)) this.#core.system.arena.give(block);
  }

  #blocked(): number {
    const { errno } = this.#core.system;
    return errno === EAGAIN ? 0 : errno;
  }

  #leavePipe(): void {
    if (!this.#pipe) return;
    this.#core.pipes.give(this.#pipe, true);
    this.#pipe = undefined;
  }

  #room(wanted: number): Part {
    const last = this.#parts.at(-1);
    if (last && last.end < last.block.bytes.length) return last;
    const block = this.#core.system.arena.take(last || wanted > SMALL ? LARGE : SMALL);
    const part = { block, start: 0, end: 0 };
    this.#parts.push(part);
    return part;
  }
}
