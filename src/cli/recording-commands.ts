/** What `weir tap` and `weir replay` can be told. */
import { INSPECT_DIRECTIONS, INSPECT_FORMATS } from "../observe/inspect/inspect-config.ts";
import type { Command } from "./command.ts";
import { LOG_FLAGS } from "./flags.ts";

export const TAP = {
  name: "tap",
  summary: "Relay and show what passes, or write it down",
  about:
    "Relays LISTEN to TARGET and shows what passes: as a dump for people, as JSON lines, or as packets for Wireshark and tshark. Its own messages go to standard error while records go to standard output.",
  positionals: [
    { name: "LISTEN", kind: "listen", about: "Where clients connect; port 0 takes any free port" },
    { name: "TARGET", kind: "target", about: "Where weir connects for each client" },
  ],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        {
          name: "format",
          kind: "choice",
          placeholder: "FORMAT",
          values: INSPECT_FORMATS,
          default: "hex",
          about: "hex (a dump for people), jsonl (JSON lines) or pcap (packets for Wireshark)",
        },
        {
          name: "out",
          short: "o",
          kind: "file",
          default: "-",
          about:
            "Where to; - is standard output. {session}, {client} or {time} in the path make a file for each connection",
        },
        {
          name: "direction",
          kind: "choice",
          placeholder: "WHOSE",
          values: INSPECT_DIRECTIONS,
          default: "both",
          about: "What clients send (upstream), what they get (downstream), or both",
        },
        {
          name: "max-bytes",
          kind: "sizeOrOff",
          default: "off",
          about: "Bytes of a connection after which no more is recorded",
        },
        {
          name: "max-size",
          kind: "sizeOrOff",
          default: "100MiB",
          about: "Size after which a file becomes FILE.1 and a new one begins",
        },
        { name: "keep", kind: "count", default: "9", about: "How many older files are kept" },
      ],
    },
    { title: "Log", flags: LOG_FLAGS },
  ],
  examples: [
    { about: "See what a client and a database say to each other", line: "weir tap 5433 127.0.0.1:5432" },
    { about: "The same for Wireshark", line: "weir tap 5433 127.0.0.1:5432 --format pcap --out db.pcap" },
    {
      about: "One JSON file for each connection, to be sent again later",
      line: "weir tap 8080 127.0.0.1:80 --format jsonl --out web-{session}.jsonl",
    },
  ],
} as const satisfies Command;

export const REPLAY = {
  name: "replay",
  summary: "Send a recording again, and look at what comes back",
  about:
    "Reads a recording, made by weir (jsonl, pcap, or what an observer got as frames) or by tcpdump (pcap), and plays the client of each session in it to TARGET. Exit code: 0 if all were played and, with --compare, all answers were as recorded; 1 if not.",
  positionals: [
    { name: "FILE", kind: "file", about: "The recording" },
    { name: "TARGET", kind: "oneTarget", about: "Where to connect for each session" },
  ],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        {
          name: "speed",
          kind: "speed",
          default: "1",
          about:
            "How many times as fast as recorded; max: each next bytes at once, when the answers before them have come",
        },
        { name: "session", kind: "id", about: "One session alone; of a capture, the number of its TCP stream" },
        { name: "compare", kind: "boolean", about: "Compare the answers with those recorded, byte by byte" },
        {
          name: "timeout",
          kind: "period",
          default: "10s",
          about: "Time to connect, and for which TARGET may be silent while something is expected of it",
        },
      ],
    },
  ],
  examples: [
    {
      about: "Does the new version answer as the old one did?",
      line: "weir replay web.jsonl 127.0.0.1:8081 --speed max --compare",
    },
    { about: "One session of a capture, at its own pace", line: "weir replay web.pcap 127.0.0.1:8081 --session 3" },
  ],
} as const satisfies Command;
