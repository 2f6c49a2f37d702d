/**
 * The receive low-water mark of a stream in bulk (socket(7), SO_RCVLOWAT): where packets come one by one, as from a
 * sender that is paced, the kernel wakes us when 128 KB are there. A wake-up has its price, and so has that of
 * the reader behind us. Where much is there whenever we look, all are busy and waiting would be lost. Whoever sends less
 * than the mark before it waits for an answer would wait for ever: who does not come to it is asked ever more rarely.
 */
import type { Timer } from "../../src/net/runtime.ts";
import { SIOCINQ, SO_RCVLOWAT, SOL_SOCKET } from "./abi.ts";
import type { Core } from "./core.ts";
import type { Due } from "./timers.ts";

/** Bytes of the raised mark. */
const MARK = 131_072;
/** Bytes that are there on average when we look: from here on a mark is of no use. */
const MUCH = 163_840;
/** Milliseconds in which something has to move, or the mark is lowered. */
const PATIENCE = 2;
/** Bytes that go before the mark is raised: at first, and at most, for senders who have not come to it. */
const FIRST = 4 * 1_048_576;
const MOST = 1_024 * 1_048_576;
/** Bytes with a raised mark after which former failures do not count any more. */
const PROVEN = 16 * 1_048_576;
/** Bytes with a raised mark after which we look how it would be without. */
const LONG = 512 * 1_048_576;

export class LowWater implements Due {
  readonly #core: Core;
  readonly #fd: number;
  #pause = FIRST;
  /** While the mark is low: after how many bytes it is thought of. */
  #next = FIRST;
  /** Bytes that have moved, and how often there were no more, since the mark was last thought of. */
  #bytes = 0;
  #empty = 0;
  #moved = false;
  /** While the mark is raised. */
  #timer: Timer | undefined;

  /** Of the socket `fd`, until {@link end}. */
  constructor(core: Core, fd: number) {
    this.#core = core;
    this.#fd = fd;
  }

  /** So many bytes have moved at once. */
  moved(count: number): void {
    this.#bytes += count;
    this.#moved = true;
    if (this.#timer) {
      if (this.#bytes > LONG) this.end();
    } else if (this.#bytes >= this.#next) this.#decide();
  }

  /** There was nothing more to move. */
  emptied(): void {
    this.#empty++;
  }

  /** The stream is not in bulk any more, or closed. */
  end(): void {
    if (!this.#timer) return;
    this.#timer.cancel();
    this.#lower();
  }

  due(): void {
    if (this.#moved) {
      this.#watch();
      return;
    }
    const { libc, scratch, scratchInts } = this.#core.system;
    const waiting = libc.ioctl(this.#fd, SIOCINQ, scratch.pointer) < 0 ? 0 : (scratchInts[0] ?? 0);
    if (this.#bytes >= PROVEN) this.#pause = FIRST;
    // Otherwise nothing was sent, or it is we who do not read.
    if (waiting > 0 && waiting < MARK) this.#pause = Math.min(4 * this.#pause, MOST);
    this.#lower();
  }

  #decide(): void {
    const much = this.#bytes >= MUCH * this.#empty;
    this.#begin(FIRST);
    if (much) return;
    this.#core.system.setInt(this.#fd, SOL_SOCKET, SO_RCVLOWAT, MARK);
    this.#watch();
  }

  #watch(): void {
    this.#moved = false;
    this.#timer = this.#core.after(PATIENCE, this);
  }

  #begin(next: number): void {
    this.#next = next;
    this.#bytes = 0;
    this.#empty = 0;
  }

  /** The kernel tells at once if there is something to read (tcp_set_rcvlowat). */
  #lower(): void {
    this.#timer = undefined;
    this.#begin(this.#pause);
    this.#core.system.setInt(this.#fd, SOL_SOCKET, SO_RCVLOWAT, 1);
  }
}
