/** What `weir tcp` can be told, and with it every other command that runs one proxy. */
import { BALANCES, DEFAULT_ADMIN, NONE_HEALTHY, PROXY_VERSIONS, REFUSALS } from "../config/config.ts";
import { STREAM_TYPES } from "../filter/faults/fault.ts";
import type { Flag, FlagGroup } from "./command.ts";
import { ENGINE_FLAGS, GRACE, LOG_FLAGS, SEED, TOKEN_ENV } from "./flags.ts";
import { TLS_FLAGS } from "./tls-flag-table.ts";

const NAME = { name: "name", kind: "label", about: "What logs and metrics call the proxy" } as const;

const GENERAL = [
  { name: "metrics", kind: "listenOrOff", default: DEFAULT_ADMIN, about: "Where to serve metrics and API" },
  TOKEN_ENV,
  ...ENGINE_FLAGS,
  SEED,
  GRACE,
] as const satisfies readonly Flag[];

const RELAY_FLAGS = [
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
      { name: "allow-file", kind: "file", about: "More ranges for --allow, one in each line" },
      { name: "deny-file", kind: "file", about: "More ranges for --deny, one in each line" },
      { name: "schedule", kind: "window", repeatable: true, about: "Let clients in within these windows alone" },
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
  {
    title: "Limits",
    flags: [
      {
        name: "max-connections",
        kind: "count",
        default: "0",
        about: "Connections at once, 0 for as many as there is room for; others wait in the queue",
      },
      { name: "queue-size", kind: "count", default: "1000", about: "Connections that may wait; 0 refuses at once" },
      {
        name: "queue-timeout",
        kind: "durationOrOff",
        default: "5s",
        about: "Time after which one that waits is refused",
      },
      {
        name: "max-connections-per-source",
        kind: "count",
        default: "0",
        about: "Connections that one client address (of IPv6: its /64) may have at once, 0 for any number",
      },
      { name: "rate", kind: "rate", about: "How fast connections of one client address may come" },
      {
        name: "burst",
        kind: "countAboveZero",
        about: "How many of them may come at once; without it, as many as in a second",
      },
    ],
  },
  {
    title: "Targets",
    flags: [
      {
        name: "balance",
        kind: "choice",
        placeholder: "HOW",
        values: BALANCES,
        default: "round_robin",
        about:
          "Which target is next: round_robin, least_connections, random_two (the less busy of two by chance), source_hash (the same for the same client) or first (in their order, as long as there is room)",
      },
      {
        name: "retries",
        kind: "retries",
        default: "0",
        about: "How often targets are tried again, after 100 ms and longer, when none can be connected",
      },
      {
        name: "slow-start",
        kind: "durationOrOff",
        default: "off",
        about: "Time in which a target that has come back grows to its whole share",
      },
      {
        name: "none-healthy",
        kind: "choice",
        placeholder: "WHAT",
        values: NONE_HEALTHY,
        default: "refuse",
        about: "When health checks have given up every target: refuse clients, or try_all",
      },
      { name: "source", kind: "ip", about: "Local IP address from which targets are connected" },
      { name: "dns-server", kind: "endpoint", repeatable: true, about: "Who resolves dns:// and dns+srv:// names" },
      { name: "dns-interval", kind: "period", default: "10s", about: "Time between two questions for such a name" },
    ],
  },
  {
    title: "Health checks, as soon as one of these is given",
    flags: [
      { name: "health-interval", kind: "period", default: "2s", about: "Time between two checks of a target" },
      {
        name: "health-http",
        kind: "path",
        about: "Ask for this path over HTTP, and take 200 to 399 for a good answer",
      },
      { name: "health-send", kind: "words", about: "Send this; \\r \\n \\t and \\\\ are understood" },
      { name: "health-expect", kind: "words", about: "Wait for this; without it, to be connected is enough" },
    ],
  },
  {
    title: "PROXY protocol",
    flags: [
      {
        name: "accept-proxy-from",
        kind: "cidr",
        repeatable: true,
        about: "Whoever comes from here has to begin with a PROXY header, v1 or v2, which tells the client's address",
      },
      {
        name: "send-proxy",
        kind: "choice",
        placeholder: "VERSION",
        values: PROXY_VERSIONS,
        default: "off",
        about: "Tell targets the client's address: v1, v2 or off",
      },
    ],
  },
  TLS_FLAGS,
  {
    title: "Timeouts",
    flags: [
      {
        name: "hello-timeout",
        kind: "durationOrOff",
        default: "5s",
        about: "For the ClientHello, where targets are chosen by sni or alpn",
      },
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
      { name: "keepalive", kind: "durationOrOff", default: "off", about: "Silence before TCP keepalive probes" },
      {
        name: "reuse-port",
        kind: "boolean",
        about: "Share LISTEN with other processes that do so, such as the next version of weir (SO_REUSEPORT)",
      },
    ],
  },
  {
    title: "Copies and faults",
    flags: [
      {
        name: "observer",
        kind: "observer",
        repeatable: true,
        about:
          "Send a copy of what clients send there, for each connection anew. Options follow behind commas: copies=downstream (what they receive) or both, buffer=SIZE, when_full=drop, disconnect or block, format=framed",
      },
      {
        name: "fault",
        kind: "fault",
        repeatable: true,
        about: `Let something go wrong on purpose: ${STREAM_TYPES.join(", ")}. Further options: stream=upstream, toxicity=0.5, after=1MB or 5s, name=NAME`,
      },
    ],
  },
  { title: "Log", flags: LOG_FLAGS },
] as const satisfies readonly FlagGroup[];

export const TCP_FLAGS = [
  { title: "Flags", flags: [{ ...NAME, default: "proxy-1" }, ...GENERAL] },
  ...RELAY_FLAGS,
] as const satisfies readonly FlagGroup[];

/** The same for a proxy whose clients share connections. */
export const TCP_FLAGS_OF_MUX = [
  { title: "Flags", flags: [{ ...NAME, default: "mux-1" }, ...GENERAL] },
  ...RELAY_FLAGS,
] as const satisfies readonly FlagGroup[];
