/** What `weir udp send`, `recv`, `forward` and `reverse` can be told. */
import { BALANCES, DEFAULT_ADMIN } from "../config/config.ts";
import { FSYNCS, WHEN_FULL } from "../datagram/bridge/bridge-config.ts";
import type { Command, Flag, FlagGroup } from "./command.ts";
import { ENGINE_FLAGS, GRACE, LOG_FLAGS, TOKEN_ENV } from "./flags.ts";

/** All nodes of a network: the group that mproxy-reverse takes by default (RFC 4291, section 2.7.1). */
export const REVERSE_GROUP = "[ff02::1]:9918";
export const REVERSE_NAME = "reverse";
export const BRIDGE_NAME = "udp-1";

const NAME = { name: "name", kind: "label", about: "What logs and metrics call it" } as const;

const TEE = { name: "tee", short: "t", kind: "boolean" } as const;

const METRICS = { name: "metrics", kind: "listenOrOff", about: "Where to serve metrics and API" } as const;

const GENERAL = [
  { ...METRICS, default: DEFAULT_ADMIN },
  TOKEN_ENV,
  ...ENGINE_FLAGS,
  GRACE,
] as const satisfies readonly Flag[];

const STREAMS = {
  title: "How a stream becomes datagrams",
  flags: [
    { name: "lines", kind: "boolean", about: "Each line is a datagram; a longer one than --datagram-size is several" },
    { name: "datagram-size", kind: "datagram", default: "1400B", about: "Bytes of a datagram, at most" },
  ],
} as const satisfies FlagGroup;

const MULTICAST = {
  title: "Multicast groups",
  flags: [
    {
      name: "interface",
      kind: "interface",
      about: "By which interface, of those that name none behind %: its name, or one of its addresses",
    },
    { name: "ttl", kind: "ttl", default: "1", about: "How far datagrams go: 1 stays in the network, 32 on a site" },
    {
      name: "loopback",
      kind: "boolean",
      negatable: true,
      default: "on",
      about: "Members on this machine get what is sent as well",
    },
  ],
} as const satisfies FlagGroup;

const JOINING = { title: MULTICAST.title, flags: [MULTICAST.flags[0]] } as const satisfies FlagGroup;

const RECEIVING = {
  title: "Receiving",
  flags: [
    {
      name: "receive-buffer",
      kind: "buffer",
      default: "4MiB",
      about: "Bytes that the kernel keeps until they are read, for each socket; what is beyond them is lost",
    },
  ],
} as const satisfies FlagGroup;

const FILES = {
  title: "Files",
  flags: [
    {
      name: "max-size",
      kind: "sizeOrOff",
      default: "off",
      about: "Size after which a file becomes FILE.1 and a new one begins",
    },
    { name: "keep", kind: "keep", default: "5", about: "How many older files are kept" },
    {
      name: "fsync",
      kind: "choice",
      placeholder: "WHEN",
      values: FSYNCS,
      default: "never",
      about: "When the disk is waited for: never, second (once in each) or always",
    },
  ],
} as const satisfies FlagGroup;

const CLIENTS = {
  title: "Connections that get what passes",
  flags: [
    { name: "buffer", kind: "buffer", default: "1MiB", about: "Bytes that may wait for each" },
    {
      name: "when-full",
      kind: "choice",
      placeholder: "WHAT",
      values: WHEN_FULL,
      default: "drop",
      about: "If one does not keep up: drop (it misses datagrams), disconnect it, or block (sources wait for it)",
    },
    {
      name: "max-clients",
      kind: "count",
      default: "0",
      about: "Connections at once for each address, 0 for any number",
    },
  ],
} as const satisfies FlagGroup;

