/** Everything that can be typed after `weir`: parsing, help and errors all come from this table. */
import { DEFAULT_ADMIN, ENGINES, LEVELS, REFUSALS } from "../config/config.ts";
import type { Flag, Program } from "./command.ts";

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

const ENGINE_FLAGS = [
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

const GRACE = {
  name: "grace",
  kind: "duration",
  default: "60s",
  about: "How long connections may take to finish, once weir is told to stop, before they are cut",
} as const;

export const program = {
  name: "weir",
  about: "A TCP relay you can put in front of anything",
  help: { name: "help", short: "h", kind: "boolean", about: "Print this help" },
  version: { name: "version", short: "V", kind: "boolean", about: "Print the version" },
  examples: [
    { about: "See it work, on free ports of this machine", line: "weir demo" },
    {
      about: "Put weir in front of a server and print each connection",
      line: "weir tcp 8080 example.com:80 --log connections",
    },
    { about: "Run what a file says", line: "weir run weir.toml" },
  ],
  commands: [
    {
      name: "tcp",
      summary: "Relay one address to one target",
      about:
        "Accepts connections on LISTEN and relays each of them to TARGET, both ways, until both sides have finished. One side may finish first: the other goes on.",
      positionals: [
        { name: "LISTEN", kind: "listen", about: "Where clients connect; port 0 takes any free port" },
        { name: "TARGET", kind: "target", about: "Where weir connects for each client" },
      ],
      flagGroups: [
        {
          title: "Flags",
          flags: [
            { name: "name", kind: "label", default: "proxy-1", about: "What logs and metrics call the proxy" },
            { name: "metrics", kind: "listenOrOff", default: DEFAULT_ADMIN, about: "Where to serve metrics and API" },
            ...ENGINE_FLAGS,
            GRACE,
          ],
        },
        {
          title: "Timeouts",
          flags: [
            { name: "connect-timeout", kind: "durationOrOff", default: "5s", about: "To reach the target" },
            { name: "idle-timeout", kind: "durationOrOff", default: "10m", about: "Without a byte either way" },
            {
              name: "fin-timeout",
              kind: "durationOrOff",
              default: "30s",
              about: "Without a byte the other way, after one side has finished",
            },
            {
              name: "lifetime",
              kind: "durationOrOff",
              default: "off",
              about: "From accept to the end, whatever happens in between",
            },
          ],
        },
        {
          title: "Sockets",
          flags: [
            {
              name: "buffer",
              kind: "buffer",
              default: "256KiB",
              about: "Bytes held per direction before weir stops reading",
            },
            {
              name: "nodelay",
              kind: "boolean",
              negatable: true,
              default: "on",
              about: "Send small writes at once (TCP_NODELAY)",
            },
            {
              name: "retries",
              kind: "retries",
              default: "0",
              about: "How often a target that cannot be connected is tried again, after 100 ms and longer",
            },
            { name: "source", kind: "ip", about: "Local IP address from which the target is connected" },
            { name: "keepalive", kind: "durationOrOff", default: "off", about: "Silence before TCP keepalive probes" },
          ],
        },
        {
          title: "Access",
          flags: [
            {
              name: "allow",
              kind: "cidr",
              repeatable: true,
              about: "Let these clients in, and nobody else whom no range holds; the narrowest range decides",
            },
            { name: "deny", kind: "cidr", repeatable: true, about: "Shut these clients out" },
            {
              name: "refuse",
              kind: "choice",
              placeholder: "HOW",
              values: REFUSALS,
              default: "reset",
              about: "What a client gets that is shut out: reset (RST) or close (FIN)",
            },
          ],
        },
        { title: "Log", flags: LOG_FLAGS },
      ],
      examples: [
        { about: "Port 8080 of this machine to a web server", line: "weir tcp 8080 example.com:80" },
        {
          about: "Every interface to a database, cutting connections after an idle hour",
          line: "weir tcp :5432 10.0.0.1:5432 --idle-timeout 1h",
        },
        {
          about: "A port to a unix socket, one JSON record for each connection",
          line: "weir tcp 8080 unix:/run/app.sock --log-format json",
        },
      ],
    },
    {
      name: "run",
      summary: "Run the proxies of a configuration file",
      about:
        "Runs every proxy of a configuration file. Flags override the file; defaults hold where neither says anything.",
      positionals: [
        { name: "CONFIG", kind: "file", about: "A file in weir's TOML, or one of tcp-clone or basic-tcp-proxy" },
      ],
      flagGroups: [
        {
          title: "Flags",
          flags: [
            { name: "metrics", kind: "listenOrOff", default: DEFAULT_ADMIN, about: "Where to serve metrics and API" },
            ...ENGINE_FLAGS,
            GRACE,
          ],
        },
        { title: "Log", flags: LOG_FLAGS },
      ],
      examples: [
        { about: "Run what a file says", line: "weir run weir.toml" },
        {
          about: "The same, with a record of each connection and metrics elsewhere",
          line: "weir run weir.toml --log access --metrics 127.0.0.1:9000",
        },
      ],
    },
    {
      name: "check",
      summary: "Find every problem of a configuration file",
      about: "Reads a configuration file and reports all that is wrong with it, or prints what would run.",
      positionals: [
        { name: "CONFIG", kind: "file", about: "A file in weir's TOML, or one of tcp-clone or basic-tcp-proxy" },
      ],
      flagGroups: [
        { title: "Flags", flags: [{ name: "quiet", short: "q", kind: "boolean", about: "Print problems alone" }] },
      ],
      examples: [{ about: "Before a restart", line: "weir check weir.toml" }],
    },
    {
      name: "explain",
      summary: "Tell which rule lets a client in or shuts it out",
      about:
        "Reads a configuration file and says, without a connection, whether its proxies let a client in, and by which rule. Exit code: 0 if all that were asked about let it in, 1 if not.",
      positionals: [{ name: "CONFIG", kind: "file", about: "A file in weir's TOML" }],
      flagGroups: [
        {
          title: "Flags",
          flags: [
            { name: "from", kind: "ip", about: "The client's IP address" },
            { name: "to", kind: "label", about: "The name of one proxy alone" },
          ],
        },
      ],
      examples: [{ about: "Why can this client not connect?", line: "weir explain weir.toml --from 10.0.13.5" }],
    },
    {
      name: "echo",
      summary: "Send back what comes in: a server to try things with",
      positionals: [
        {
          name: "LISTEN",
          kind: "listen",
          default: "127.0.0.1:0",
          about: "Where clients connect; port 0 takes any free port",
        },
      ],
      flagGroups: [
        { title: "Flags", flags: [GRACE] },
        { title: "Log", flags: LOG_FLAGS },
      ],
      examples: [
        { about: "On a free port", line: "weir echo" },
        { about: "On port 7000 of every interface", line: "weir echo :7000" },
      ],
    },
    {
      name: "demo",
      summary: "Show it all in one process, on free ports",
      about:
        "Starts an echo server, a proxy in front of it and metrics, on free ports, and sends some bytes through them.",
      positionals: [],
      flagGroups: [
        {
          title: "Flags",
          flags: [{ name: "seconds", kind: "seconds", about: "End after this many seconds, not at Ctrl+C" }],
        },
        { title: "Log", flags: LOG_FLAGS },
      ],
      examples: [{ about: "End by itself", line: "weir demo --seconds 10" }],
    },
    {
      name: "version",
      summary: "Print the version",
      positionals: [],
      flagGroups: [
        { title: "Flags", flags: [{ name: "verbose", kind: "boolean", about: "Print what it runs on as well" }] },
      ],
      examples: [{ about: "For a bug report", line: "weir version --verbose" }],
    },
    {
      name: "help",
      summary: "Explain weir or one of its commands",
      positionals: [{ name: "COMMAND", kind: "command", default: "", about: "The command to explain" }],
      flagGroups: [],
      examples: [{ about: "What tcp can do", line: "weir help tcp" }],
    },
  ],
} as const satisfies Program;
