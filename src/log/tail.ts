/** The last lines of the log, for whoever looks on: a ring of fixed length. */
import type { Level } from "../config/config.ts";

export interface LogLine {
  /** Counted from 1 over all lines there ever were. */
  readonly number: number;
  /** Milliseconds since 1970 UTC. */
  readonly time: number;
  readonly level: Level;
  /** The line in text form, whatever the format of the log. */
  readonly text: string;
}

/** Lines that are kept, and characters of each: stacks can be long, and so can what clients make up. */
const LINES = 200;
const LENGTH = 1_000;

export class LogTail {
  readonly #lines: LogLine[] = [];
  #last = 0;

  /** The number of the last line; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  add(time: number, level: Level, text: string): void {
    const number = ++this.#last;
    const kept = text.length > LENGTH ? `${text.slice(0, LENGTH)}…` : text;
    this.#lines[(number - 1) % LINES] = { number, time, level, text: kept };
  }

  /** Those that came after the line `number` and are still there, oldest first. */
  since(number: number): readonly LogLine[] {
    const first = Math.max(number, this.#last - LINES);
    const lines = Array.from({ length: Math.max(0, this.#last - first) }, (_, at) => this.#lines[(first + at) % LINES]);
    return lines.filter((line) => line !== undefined);
  }
}
