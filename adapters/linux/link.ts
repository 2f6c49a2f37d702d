/** The way from one stream to another: what arrives is sent on without being shown, and in bulk without being read. */
import type { Meter } from "../../src/net/runtime.ts";
import { SPLICE_F_MOVE, SPLICE_F_NONBLOCK } from "./abi.ts";
import type { Core } from "./core.ts";
import { PIPE_SIZE } from "./pipes.ts";
import type { Sender, Waiter } from "./sender.ts";
import { errnoName } from "./system.ts";

/** A read of so many bytes is bulk; two without a small one between them make the stream worth a splice. */
const BULK = 65_536;
const BULK_READS = 2;
/** A splice below this is not worth its second call; a read below it ends the bulk. */
const BULK_LEAST = 16_384;
/** What splice(2) says where the kernel, its configuration or a filter of system calls does not have it. */
const UNSUPPORTED: readonly string[] = ["EINVAL", "ENOSYS", "EPERM"];

export class Link {
  /** Why the last splice failed. */
  errno = 0;
  readonly #core: Core;
  readonly #to: Sender;
  readonly #meter: Meter;
  #bulk = 0;

  constructor(core: Core, to: Sender, meter: Meter) {
    this.#core = core;
    this.#to = to;
    this.#meter = meter;
  }

  /** Whether there is room at the other end; if not, `waiter` gets a turn when there is. */
  mayFeed(waiter: Waiter): boolean {
    const to = this.#to;
    if (!to.pending) return !to.deaf;
    if (to.await(waiter)) this.#meter.held();
    return false;
  }

  /** Sends on the first `count` bytes of the inbox. */
  forward(count: number): void {
    if (count >= BULK) this.#bulk++;
    else if (count < BULK_LEAST) this.#bulk = 0;
    this.#meter.moved(count);
    this.#to.forward(count);
  }

  /**
   * Moves bytes of `fd` in the kernel if that pays: the result of splice(2), with `errno` set. Undefined: they
   * have to be read.
   */
  splice(fd: number): number | undefined {
    if (this.#bulk < BULK_READS) return undefined;
    const { system, pipes } = this.#core;
    const input = this.#to.pipe();
    if (input === undefined) {
      this.#bulk = 0;
      return undefined;
    }
    const count = system.libc.splice(fd, null, input, null, PIPE_SIZE, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    this.errno = system.errno;
    if (count > 0) {
      if (count < BULK_LEAST) this.#bulk = 0;
      this.#meter.moved(count);
      this.#to.piped(count);
      return count;
    }
    this.#to.piped(0);
    if (count === 0 || !UNSUPPORTED.includes(errnoName(this.errno))) return count;
    pipes.refuse();
    this.#bulk = 0;
    return undefined;
  }
}
