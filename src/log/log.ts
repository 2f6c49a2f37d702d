/** Log lines: text for people, or one JSON object per line for programs. */
import type { Level, LogConfig } from "../config/config.ts";
import { LEVELS } from "../config/config.ts";
import { LogTail } from "./tail.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Where finished lines go. */
export interface LogSink {
  out(line: string): void;
  err(line: string): void;
}

export class Log {
  readonly format: LogConfig["format"];
  /** What was printed last. */
  readonly tail = new LogTail();
  readonly #verbosity: number;
  readonly #sink: LogSink;
  readonly #wallClock: () => number;

  constructor(config: Pick<LogConfig, "level" | "format">, sink: LogSink, wallClock: () => number) {
    this.format = config.format;
    this.#verbosity = LEVELS.indexOf(config.level);
    this.#sink = sink;
    this.#wallClock = wallClock;
  }

  enabled(level: Level): boolean {
    return LEVELS.indexOf(level) <= this.#verbosity;
  }

  /** `text` is the line in text form; `event` and `fields` make the JSON form. Errors and warnings go to standard error. */
  write(level: Level, event: string, text: string, fields: Fields = {}): void {
    if (!this.enabled(level)) return;
    const time = this.#wallClock();
    this.tail.add(time, level, text);
    const line = this.format === "json" ? json(time, level, event, fields) : text;
    if (level === "error" || level === "warn") this.#sink.err(line);
    else this.#sink.out(line);
  }
}

function json(time: number, level: Level, event: string, fields: Fields): string {
  return JSON.stringify({ time: new Date(time).toISOString(), level, event, ...fields });
}
