/** Everything that can be typed after `weir`: parsing, help and errors all come from this table. */
import { DEFAULT_ADMIN } from "../config/config.ts";
import type { Program } from "./command.ts";
import { ENGINE_FLAGS, GRACE, LOG_FLAGS, SEED, TOKEN_ENV } from "./flags.ts";
import { LOAD } from "./load-commands.ts";
import { MUX, MUX_LIST, MUX_SERVER } from "./mux-commands.ts";
import { STATUS, TOP } from "./overview-commands.ts";
import { REPLAY, TAP } from "./recording-commands.ts";
import { SETUP_COMMANDS } from "./setup-commands.ts";
import { TCP_FLAGS } from "./tcp-flags.ts";
import { UDP_COMMANDS } from "./udp-commands.ts";

export const program = {
  name: "weir",
  about: "A relay for TCP, UDP and TLS to put in front of anything",
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
      summary: "Relay one address to one target or several",
      about:
        "Accepts connections on LISTEN and relays each of them to a TARGET, both ways, until both sides have finished. One side may finish first: the other goes on.",
      positionals: [
        { name: "LISTEN", kind: "listenTls", about: "Where clients connect; port 0 takes any free port" },
        {
          name: "TARGET",
          kind: "target",
          repeatable: true,
          about:
            "Where weir connects for each client; of several, --balance chooses. A name behind dns:// or dns+srv:// stands for all its addresses. Options follow behind commas: weight=N, backup, max_connections=N, and for TLS clients alone that ask for it, sni=NAME, sni=*.NAME, alpn=PROTOCOL",
        },
      ],
      flagGroups: TCP_FLAGS,
      examples: [
        { about: "Port 8080 of this machine to a web server", line: "weir tcp 8080 example.com:80" },
        {
          about: "Every interface to a database, cutting connections after an idle hour",
          line: "weir tcp :5432 10.0.0.1:5432 --idle-timeout 1h",
        },
        {
          about: "The less busy of two healthy servers, and a third for when both are down",
          line: "weir tcp :80 10.0.0.1:80 10.0.0.2:80 10.0.0.3:80,backup --balance random_two --health-http /health",
        },
        {
          about: "At most 100 connections at once, and those from one network alone",
          line: "weir tcp :5432 10.0.0.1:5432 --max-connections 100 --allow 10.0.0.0/8",
        },
        {
          about: "A port to a unix socket, one JSON record for each connection",
          line: "weir tcp 8080 unix:/run/app.sock --log-format json",
        },
        {
          about: "TLS to the server whose name the client asks for, without decrypting it",
          line: "weir tcp :443 10.0.0.1:443,sni=*.example.com 10.0.0.2:443,sni=example.org,sni=www.example.org",
        },
      ],
    },
    {
      name: "run",
      summary: "Run the proxies of a configuration file",
      about:
        "Runs every proxy of a configuration file. Flags override the file; defaults hold where neither says anything.",
      positionals: [
        {
          name: "CONFIG",
          kind: "file",
          default: "",
          about: "A file in weir's TOML, or one of tcp-clone or basic-tcp-proxy; needed without --toxiproxy",
        },
      ],
      flagGroups: [
        {
          title: "Flags",
          flags: [
            { name: "metrics", kind: "listenOrOff", default: DEFAULT_ADMIN, about: "Where to serve metrics and API" },
            TOKEN_ENV,
            {
              name: "watch",
              kind: "boolean",
              about: "Read the file again whenever it, or one that it names, has changed; SIGHUP does so once",
            },
            {
              name: "toxiproxy",
              kind: "listen",
              about: "Where to serve Toxiproxy's API, usually 127.0.0.1:8474; CONFIG may be left out then",
            },
            SEED,
            ...ENGINE_FLAGS,
            GRACE,
          ],
        },
        { title: "Log", flags: LOG_FLAGS },
      ],
      examples: [
        { about: "Run what a file says", line: "weir run weir.toml" },
        { about: "And follow its changes, without a connection lost", line: "weir run weir.toml --watch" },
        {
          about: "The same, with a record of each connection and metrics elsewhere",
          line: "weir run weir.toml --log access --metrics 127.0.0.1:9000",
        },
      ],
    },
    MUX,
    MUX_LIST,
    MUX_SERVER,
    ...UDP_COMMANDS,
    TAP,
    REPLAY,
    LOAD,
    STATUS,
    TOP,
    {
      name: "check",
      summary: "Find every problem of configuration files",
      about:
        "Reads configuration files and reports all that is wrong with each, or prints what would run. Exit code: 0 if all are fine, 2 if one is not.",
      positionals: [
        {
          name: "FILE",
          kind: "fileOrInput",
          repeatable: true,
          about: "A file in weir's TOML, or one of tcp-clone or basic-tcp-proxy; - is standard input",
        },
      ],
      flagGroups: [
        { title: "Flags", flags: [{ name: "quiet", short: "q", kind: "boolean", about: "Print problems alone" }] },
      ],
      examples: [
        { about: "Before a restart", line: "weir check weir.toml" },
        { about: "All of a folder, problems alone", line: "weir check --quiet conf/*.toml" },
      ],
    },
    {
      name: "explain",
      summary: "Tell which rule lets a client in or shuts it out, and where it goes",
      about:
        "Reads a configuration file and says, without a connection, whether its proxies let a client in, and by which rule, and which targets are for a TLS client that says --sni or --alpn. Exit code: 0 if all that were asked about let it in and have a target for it, 1 if not.",
      positionals: [{ name: "CONFIG", kind: "file", about: "A file in weir's TOML" }],
      flagGroups: [
        {
          title: "Flags",
          flags: [
            { name: "from", kind: "ip", about: "The client's IP address" },
            { name: "sni", kind: "sni", about: "The name of the server that a TLS client asks for" },
            {
              name: "alpn",
              kind: "protocol",
              repeatable: true,
              about: "A protocol that it speaks, the one it likes best first",
            },
            { name: "to", kind: "label", about: "The name of one proxy alone" },
            { name: "at", kind: "time", about: "The time of connecting; without it, now" },
          ],
        },
      ],
      examples: [
        { about: "Why can this client not connect?", line: "weir explain weir.toml --from 10.0.13.5" },
        { about: "Which server gets it?", line: "weir explain weir.toml --sni www.example.com --alpn h2" },
      ],
    },
    {
      name: "echo",
      summary: "Send back what comes in: a server to try things with",
      positionals: [
        {
          name: "LISTEN",
          kind: "listenPlain",
          default: "127.0.0.1:0",
          about: "Where clients connect, or with udp:// where datagrams come to; port 0 takes any free port",
        },
      ],
      flagGroups: [
        { title: "Flags", flags: [GRACE] },
        { title: "Log", flags: LOG_FLAGS },
      ],
      examples: [
        { about: "On a free port", line: "weir echo" },
        { about: "On port 7000 of every interface", line: "weir echo :7000" },
        { about: "For datagrams", line: "weir echo udp://127.0.0.1:7000" },
      ],
    },
    {
      name: "demo",
      summary: "Show it all in one process, on free ports",
      about:
        "Starts two echo servers, a proxy in front of them and its dashboard, on free ports, sends some bytes through and checks them, and goes on with a little traffic to look at.",
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
      positionals: [
        { name: "COMMAND", kind: "command", default: "", repeatable: true, about: "The command to explain" },
      ],
      flagGroups: [],
      examples: [{ about: "What tcp can do", line: "weir help tcp" }],
    },
    ...SETUP_COMMANDS,
  ],
} as const satisfies Program;
