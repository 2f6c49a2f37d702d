/** `weir load` as a command line. */
import type { Command } from "./command.ts";
import { ENGINE_FLAGS } from "./flags.ts";
import { TLS_FLAGS } from "./tls-flag-table.ts";

const [ENGINE, WORKERS] = ENGINE_FLAGS;
const OF_TARGETS = ["target-ca", "target-name", "target-insecure"] as const;
type OfTargets = Extract<(typeof TLS_FLAGS)["flags"][number], { readonly name: (typeof OF_TARGETS)[number] }>;
const isOfTargets = (flag: (typeof TLS_FLAGS)["flags"][number]): flag is OfTargets =>
  OF_TARGETS.some((name) => name === flag.name);

export const LOAD = {
  name: "load",
  summary: "Measure a server that echoes, or what stands before it",
  about:
    "Sends requests to TARGET, which has to send back what it gets, and prints how many came back, how fast, and what failed. Each client has one request under way; without --rate it asks again when it has the reply, with it requests are due at fixed times and latencies count from then. Ctrl+C ends it, with a report of what there is. Exit code: 1 if a condition of --assert is not met, or nothing came back at all.",
  positionals: [
    {
      name: "TARGET",
      kind: "loadTarget",
      default: "",
      about: "Where to ask; not needed if the file of --scenarios says it",
    },
  ],
  flagGroups: [
    {
      title: "The load",
      flags: [
        { name: "connections", short: "c", kind: "countAboveZero", default: "10", about: "Clients at once" },
        { name: "duration", short: "d", kind: "period", default: "10s", about: "Time that is measured" },
        {
          name: "message-size",
          short: "s",
          kind: "messageSize",
          default: "1KiB",
          about: "Bytes of a request, and of its reply",
        },
        {
          name: "rate",
          short: "r",
          kind: "rate",
          about: "Requests of all clients together, due at fixed times whatever becomes of those before (an open loop)",
        },
        {
          name: "warmup",
          kind: "duration",
          default: "1s",
          about: "Time of the same load before, which is not measured",
        },
        { name: "ramp", kind: "duration", default: "0s", about: "Time in which the clients begin one after the other" },
        { name: "reconnect", kind: "boolean", about: "A connection for each request; latencies begin with connecting" },
        { name: "timeout", kind: "period", default: "10s", about: "Time for a reply, and for connecting" },
        { name: "verify", kind: "boolean", negatable: true, about: "Compare every byte that comes back; default: yes" },
        {
          name: "scenarios",
          kind: "file",
          about: "A file with [[scenarios]], which run one after the other; flags override what it says",
        },
        {
          name: "matrix",
          kind: "boolean",
          about: "Seven scenarios: 10 to 500 clients, 64 bytes to 64 KiB, 5 seconds each",
        },
      ],
    },
    {
      title: "The report",
      flags: [
        {
          name: "assert",
          kind: "assertion",
          repeatable: true,
          about:
            "What has to hold for each scenario: p99<5ms, p99.9<20ms, mean, max, rate>=10000, errors<0.1%, errors<=5",
        },
        { name: "json", kind: "boolean", about: "Print JSON instead of a table" },
        { name: "html", kind: "file", about: "Write a page with plots to this file as well" },
        { name: "quiet", short: "q", kind: "boolean", about: "Show no progress" },
      ],
    },
    {
      title: "Engine",
      flags: [
        {
          ...ENGINE,
          about:
            "What asks: native (threads over libc), portable (the runtime's sockets), or auto: native where it works",
        },
        { ...WORKERS, default: "1" },
      ],
    },
    { title: "TLS, for TARGET as tls://host:port", flags: TLS_FLAGS.flags.filter(isOfTargets) },
  ],
  examples: [
    { about: "How fast is it, with 64 clients?", line: "weir load 127.0.0.1:8080 --connections 64 --message-size 64" },
    {
      about: "In CI: 5,000 requests a second, and 99 % of them in 5 ms",
      line: "weir load 127.0.0.1:8080 --rate 5000/s --assert 'p99<5ms' --assert 'errors<=0'",
    },
    { about: "All of a file, with a page to look at", line: "weir load --scenarios scenarios.toml --html report.html" },
    { about: "Datagrams", line: "weir load udp://127.0.0.1:9000 --message-size 1200 --timeout 1s" },
  ],
} as const satisfies Command;
