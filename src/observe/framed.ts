/**
 * The framed form of what observers get: each read behind one line of JSON that says whose it is and where it belongs.
 *
 *     {"time":"2026-01-01T00:00:00.000Z","proxy":"web","session":7,"client":"10.0.0.9:5000",
 *      "direction":"upstream","offset":120,"length":5,"gap":20}⏎hello            (in one line)
 *     {…,"direction":"upstream","event":"end","offset":125,"length":0}⏎          the FIN of that direction
 *     {…,"event":"close","reason":"client_closed","length":0}⏎                   the session is over
 *
 * `offset` counts the bytes of that direction before the frame, those that were lost included. `gap`, left out if it is
 * 0, is how many of them were skipped since the frame before it in that direction. What a broken connection has lost is
 * in no `gap`, but shows in `offset`. A connection begins with a whole frame. See `frame-reader.ts`.
 */
import type { Direction } from "../filter/step.ts";
import type { Reason } from "../metrics/reason.ts";

/** The session that frames are about. */
export interface SessionInfo {
  readonly proxy: string;
  readonly id: number;
  /** Its address and port. */
  readonly client: string;
}

const ENCODER = new TextEncoder();

/** Writes the lines of one session. */
export class FrameWriter {
  readonly #wallClock: () => number;
  readonly #session: string;

  /** `wallClock`: milliseconds since 1970. */
  constructor({ proxy, id, client }: SessionInfo, wallClock: () => number) {
    this.#wallClock = wallClock;
    this.#session = `"proxy":${JSON.stringify(proxy)},"session":${id},"client":${JSON.stringify(client)}`;
  }

  /** Bytes of a line at most. */
  get longest(): number {
    const most = Number.MAX_SAFE_INTEGER;
    return this.data("downstream", most, most, most).length;
  }

  /** The line before `length` bytes. */
  data(direction: Direction, offset: number, length: number, gap: number): Uint8Array {
    return this.#line(`"direction":"${direction}","offset":${offset},"length":${length}`, gap);
  }

  end(direction: Direction, offset: number, gap: number): Uint8Array {
    return this.#line(`"direction":"${direction}","event":"end","offset":${offset},"length":0`, gap);
  }

  close(reason: Reason): Uint8Array {
    return this.#line(`"event":"close","reason":"${reason}","length":0`, 0);
  }

  #line(what: string, gap: number): Uint8Array {
    const time = new Date(this.#wallClock()).toISOString();
    const skipped = gap > 0 ? `,"gap":${gap}` : "";
    return ENCODER.encode(`{"time":"${time}",${this.#session},${what}${skipped}}\n`);
  }
}

/** Where frames are put together: one for all observers of a thread. */
export class FrameBench {
  #bytes = new Uint8Array(0);

  /** Both in one piece, valid until the next call. */
  join(head: Uint8Array, body: Uint8Array): Uint8Array {
    const length = head.length + body.length;
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    this.#bytes.set(head);
    this.#bytes.set(body, head.length);
    return this.#bytes.subarray(0, length);
  }
}
