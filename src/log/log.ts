/** Log lines: text for people, or one JSON object per line for programs. */
import type { Level, LogConfig } from "../config/config.ts";
import { LEVELS } from "../config/config.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Where finished lines go. */
export interface LogSink {
  out(line: string): void;
  err(line: string): void;
}

export class Log {
  readonly format: LogConfig["format"];
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
    const line = this.format === "json" ? this.#json(level, event, fields) : text;
    if (level === "error" || level === "warn") this.#sink.err(line);
    else this.#sink.out(line);
  }

  #json(level: Level, event: string, fields: Fields): string {
    return JSON.stringify({ time: new Date(this.#wallClock()).toISOString(), level, event, ...fields });
  }
}
