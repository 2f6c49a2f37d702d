/**
 * What may happen to the bytes of one direction of a session on their way through weir: a chain of steps between the
 * socket they come from and the socket they go to. Filters are steps, faults are, and so are those who look on.
 *
 *     source ──write──► step ──write──► step ──write──► socket
 *            ◄──drain──      ◄──drain──      ◄──drain──
 */
import type { Reason } from "../metrics/reason.ts";
import type { Chunk, Mirror, Runtime } from "../net/runtime.ts";

/** From the client to the target, or back. */
export const DIRECTIONS = ["upstream", "downstream"] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Where bytes go: another step, or the socket behind the last one. */
export interface Outlet {
  /** Takes all of `chunk`, which is on loan until it returns. False: full; there is to be no more until `drain`. */
  write(chunk: Chunk): boolean;
  /** The FIN, behind everything that was written. */
  end(): void;
  /** In its place: the connection is broken. Nothing that was written is to be held for what might follow. */
  broke(): void;
  /** It owes a drain to whoever is before it. */
  readonly full: boolean;
}

/** Where bytes come from: another step, or whoever stands for the socket before the first one. */
export interface Inlet {
  /** There is room again, after a `write` that returned false. Once too often does no harm. */
  drain(): void;
}

/** What a step may use and do. */
export interface StepContext {
  /** The only clock there is. */
  readonly runtime: Pick<Runtime, "now" | "after">;
  /** Evenly from 0 up to 1, not including it: all chance comes from here, so that a seed repeats it. */
  readonly random: () => number;
  readonly direction: Direction;
  /** Bytes that a step may hold before its `write` returns false, unless its own configuration says otherwise. */
  readonly buffer: number;
  /** Ends the session at once, both sides with RST. `rule` says why in words. Nothing is to be written any more. */
  cut(reason: Reason, rule: string): void;
  /** Ends the session as if both sides had finished: FIN behind what was passed on; whatever comes is thrown away. */
  close(reason: Reason, rule: string): void;
}

/** One step; this one passes everything on, and others change what they are for. */
export abstract class Step implements Outlet, Inlet {
  /** Set by the path, and changed when neighbours come and go. */
  next: Outlet = NOWHERE;
  previous: Inlet = NOBODY;

  write(chunk: Chunk): boolean {
    return this.next.write(chunk);
  }

  end(): void {
    this.next.end();
  }

  broke(): void {
    this.next.broke();
  }

  get full(): boolean {
    return this.next.full;
  }

  /** It was put into a live path, between neighbours who may be in the middle of something. */
  join(): void {}

  drain(): void {
    this.previous.drain();
  }

  /**
   * Who gets copies of bytes that an adapter moves past the step, which changes none and holds none; undefined: it has to
   * see them all.
   */
  get mirror(): Mirror | undefined {
    return undefined;
  }

  /** Bytes that it has taken, has not passed on and will. */
  get held(): number {
    return 0;
  }

  /**
   * It is to be taken out of a live path: whatever it holds goes on as fast as the next one takes it, a FIN that it kept
   * as well, and so does what still comes. `done`: nothing is left here; called at once perhaps.
   */
  release(done: () => void): void {
    done();
  }

  /** The session is over: no timer of it may be left. */
  stop(): void {}
}

const NOWHERE: Outlet = { write: () => true, end() {}, broke() {}, full: false };
const NOBODY: Inlet = { drain() {} };