const REPLY = {
  title: "Answers",
  flags: [
    {
      name: "reply",
      kind: "boolean",
      about: "Each client address is a session: its datagrams go to one TO, and the answers come back to it",
    },
    { name: "idle-timeout", kind: "durationOrOff", about: "Silence after which a session ends, 60s without this" },
    { name: "max-connections", kind: "count", about: "Sessions at once, 10000 without this; beyond, the idlest ends" },
    {
      name: "balance",
      kind: "choice",
      placeholder: "HOW",
      values: BALANCES,
      about: `Which TO the next session gets, as with weir tcp: ${BALANCES.join(", ")}`,
    },
  ],
} as const satisfies FlagGroup;

const LOG = { title: "Log", flags: LOG_FLAGS } as const satisfies FlagGroup;

const SEND = {
  name: "udp send",
  summary: "Send a file or standard input as datagrams",
  about:
    "Cuts a file, a descriptor or standard input into datagrams and sends each of them to every TO. It ends when the input has ended and all of it is sent. PATH and TO may stand for --path and --server-addr.",
  positionals: [
    {
      name: "PATH",
      kind: "input",
      default: "",
      about: "What to send: a file, fd:N for a descriptor, - for standard input",
    },
    { name: "TO", kind: "udpSink", default: "", repeatable: true, about: "Where to: hosts, or multicast groups" },
  ],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        { name: "path", kind: "input", about: "Instead of PATH" },
        { name: "server-addr", kind: "udpSink", repeatable: true, about: "Besides TO, or instead of it" },
        { ...TEE, about: "Copy what is sent to standard output as well; messages go to standard error then" },
        { ...NAME, default: BRIDGE_NAME },
        // Whoever sends a file on the machine that receives it would have the address in use.
        { ...METRICS, default: "off" },
        TOKEN_ENV,
        GRACE,
      ],
    },
    STREAMS,
    MULTICAST,
    LOG,
  ],
  examples: [
    { about: "What is typed, line by line", line: "weir udp send - 127.0.0.1:9920 --lines" },
    { about: "A file to a host and to a group", line: "weir udp send stream.log 10.0.0.7:9920 239.1.2.3:9920 --ttl 4" },
    { about: "As mproxy-client has it", line: "weir udp send --path - --server-addr localhost:9920" },
  ],
} as const satisfies Command;

const RECV = {
  name: "udp recv",
  summary: "Write what comes as datagrams to a file",
  about:
    "Receives datagrams on every LISTEN, joins those that are multicast groups, and writes what comes to standard output, or appends it to a file. LISTEN may stand for --listen-addr.",
  positionals: [
    {
      name: "LISTEN",
      kind: "udpSource",
      default: "",
      repeatable: true,
      about: "Where datagrams come; port 0 takes a free port",
    },
  ],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        {
          name: "out",
          short: "o",
          kind: "output",
          default: "-",
          about: "Where to: a file, fd:N, - for standard output",
        },
        { name: "path", kind: "output", about: "Instead of --out" },
        { name: "listen-addr", kind: "udpSource", repeatable: true, about: "Besides LISTEN, or instead of it" },
        { ...TEE, about: "Copy what comes to standard output as well; messages go to standard error then" },
        { ...NAME, default: BRIDGE_NAME },
        ...GENERAL,
      ],
    },
    JOINING,
    RECEIVING,
    FILES,
    LOG,
  ],
  examples: [
    { about: "See what comes to a port", line: "weir udp recv :9920" },
    {
      about: "A group on one interface, in files of 100 MiB",
      line: "weir udp recv 239.1.2.3:9920%eth0 --out feed.bin --max-size 100MiB",
    },
    {
      about: "As mproxy-server has it",
      line: "weir udp recv --listen-addr localhost:9920 --path streamoutput.log --tee",
    },
  ],
} as const satisfies Command;

