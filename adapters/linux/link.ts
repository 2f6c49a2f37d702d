/**
 * The way from one stream to another: what arrives is sent on without being shown, and in bulk without being read.
 * Mirrors get what moves in bulk by tee(2), which hands the same pages on; the rest is shown to whoever copies it.
 */
import type { Meter, Mirror, StreamSocket } from "../../src/net/runtime.ts";
import { SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from "./abi.ts";
import type { Core } from "./core.ts";
import { type FastStream, SHORT } from "./fast-path.ts";
import { LowWater } from "./low-water.ts";
import { PIPE_SIZE, type Pipe } from "./pipes.ts";
import type { Sender, Waiter } from "./sender.ts";
import { errnoName } from "./system.ts";

/** A read of so many bytes is bulk; two without a small one between them make the stream worth a splice. */
const BULK = 65_536;
const BULK_READS = 2;
/** So many short messages in a row, and more will follow. */
const SHORT_READS = 2;
/** A splice below this is not worth its second call; a read below it ends the bulk. */
const BULK_LEAST = 16_384;
/** What splice(2) says where the kernel, its configuration or a filter of system calls does not have it. */
const UNSUPPORTED: readonly string[] = ["EINVAL", "ENOSYS", "EPERM"];

/** Those who get copies. */
interface Mirrors {
  readonly mirror: Mirror;
  sender(socket: StreamSocket): Sender;
}

const NOBODY: readonly Sender[] = [];

export class Link {
  /** Why the last splice failed. */
  errno = 0;
  readonly #core: Core;
  readonly #to: Sender;
  readonly #meter: Meter;
  readonly #mirrors: Mirrors | undefined;
  #bulk = 0;
  #short = 0;
  #lowWater: LowWater | undefined;

  constructor(core: Core, to: Sender, meter: Meter, mirrors?: Mirrors) {
    this.#core = core;
    this.#to = to;
    this.#meter = meter;
    this.#mirrors = mirrors;
  }

  /** Whether there is room at the other end; if not, `waiter` gets a turn when there is. */
  mayFeed(waiter: Waiter): boolean {
    const to = this.#to;
    if (!to.pending) return !to.deaf;
    if (to.await(waiter)) this.#meter.held();
    return false;
  }

  /** What comes from `fd` takes the fast path from here on, if one short message follows the other. */
  hasten(fd: number, stream: FastStream): void {
    if (this.#short < SHORT_READS || !this.#to.free) return;
    this.#core.fastPath.enter(fd, this.#to.fd, stream, this.#meter);
  }

  /** See {@link FastStream}. */
  unsent(count: number, result: number, errno: number): void {
    this.#meter.moved(count);
    this.#to.unsent(count, result, errno);
  }

  /** Sends on the first `count` bytes of the inbox; false: they are to be shown. */
  forward(count: number): boolean {
    this.#short = count < SHORT ? this.#short + 1 : 0;
    if (count >= BULK) this.#bulk++;
    else if (count < BULK_LEAST) this.#bulk = 0;
    if (this.#mirrors) return false;
    this.#meter.moved(count);
    this.#to.forward(count);
    return true;
  }

  /**
   * Moves bytes of `fd` in the kernel if that pays: the result of splice(2), with `errno` set. Undefined: they
   * have to be read.
   */
  splice(fd: number): number | undefined {
    if (this.#bulk < BULK_READS) return undefined;
    const { system, pipes } = this.#core;
    const others = this.#others();
    if (!others) return undefined;
    const pipe = this.#to.pipe();
    if (!pipe || !others.every((other) => holds(other, pipe))) {
      this.#unused(others);
      this.#bulk = 0;
      return undefined;
    }
    const count = system.libc.splice(fd, null, pipe.input, null, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    this.errno = system.errno;
    if (count > 0) {
      if (count < BULK_LEAST) this.#bulk = 0;
      this.#meter.moved(count);
      this.#lowWater ??= new LowWater(this.#core, fd);
      this.#lowWater.moved(count);
      this.#mirrors?.mirror.moved(count);
      for (const [index, other] of others.entries()) this.#tee(pipe, index, other, count);
      this.#to.piped(count);
      return count;
    }
    this.#unused(others);
    if (count < 0) this.#lowWater?.emptied();
    if (count === 0 || !UNSUPPORTED.includes(errnoName(this.errno))) return count;
    pipes.refuse();
    this.#bulk = 0;
    return undefined;
  }

  /** Nothing more is asked of us. */
  end(): void {
    this.#lowWater?.end();
  }

  /** Gives the pipes back. */
  #unused(others: readonly Sender[]): void {
    this.#to.piped(0);
    for (const other of others) other.piped(0);
  }

  /** Who gets copies now; undefined: bytes have to be shown. */
  #others(): readonly Sender[] | undefined {
    if (!this.#mirrors) return NOBODY;
    const { mirror, sender } = this.#mirrors;
    return mirror.ready()?.map(sender);
  }

  /** A copy of the `count` bytes in `pipe`, without a copy of memory. */
  #tee(pipe: Pipe, index: number, to: Sender, count: number): void {
    const { system } = this.#core;
    const input = to.pipe()?.input ?? -1;
    const taken = Math.max(0, system.libc.tee(pipe.output, input, count, SPLICE_F_NONBLOCK));
    to.piped(taken);
    this.#mirrors?.mirror.mirrored(index, taken, count - taken);
    // Here it does not work, or not well: the next bytes are shown.
    if (taken < count) this.#bulk = 0;
  }
}

/** Whether a tee into the pipe of a mirror can take all that is in `pipe`. */
function holds(mirror: Sender, pipe: Pipe): boolean {
  return (mirror.pipe()?.size ?? 0) >= pipe.size;
}
