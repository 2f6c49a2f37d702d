/** One of the two sockets of a relay, and the way of what comes from it. */
import { Path } from "../filter/path.ts";
import type { Step } from "../filter/step.ts";
import { CELL, type Counters } from "../metrics/counters.ts";
import type { SocketError } from "../net/errors.ts";
import type { Chunk, Meter, Runtime, StreamEvents, StreamSocket } from "../net/runtime.ts";
import type { Relay } from "./relay.ts";

const NO_STEPS: readonly Step[] = [];

export type Role = "client" | "target";

/** What comes from it goes to its peer. */
export class Side implements StreamEvents, Meter {
  readonly role: Role;
  readonly socket: StreamSocket;
  peer: Side = this;
  /** What its bytes pass on their way to the peer. */
  path: Path | undefined;
  /** They go without being shown; with a path, those of them for which its steps need not see them. */
  linked = false;
  /** The peer owes a drain for what it was given before there was a link, which waits for that by itself. */
  owed = false;
  /** Bytes read from this side. */
  bytes = 0;
  ended = false;
  closed = false;
  /** The connection is broken, although bytes from it may be left to read. */
  failure: SocketError | undefined;
  activeAt: number;
  readonly #relay: Relay;
  readonly #runtime: Runtime;
  readonly #cells: Float64Array;
  readonly #bytesCell: number;
  #looked = false;
  /** It is paused until the peer, or the first step, has room. */
  #waits = false;
  /** Bytes read and thrown away; undefined as long as none are to be. */
  #discarded: number | undefined;

  constructor(role: Role, relay: Relay, socket: StreamSocket, counters: Counters) {
    this.role = role;
    this.socket = socket;
    this.#relay = relay;
    this.#runtime = relay.runtime;
    this.activeAt = relay.runtime.now();
    this.#cells = counters.cells;
    this.#bytesCell = role === "client" ? CELL.bytesUpstream : CELL.bytesDownstream;
  }

  /** Before it is resumed: links it with the peer, if that may be, or puts steps between them. */
  begin(steps = NO_STEPS): void {
    const { runtime, owner } = this.#relay;
    const mirror = steps.length === 1 ? steps[0]?.mirror : undefined;
    if (steps.length > 0) this.path = this.#pathOf(steps);
    if (!runtime.link || owner.read || (steps.length > 0 && !mirror)) return;
    this.linked = true;
    runtime.link(this.socket, this.peer.socket, this, mirror);
  }

  /** Puts a step in front of another one, or at the end. */
  insert(step: Step, before?: Step): void {
    this.#unlink();
    this.path ??= this.#pathOf([]);
    this.path.insert(step, before);
  }

  data(chunk: Chunk): void {
    if (!this.feed(chunk)) this.wait();
  }

  /** Until there is room: a drain will resume it. */
  wait(): void {
    this.#waits = true;
    this.socket.pause();
    this.held();
  }

  /** There is room for what comes from it. */
  resume(): void {
    this.#waits = false;
    this.socket.resume();
  }

  /** Passes bytes on that were read; false: the peer wants no more until its drain. */
  feed(chunk: Chunk): boolean {
    const { length } = chunk;
    this.moved(length);
    if (this.#discarded !== undefined) {
      this.#discarded += length;
      return true;
    }
    const room = (this.path ?? this.peer.socket).write(chunk);
    this.#relay.owner.read?.(this.role, length);
    return room;
  }

  /** It has sent its FIN: that goes on as well. */
  finish(): void {
    if (this.#discarded === undefined) (this.path ?? this.peer.socket).end();
  }

  /** From now on nothing of it is passed on but what is on its way already, and a FIN behind that. */
  discard(): void {
    this.#unlink();
    this.#discarded ??= 0;
    (this.path ?? this.peer.socket).end();
    this.socket.resume();
  }

  /** What its steps hold is lost. */
  abandon(): void {
    this.path?.stop();
  }

  /** Bytes from this side that the peer did not get, once it is over. */
  get undelivered(): number {
    return (this.#discarded ?? 0) + (this.path?.held ?? 0) + this.peer.socket.buffered;
  }

  /** Bytes from this side that are on their way, as far as the runtime can tell. */
  get waiting(): number {
    const { socket } = this.peer;
    return (this.path?.held ?? 0) + socket.buffered + (socket.unacknowledged() ?? 0);
  }

  moved(bytes: number): void {
    this.bytes += bytes;
    (this.#cells[this.#bytesCell] as number) += bytes;
    this.activeAt = this.#runtime.now();
  }

  held(): void {
    const cell = this.role === "client" ? CELL.pausesUpstream : CELL.pausesDownstream;
    (this.#cells[cell] as number) += 1;
  }

  drain(): void {
    this.activeAt = this.#runtime.now();
    this.peer.owed = false;
    if (this.peer.path) this.peer.path.drain();
    else this.peer.resume();
  }

  end(): void {
    this.ended = true;
    this.#relay.ended(this);
  }

  broken(error: SocketError): void {
    this.#relay.broken(this, error);
  }

  close(error?: SocketError): void {
    this.closed = true;
    this.#relay.closed(this, error);
  }

  /** True from the second call on: where the kernel's queue cannot be seen, one interval of patience stands in. */
  quiet(): boolean {
    const before = this.#looked;
    this.#looked = true;
    return before;
  }

  #pathOf(steps: readonly Step[]): Path {
    return new Path({ drain: () => this.#relay.reopen(this) }, this.peer.socket, steps, this.#waits);
  }

  #unlink(): void {
    if (!this.linked) return;
    this.linked = false;
    this.#relay.runtime.unlink?.(this.socket);
    if (this.owed) this.wait();
  }
}