const FORWARD = {
  name: "udp forward",
  summary: "Pass datagrams and streams on to any number of places",
  about:
    "Passes what comes by any source on to every destination, and nothing back, unless --reply makes a proxy of it. What comes as a stream is cut into datagrams. FROM and TO may stand for the flags that begin with --udp, --tcp and --tls.",
  positionals: [
    { name: "FROM", kind: "source", default: "", about: "Where it comes from" },
    { name: "TO", kind: "sink", default: "", repeatable: true, about: "Where it goes" },
  ],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        { name: "udp-listen-addr", kind: "udpSource", repeatable: true, about: "Receive here, or join this group" },
        { name: "tcp-connect-addr", kind: "tcpSource", repeatable: true, about: "Connect here, again and again" },
        { name: "tls-connect-addr", kind: "tlsSource", repeatable: true, about: "The same over TLS" },
        { name: "source-ca", kind: "file", about: "PEM file with the CAs that tls:// sources are verified by" },
        { name: "source-name", kind: "serverName", about: "Name that they are asked for (SNI), and verified by" },
        { name: "udp-downstream-addr", kind: "udpSink", repeatable: true, about: "Send to this host or group" },
        { ...TEE, about: "Copy what passes to standard output as well; messages go to standard error then" },
        { ...NAME, default: BRIDGE_NAME },
        ...GENERAL,
      ],
    },
    REPLY,
    STREAMS,
    MULTICAST,
    RECEIVING,
    CLIENTS,
    FILES,
    LOG,
  ],
  examples: [
    { about: "A port to two hosts", line: "weir udp forward :9920 10.0.0.7:9920 10.0.0.8:9920" },
    {
      about: "DNS to two servers, and their answers back to who has asked",
      line: "weir udp forward :53 10.0.0.7:53 10.0.0.8:53 --reply",
    },
    { about: "A multicast group to whoever connects", line: "weir udp forward 239.1.2.3:9920 listen://:9930" },
    {
      about: "Lines of a TLS server to a multicast group",
      line: "weir udp forward tls://feed.example:9925 239.1.2.3:9920 --lines",
    },
    {
      about: "As mproxy-forward has it",
      line: "weir udp forward --tcp-connect-addr feed.example:9925 --udp-downstream-addr 10.0.0.7:9921",
    },
  ],
} as const satisfies Command;

const REVERSE = {
  name: "udp reverse",
  summary: "Gather inputs in a multicast group, and hand it out",
  about:
    "Sends what comes by UDP or TCP to a multicast group. Joins the group, sends what comes by it to UDP addresses, and gives it to everybody who connects to a TCP address. Inputs and outputs may be on different machines: each needs one of the two.",
  positionals: [],
  flagGroups: [
    {
      title: "Flags",
      flags: [
        { name: "multicast-addr", kind: "group", default: REVERSE_GROUP, about: "The group" },
        { name: "udp-listen-addr", kind: "udpSource", repeatable: true, about: "Receive datagrams for the group here" },
        {
          name: "tcp-listen-addr",
          kind: "accept",
          repeatable: true,
          about: "Accept connections, and send what comes by them to the group",
        },
        { name: "udp-output-addr", kind: "udpSink", repeatable: true, about: "Send what comes by the group there" },
        {
          name: "tcp-output-addr",
          kind: "accept",
          repeatable: true,
          about: "Accept connections, and give each what comes by the group",
        },
        {
          ...TEE,
          about:
            "Copy what comes in to standard output as well, or what the group brings where nothing comes in; messages go to standard error then",
        },
        { ...NAME, default: REVERSE_NAME },
        ...GENERAL,
      ],
    },
    STREAMS,
    MULTICAST,
    RECEIVING,
    CLIENTS,
    LOG,
  ],
  examples: [
    {
      about: "Whatever is sent to port 9920, for everybody who connects to port 9921",
      line: "weir udp reverse --udp-listen-addr :9920 --tcp-output-addr :9921",
    },
    {
      about: "The input on one machine",
      line: "weir udp reverse --tcp-listen-addr :9925 --multicast-addr 239.1.2.3:9918 --ttl 4",
    },
    {
      about: "And an output on another",
      line: "weir udp reverse --multicast-addr 239.1.2.3:9918 --udp-output-addr 10.0.0.7:9920",
    },
  ],
} as const satisfies Command;

export const UDP_COMMANDS = [SEND, RECV, FORWARD, REVERSE] as const satisfies readonly Command[];
