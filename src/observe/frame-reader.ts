/** Reads what `framed.ts` writes, however its bytes are cut. */
import * as v from "valibot";
import { DIRECTIONS } from "../filter/step.ts";
import { REASONS } from "../metrics/reason.ts";
import { UsageError } from "../net/errors.ts";

/** A line that is longer is none. */
const LINE_MAX = 65_536;
/** Bytes behind one line. */
const LENGTH_MAX = 1 << 28;
const NEWLINE = 10;

const number = (max = Number.MAX_SAFE_INTEGER) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));

const ORIGIN = {
  /** When it passed weir: ISO 8601, UTC. */
  time: v.string(),
  proxy: v.string(),
  session: number(),
  client: v.string(),
};
const PLACE = {
  direction: v.picklist(DIRECTIONS),
  /** Bytes of this direction before it. */
  offset: number(),
  /** How many of those were skipped since the frame before it. */
  gap: v.optional(number(), 0),
};

/** What a line may say; it may say more. */
const LINES = {
  data: v.object({ ...ORIGIN, ...PLACE, event: v.optional(v.literal("data"), "data"), length: number(LENGTH_MAX) }),
  end: v.object({ ...ORIGIN, ...PLACE, event: v.literal("end"), length: v.literal(0) }),
  close: v.object({ ...ORIGIN, event: v.literal("close"), reason: v.picklist(REASONS), length: v.literal(0) }),
} as const;

type Line = v.InferOutput<(typeof LINES)[keyof typeof LINES]>;

/** The bytes are the receiver's own. A frame of the event `data` without any tells of a gap alone. */
export type Frame = Line & { readonly bytes: Uint8Array };

/**
 *     const reader = new FrameReader((frame) => console.log(frame.session, frame.event));
 *     for await (const chunk of file) reader.push(chunk);
 *     if (reader.pending > 0) console.log("the last frame is cut short");
 */
export class FrameReader {
  readonly #found: (frame: Frame) => void;
  /** The line that has begun, or the bytes behind one. */
  #part = new Uint8Array(0);
  #filled = 0;
  /** The line whose bytes are being read, and its own size in bytes. */
  #line: Line | undefined;
  #lineSize = 0;
  /** Where the frame begins. */
  #at = 0;

  constructor(found: (frame: Frame) => void) {
    this.#found = found;
  }

  /** Bytes of a frame that has begun and is not complete. */
  get pending(): number {
    return this.#filled + this.#lineSize;
  }

  /** @throws {UsageError} `EFRAME`, saying at which byte there is something else than a frame, and what is wrong. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.#line ? this.#readBody(this.#line, rest) : this.#readLine(rest);
  }

  /** Takes what belongs to the line, and gives the rest back. */
  #readLine(chunk: Uint8Array): Uint8Array {
    const newline = chunk.indexOf(NEWLINE);
    const end = newline < 0 ? chunk.length : newline + 1;
    if (this.#filled + end > LINE_MAX) this.#fail("its line is too long");
    this.#keep(chunk.subarray(0, end), this.#filled + end);
    if (newline < 0) return chunk.subarray(end);
    this.#lineSize = this.#filled;
    this.#line = this.#parse(new TextDecoder().decode(this.#part.subarray(0, this.#filled)));
    this.#filled = 0;
    if (this.#line.length === 0) this.#tell(this.#line, new Uint8Array(0));
    return chunk.subarray(end);
  }

  #readBody(line: Line, chunk: Uint8Array): Uint8Array {
    const count = Math.min(line.length - this.#filled, chunk.length);
    this.#keep(chunk.subarray(0, count), line.length);
    if (this.#filled < line.length) return chunk.subarray(count);
    const bytes = this.#part.subarray(0, this.#filled);
    this.#part = new Uint8Array(0);
    this.#filled = 0;
    this.#tell(line, bytes);
    return chunk.subarray(count);
  }

  /** `needed`: how many bytes there are going to be. */
  #keep(bytes: Uint8Array, needed: number): void {
    if (this.#part.length < needed) {
      const part = new Uint8Array(needed);
      part.set(this.#part.subarray(0, this.#filled));
      this.#part = part;
    }
    this.#part.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  #tell(line: Line, bytes: Uint8Array): void {
    this.#at += this.#lineSize + bytes.length;
    this.#line = undefined;
    this.#lineSize = 0;
    this.#found({ ...line, bytes });
  }

  #parse(text: string): Line {
    const fields = this.#fields(text);
    const event = fields["event"] ?? "data";
    const known = typeof event === "string" && Object.hasOwn(LINES, event);
    if (!known) return this.#fail(`there is no event ${JSON.stringify(event)}`);
    const result = v.safeParse(LINES[event as keyof typeof LINES], fields);
    if (result.success) return result.output;
    const [issue] = result.issues;
    return this.#fail(`"${v.getDotPath(issue)}": ${issue.message}`);
  }

  #fields(text: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
    } catch {
      // Said below.
    }
    return this.#fail("it does not begin with a line of JSON");
  }

  #fail(why: string): never {
    throw new UsageError("EFRAME", `Cannot read the frame at byte ${this.#at}: ${why}`);
  }
}
