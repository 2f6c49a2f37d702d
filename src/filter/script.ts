/** Filters that users write, in modules of their own. */
import type { Chunk, Timer } from "../net/runtime.ts";
import { type Direction, Step, type StepContext } from "./step.ts";

/**
 * What a filter module exports as its default: weir calls it once for each session, when both sides are connected and
 * before the first byte. What it answers sees the bytes of this session alone; undefined leaves them untouched.
 *
 * Whatever throws here or in a handler ends its session, both sides with RST and the reason `filter_failed`, and no
 * other one. Nothing here may be async: bytes go on in the order in which they came.
 *
 * ```ts
 * import type { ScriptFilter } from "weir";
 *
 * const shout: ScriptFilter = ({ client, options }) => {
 *   if (client.startsWith(String(options.except))) return undefined;
 *   const decoder = new TextDecoder();
 *   return {
 *     downstream: (chunk, out) => out.write(decoder.decode(chunk, { stream: true }).toUpperCase()),
 *   };
 * };
 * export default shout;
 * ```
 */
export type ScriptFilter = (session: FilterSession) => FilterHandlers | undefined;

/** The session that a filter is for. */
export interface FilterSession {
  /** As in records and logs. */
  readonly id: number;
  /** Addresses, as in records: `10.0.0.7:51234`, `[::1]:51234`, `unix:/run/x.sock`. */
  readonly client: string;
  readonly target: string;
  /** The name of the proxy. */
  readonly proxy: string;
  /** What the configuration has under `options`; the same for all sessions, so leave it as it is. */
  readonly options: FilterOptions;
}

export type FilterOptions = Readonly<Record<string, unknown>>;

/** What a filter does with the bytes of its session. Those of a direction without a handler are passed on. */
export interface FilterHandlers {
  /**
   * Bytes from the client. Nothing of them reaches the target but what is written to `out`.
   *
   * `chunk` is on loan until the handler returns: read it, write it or parts of it, copy what is to stay. Where it
   * begins and ends means nothing, TCP cuts as it likes.
   */
  upstream?(chunk: Uint8Array, out: FilterOut): void;
  /** The same for bytes from the target. */
  downstream?(chunk: Uint8Array, out: FilterOut): void;
  /** The FIN of one direction; it is passed on behind what is still written here. */
  end?(direction: Direction, out: FilterOut): void;
  /** The session is over, however that came: once, last. Nothing can be written any more. */
  close?(): void;
}

/** Where the bytes of one direction go on. It stays the same for the whole session. */
export interface FilterOut {
  /** Takes all of `chunk`, of a string its UTF-8. Does nothing once the direction has ended. */
  write(chunk: Uint8Array | string): void;
  /** Ends the session: FIN both ways, behind what was passed on. `why` is for logs and records. */
  close(why: string): void;
  /** Ends the session at once: RST both ways. `why` is for logs and records. */
  reset(why: string): void;
}

export interface ScriptConfig {
  readonly type: "script";
  readonly direction: Direction | "both";
  /** The module, as it was written. */
  readonly path: string;
  readonly options: FilterOptions;
}

/** One script in one session: what its steps, one for each direction, have in common. */
export class Script {
  readonly #config: ScriptConfig;
  readonly #filter: ScriptFilter | undefined;
  readonly #session: Omit<FilterSession, "options">;
  handlers: FilterHandlers = {};
  /** It has ended the session, or failed: no handler sees bytes any more, and none pass. */
  over = false;
  /** Not even a FIN passes. */
  cut = false;
  #steps = 0;
  #timer: Timer | undefined;

  /** `filter`: what the module exports; undefined if it is not there, which ends every session. */
  constructor(config: ScriptConfig, filter: ScriptFilter | undefined, session: Omit<FilterSession, "options">) {
    this.#config = config;
    this.#filter = filter;
    this.#session = session;
  }

  /** One for each direction, all before the first byte. If the script throws, the session ends later than this returns. */
  step(context: StepContext): Step {
    if (this.#steps++ === 0) this.#begin(context);
    return new ScriptStep(this, context);
  }

  /** Ends the session for a reason of its own. */
  leave(how: "close" | "cut", why: string, context: StepContext): void {
    if (this.cut) return;
    this.over = true;
    this.cut = how === "cut";
    context[how]("rejected", this.#named(why));
  }

  /** Ends the session for what was thrown. */
  fail(error: unknown, context: StepContext): void {
    if (this.cut) return;
    this.over = true;
    this.cut = true;
    context.cut("filter_failed", this.#named(wordsOf(error)));
  }

  /** A step has stopped. */
  stopped(context: StepContext): void {
    if (--this.#steps > 0) return;
    this.#timer?.cancel();
    this.over = true;
    try {
      refusePromise(this.handlers.close?.());
    } catch (error) {
      this.fail(error, context);
    }
  }

  #begin(context: StepContext): void {
    try {
      if (!this.#filter) throw new Error("the module is not loaded");
      const handlers = this.#filter({ ...this.#session, options: this.#config.options });
      refusePromise(handlers);
      this.handlers = handlers ?? {};
    } catch (error) {
      this.over = true;
      this.cut = true;
      this.#timer = context.runtime.after(0, () => context.cut("filter_failed", this.#named(wordsOf(error))));
    }
  }

  /** With the script in front, for logs. */
  #named(why: string): string {
    return `${this.#config.path}: ${why}`;
  }
}

const encoder = new TextEncoder();

class ScriptStep extends Step {
  readonly #script: Script;
  readonly #context: StepContext;
  readonly #out: FilterOut;
  /** The FIN has passed, or the session is over. */
  #ended = false;
  #stopped = false;
  /** What the next one has said last. */
  #room = true;

  constructor(script: Script, context: StepContext) {
    super();
    this.#script = script;
    this.#context = context;
    this.#out = {
      write: (chunk) => this.#write(chunk),
      close: (why) => this.#leave("close", why),
      reset: (why) => this.#leave("cut", why),
    };
  }

  override write(chunk: Chunk): boolean {
    const { over, handlers } = this.#script;
    const { direction } = this.#context;
    if (over || this.#ended) return true;
    if (!handlers[direction]) return this.next.write(chunk);
    this.#room = true;
    try {
      refusePromise(handlers[direction](chunk, this.#out));
    } catch (error) {
      this.#script.fail(error, this.#context);
    }
    return this.#room;
  }

  override end(): void {
    const { over, handlers } = this.#script;
    try {
      if (!over && !this.#ended) refusePromise(handlers.end?.(this.#context.direction, this.#out));
    } catch (error) {
      this.#script.fail(error, this.#context);
    }
    if (this.#ended || this.#script.cut) return;
    this.#ended = true;
    this.next.end();
  }

  override stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#ended = true;
    this.#script.stopped(this.#context);
  }

  #write(chunk: Uint8Array | string): void {
    if (typeof chunk !== "string" && !(chunk instanceof Uint8Array)) {
      throw new TypeError("out.write() takes a Uint8Array or a string");
    }
    if (this.#ended || this.#script.over || chunk.length === 0) return;
    this.#room = this.next.write(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
  }

  #leave(how: "close" | "cut", why: string): void {
    if (this.#ended || this.#script.over) return;
    // Who closes the session sends the FIN of this direction.
    this.#ended = true;
    this.#script.leave(how, why, this.#context);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

/** A handler that is async would write when the bytes behind those have long gone on. */
function refusePromise(answer: unknown): void {
  if (!(answer instanceof Promise)) return;
  // It has failed already; what becomes of it is nobody's concern.
  answer.catch(() => {});
  throw new TypeError("filters and their handlers must not be async");
}
