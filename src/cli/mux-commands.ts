/** What `weir mux`, and the commands beside it, can be told. */
import { MATCHES } from "../mux/message.ts";
import { PROTOCOL_NAMES } from "../mux/mux-config.ts";
import type { Command } from "./command.ts";
import { TCP_FLAGS_OF_MUX } from "./tcp-flags.ts";

const PROTOCOL = {
  kind: "choice",
  short: "p",
  placeholder: "PROTO",
  values: PROTOCOL_NAMES,
  default: "echo",
  about: `How messages are cut: ${PROTOCOL_NAMES.join(", ")}; "weir mux list" explains them`,
} as const;

export const MUX_LISTEN = "8000";
export const MUX_TARGET = "127.0.0.1:1234";

export const MUX = {
  name: "mux",
  summary: "Let many clients share few connections to a target",
  about:
    'Cuts what clients send into requests, sends them to the target over connections that all clients share, and gives each its own replies. "weir mux list" tells the protocols. LISTEN and TARGET may stand for --listen and --target; besides its own flags it has those of "weir tcp".',
  positionals: [
    { name: "LISTEN", kind: "listenTls", default: "", about: "Where clients connect; instead of --listen" },
    {
      name: "TARGET",
      kind: "target",
      default: "",
      repeatable: true,
      about: "What they share connections to; instead of --target. Options follow behind commas: weight=N, backup",
    },
  ],
  flagGroups: [
    {
      title: "Sharing",
      flags: [
        { name: "protocol", ...PROTOCOL },
        {
          name: "listen",
          short: "l",
          kind: "listenTls",
          default: MUX_LISTEN,
          about: "Where clients connect; a port alone is 127.0.0.1's, :8000 every interface's",
        },
        {
          name: "target",
          short: "t",
          kind: "target",
          repeatable: true,
          default: MUX_TARGET,
          about: "What they share connections to; of several, --balance chooses one for each client",
        },
        {
          name: "connections",
          kind: "sharedAboveZero",
          default: "1",
          about: "Connections to each target, at most",
        },
        { name: "warm", kind: "shared", default: "0", about: "So many of them are opened beforehand, and kept" },
        {
          name: "in-flight",
          kind: "sharedAboveZero",
          default: "1",
          about: "Requests under way on one connection: more than 1 if the target reads ahead",
        },
        {
          name: "max-in-flight-per-client",
          kind: "shared",
          default: "0",
          about: "Requests of one client under way, 0 for as many as --in-flight",
        },
        {
          name: "queue-per-client",
          kind: "sharedAboveZero",
          default: "100",
          about: "Requests of one client that wait; beyond them its socket is not read",
        },
        {
          name: "timeout",
          kind: "durationOrOff",
          default: "30s",
          about: "For a reply, and without a byte of one that has begun",
        },
        {
          name: "message-timeout",
          kind: "durationOrOff",
          default: "30s",
          about: "From the first byte of a request to its last",
        },
        {
          name: "request-retries",
          kind: "requestRetries",
          default: "1",
          about: "How often a request that may be repeated is sent again, when its connection has died",
        },
        { name: "max-age", kind: "durationOrOff", default: "off", about: "Time after which a connection is replaced" },
        {
          name: "idle",
          kind: "durationOrOff",
          default: "off",
          about: "Time without a request after which a connection is closed",
        },
        {
          name: "close-with-last-client",
          kind: "boolean",
          about: "Close the connections when the last client leaves",
        },
        { name: "max-message", kind: "message", default: "1MiB", about: "Bytes of a message at most" },
        {
          name: "delimiter",
          kind: "delimiter",
          default: "\\n",
          about: "What ends a message of echo; \\r \\n \\t \\\\ and \\x03 are understood",
        },
        {
          name: "length",
          kind: "lengthField",
          default: "width=2",
          about: "Where a message of length says how long it is, and whether that counts all of it or the rest",
        },
        {
          name: "match",
          kind: "choice",
          placeholder: "HOW",
          values: MATCHES,
          default: "order",
          about: "How replies of iso8583 find who asked: by their order, or by stan (fields 11 and 41)",
        },
      ],
    },
    ...TCP_FLAGS_OF_MUX,
  ],
  examples: [
    {
      about: "Everybody on one connection to a payment switch, ten requests at a time",
      line: "weir mux -p iso8583 -l :8000 -t 10.0.0.5:5000 --in-flight 10 --match stan",
    },
    {
      about: "Two connections to a PLC that allows no more",
      line: "weir mux -p modbus :502 10.0.0.7:502 --connections 2 --timeout 2s",
    },
    { about: "Lines that end in CR LF", line: "weir mux 8000 127.0.0.1:1234 --delimiter '\\r\\n'" },
  ],
} as const satisfies Command;

export const MUX_LIST = {
  name: "mux list",
  summary: "Tell the protocols that weir mux knows",
  positionals: [],
  flagGroups: [{ title: "Flags", flags: [] }],
  examples: [{ about: "Each with an example", line: "weir mux list" }],
} as const satisfies Command;

export const MUX_SERVER = {
  name: "mux server",
  summary: "The same with the flags of tcp-multiplexer",
  about:
    "Takes the command line of tcp-multiplexer, as weir does when it is started under that name. A port alone is that of every interface.",
  positionals: [],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        { name: "applicationProtocol", ...PROTOCOL },
        { name: "listen", short: "l", kind: "portOrListen", default: MUX_LISTEN, about: "Where clients connect" },
        {
          name: "targetServer",
          short: "t",
          kind: "target",
          default: MUX_TARGET,
          about: "What they share a connection to",
        },
        { name: "verbose", short: "v", kind: "boolean", about: "Print more" },
      ],
    },
  ],
  examples: [{ about: "As it was", line: "weir mux server -p echo -l 8000 -t 127.0.0.1:1234" }],
} as const satisfies Command;
