/**
 * The way of short messages between two linked streams: they are received and sent on as soon as the loop hears of
 * them, and neither stream is looked at. With a thousand connections a message costs, besides the kernel's part, the
 * memory that has to be fetched for it, which is a number and the meter here.
 *
 * A stream enters when short messages follow each other and nothing is in their way: all bytes sent, no FIN, no
 * error, nobody who looks on. Whatever changes that makes it leave ({@link FastPath.forget}) before anything else
 * is done; a descriptor leaves at the latest when it is given up, in both directions, as its number comes back.
 */
import type { Meter } from "../../src/net/runtime.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "./abi.ts";
import type { Block } from "./arena.ts";
import type { Shortcut } from "./loop.ts";
import type { System } from "./system.ts";

/** Bytes of a short message, and one: so many may be followed by more that are there already. */
export const SHORT = 16_385;
/** Descriptors that there is room for at first. */
const ROOM = 1_024;

/** Hears of what is not to be dealt with here; it has left by then. */
export interface FastStream {
  /** A read has brought more than a short message, nothing, or the error `errno`. */
  received(count: number, errno: number): void;
  /** Of the `count` bytes in the inbox send(2) has taken `result`, or none because of `errno`. */
  unsent(count: number, result: number, errno: number): void;
}

export class FastPath implements Shortcut {
  readonly #system: System;
  readonly #inbox: Block;
  /** By descriptor: where to what is read from it goes, and from where comes what is sent to it; plus 1, 0: nowhere. */
  #to = new Int32Array(ROOM);
  #from = new Int32Array(ROOM);
  /** By the descriptor that is read. */
  readonly #streams: (FastStream | undefined)[] = [];
  readonly #meters: (Meter | undefined)[] = [];

  /** `inbox`: where everybody reads into. */
  constructor(system: System, inbox: Block) {
    this.#system = system;
    this.#inbox = inbox;
  }

  /** What is read from `fd` goes to `to` from now on. */
  enter(fd: number, to: number, stream: FastStream, meter: Meter): void {
    while (Math.max(fd, to) >= this.#to.length) this.#grow();
    this.#streams[fd] = stream;
    this.#meters[fd] = meter;
    this.#to[fd] = to + 1;
    this.#from[to] = fd + 1;
  }

  /** Nothing is read from `fd` here, and nothing sent to it, until somebody enters again. */
  forget(fd: number): void {
    const to = this.#to[fd];
    if (to) this.#leave(fd, to - 1);
    const from = this.#from[fd];
    if (from) this.#leave(from - 1, fd);
  }

  take(fd: number): boolean {
    const to = (this.#to[fd] ?? 0) - 1;
    if (to < 0) return false;
    const system = this.#system;
    const { libc, arena } = system;
    const inbox = this.#inbox;
    const count = libc.recv(fd, inbox.pointer, inbox.bytes.length, MSG_DONTWAIT);
    if (count <= 0 || count >= SHORT) {
      this.#leave(fd, to)?.received(count, system.errno);
      return true;
    }
    const result = libc.send(to, inbox.pointer, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (result === count) this.#meters[fd]?.moved(count);
    else this.#leave(fd, to)?.unsent(count, result, system.errno);
    if (arena.checked) arena.poison(inbox, count);
    return true;
  }

  /** Returns who has left. */
  #leave(fd: number, to: number): FastStream | undefined {
    const stream = this.#streams[fd];
    this.#to[fd] = 0;
    this.#from[to] = 0;
    this.#streams[fd] = undefined;
    this.#meters[fd] = undefined;
    return stream;
  }

  #grow(): void {
    const [to, from] = [this.#to, this.#from];
    this.#to = new Int32Array(2 * to.length);
    this.#from = new Int32Array(2 * from.length);
    this.#to.set(to);
    this.#from.set(from);
  }
}
