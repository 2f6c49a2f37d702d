/** Flags that several commands have. */
import { ENGINES, LEVELS } from "../config/config.ts";
import type { Flag } from "./command.ts";

/** What every command that runs something can be told about its log. */
export const LOG_FLAGS = [
  {
    name: "log-level",
    kind: "choice",
    placeholder: "LEVEL",
    values: LEVELS,
    default: "info",
    about: "How much to print: error, warn, info, debug (each connection) or trace (each read)",
  },
  {
    name: "log",
    kind: "choice",
    placeholder: "WHAT",
    values: ["connections", "access"],
    repeatable: true,
    about:
      "Lines to add, with a comma between several: connections (when one opens and closes), access (one record of it when it has ended)",
  },
  {
    name: "log-format",
    kind: "choice",
    placeholder: "FORMAT",
    values: ["text", "json"],
    default: "text",
    about: "For people (text) or for programs (json, which includes access records)",
  },
  { name: "summary-interval", kind: "durationOrOff", default: "10s", about: "Time between summary lines" },
  { name: "quiet", short: "q", kind: "boolean", about: "Print errors alone, whatever the other log flags say" },
] as const satisfies readonly Flag[];

export const ENGINE_FLAGS = [
  {
    name: "engine",
    kind: "choice",
    placeholder: "ENGINE",
    values: ENGINES,
    default: "auto",
    about:
      "What relays the bytes: native (threads over libc, Linux under Bun and Deno), portable (the runtime's sockets), or auto: native where it works",
  },
  { name: "workers", kind: "workers", default: "auto", about: "Threads of the native engine; auto: one for each core" },
] as const satisfies readonly Flag[];

export const TOKEN_ENV = {
  name: "token-env",
  kind: "label",
  about: "Environment variable with the token that changes over the API need; without one, loopback alone may change",
} as const;

export const SEED = {
  name: "seed",
  kind: "count",
  about: "Where all chance in faults comes from: the same seed, the same chances; another one at each start without it",
} as const;

export const GRACE = {
  name: "grace",
  kind: "duration",
  default: "60s",
  about: "How long connections may take to finish, once weir is told to stop, before they are cut",
} as const;
