/** The commands that look at a running weir. */
import { DEFAULT_ADMIN } from "../config/config.ts";
import type { Command, Flag, Positional } from "./command.ts";

const ADMIN_URL = {
  name: "ADMIN-URL",
  kind: "admin",
  default: DEFAULT_ADMIN,
  about:
    "Where the weir that is asked serves metrics and API, such as http://127.0.0.1:8998, 8998 or unix:/run/weir.sock",
} as const satisfies Positional;

const TIMEOUT = {
  name: "timeout",
  kind: "period",
  default: "5s",
  about: "How long an answer may take",
} as const satisfies Flag;

export const STATUS = {
  name: "status",
  summary: "Tell what a running weir does",
  about:
    "Asks a running weir what it relays: proxies and their targets, what clients share, bridges of datagrams, with connections, bytes and how fast they came since its start. Exit code: 0 if it is ready, 1 if it does not answer or takes no more connections.",
  positionals: [ADMIN_URL],
  flagGroups: [
    {
      title: "Flags",
      flags: [{ name: "json", kind: "boolean", about: "Print one JSON object, for programs" }, TIMEOUT],
    },
  ],
  examples: [
    { about: "The weir of this machine", line: "weir status" },
    { about: "For a program", line: "weir status http://127.0.0.1:8998 --json" },
  ],
} as const satisfies Command;

export const TOP = {
  name: "top",
  summary: "Watch a running weir in the terminal",
  about:
    "Shows what a running weir relays, and how fast, as it changes: proxies with their targets, bridges of datagrams, live connections. ? shows the keys, q ends it.",
  positionals: [ADMIN_URL],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        { name: "interval", kind: "period", default: "1s", about: "Time from one look to the next, 100ms at least" },
        TIMEOUT,
      ],
    },
  ],
  examples: [
    { about: "The weir of this machine", line: "weir top" },
    { about: "Another one, every five seconds", line: "weir top 127.0.0.1:9000 --interval 5s" },
  ],
} as const satisfies Command;
