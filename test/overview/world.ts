/** What a weir could say of itself, however it is called: for tests of what is made of that. */
import fc from "fast-check";
import type { Connections, ProxyStatus, Status, TargetStatus } from "../../src/overview/status.ts";

export const TARGET: TargetStatus = {
  address: "127.0.0.1:5432",
  state: "ready",
  healthy: true,
  check: null,
  weight: 1,
  backup: false,
  connections_active: 2,
  connections_total: 10,
  connections_failed: 0,
  bytes_upstream: 1_000,
  bytes_downstream: 2_000,
  datagrams: null,
  mux: null,
};

export const PROXY: ProxyStatus = {
  name: "db",
  listen: "127.0.0.1:1000",
  state: "listening",
  protocol: null,
  connections_active: 2,
  connections_total: 10,
  connections_failed: 1,
  connections_waiting: 0,
  bytes_upstream: 1_000,
  bytes_downstream: 2_000,
  datagrams: null,
  targets: [TARGET],
};

export const STATUS: Status = {
  version: "0.1.0",
  runtime: "bun",
  runtime_version: "1.4.5",
  engine: "native",
  workers: 2,
  state: "ready",
  started_at: "2026-01-02T03:04:05.000Z",
  uptime_seconds: 10,
  connections_active: 2,
  connections_total: 10,
  bytes_upstream: 1_000,
  bytes_downstream: 2_000,
  proxies: [PROXY],
  udp: [],
};

/** Anything that has ever been in a string, with what is bad for terminals more often. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      "\x1b",
      "[",
      "2",
      "J",
      "\x9b",
      "\u202e",
      "\u200d",
      "\ufe0f",
      "e\u0301",
      "界",
      "🚀",
      "🇩",
      "\n",
    ),
  }),
);

const count = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e18, noNaN: true }));

const target = fc.record({
  address: anyText,
  state: fc.constantFrom("ready" as const, "drain" as const, "disabled" as const),
  healthy: fc.boolean(),
  check: fc.option(anyText),
  weight: fc.nat(),
  backup: fc.boolean(),
  connections_active: count,
  connections_total: count,
  connections_failed: count,
  bytes_upstream: count,
  bytes_downstream: count,
  datagrams: fc.option(fc.record({ upstream: count, downstream: count, lost: count })),
  mux: fc.option(fc.record({ connections: count, requests: count, waiting: count, in_flight: count, timeouts: count })),
});

const proxy = fc.record({
  name: anyText,
  listen: anyText,
  state: fc.constantFrom("listening" as const, "draining" as const),
  protocol: fc.option(anyText),
  connections_active: count,
  connections_total: count,
  connections_failed: count,
  connections_waiting: count,
  bytes_upstream: count,
  bytes_downstream: count,
  datagrams: fc.option(fc.record({ upstream: count, downstream: count, lost: count })),
  targets: fc.array(target, { maxLength: 4 }),
});

const bridge = fc.record({
  name: anyText,
  state: fc.constantFrom("bridging" as const, "draining" as const),
  ends: fc.array(
    fc.record({
      direction: fc.constantFrom("from" as const, "to" as const),
      address: anyText,
      datagrams: count,
      bytes: count,
      lost: count,
      connections: count,
    }),
    { maxLength: 4 },
  ),
});

export const anyStatus: fc.Arbitrary<Status> = fc.record({
  version: anyText,
  runtime: anyText,
  runtime_version: anyText,
  engine: anyText,
  workers: count,
  state: fc.constantFrom("ready" as const, "draining" as const),
  started_at: anyText,
  uptime_seconds: count,
  connections_active: count,
  connections_total: count,
  bytes_upstream: count,
  bytes_downstream: count,
  proxies: fc.array(proxy, { maxLength: 4 }),
  udp: fc.array(bridge, { maxLength: 3 }),
});

export const anyConnections: fc.Arbitrary<Connections> = fc.record({
  total: count,
  connections: fc.array(
    fc.record({
      id: fc.nat(),
      proxy: anyText,
      client: anyText,
      target: fc.option(anyText),
      state: anyText,
      duration: count,
      bytesUpstream: count,
      bytesDownstream: count,
    }),
    { maxLength: 5 },
  ),
});
