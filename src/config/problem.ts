/**
 * What can be wrong with a configuration, and the error that tells the user all of it at once.
 */
import { UsageError } from "../net/errors.ts";

/** The way to a value through tables (names) and arrays (positions): `["proxy", 0, "listen"]`. */
export type Path = readonly (string | number)[];

/** Something wrong at a path. A key that is missing counts as a value of the table it should be in. */
export interface Problem {
  readonly path: Path;
  /** Whether the key itself is wrong or what it is set to. */
  readonly at: "key" | "value";
  /** Continues after a colon: what is wrong and what to do about it. */
  readonly message: string;
}

/** A problem with what something is set to. */
export function wrong(path: Path, message: string): Problem {
  return { path, at: "value", message };
}

/** A problem with its place in a file; lines and columns count from 1. */
export interface LocatedProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** As in `proxy[0].timeouts.idle`; empty where the file as a whole is wrong. */
  readonly path: string;
  readonly message: string;
}

/** A configuration file is wrong. The message has one line per problem: `weir.toml:12:9: proxy[0].listen: …`. */
export class ConfigError extends UsageError {
  readonly problems: readonly LocatedProblem[];
  constructor(problems: readonly LocatedProblem[]) {
    super("ECONFIG", problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

/** `proxy[0].timeouts.idle`; keys that TOML would want quoted are quoted. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += `${text === "" ? "" : "."}${/^[\w-]+$/.test(part) ? part : JSON.stringify(part)}`;
  }
  return text;
}

function formatProblem({ file, line, column, path, message }: LocatedProblem): string {
  return visible(`${file}:${line}:${column}: ${path === "" ? "" : `${path}: `}${message}`);
}

/** Messages quote what the user wrote: a line feed or an escape sequence in it must not reach the terminal. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
