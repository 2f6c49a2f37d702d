/**
 * What runs in a weir at one moment: the body of `GET /api/status`, which `weir status --json` prints as it is. Keys are
 * added in time; none changes what it means. Figures count since the start of weir.
 */
import * as v from "valibot";

const count = v.pipe(v.number(), v.minValue(0));

/** Datagrams of a UDP proxy; `lost` are those that never left, were read too late, or were taken away by faults. */
const DATAGRAMS = v.object({ upstream: count, downstream: count, lost: count });

const TARGET = v.object({
  address: v.string(),
  state: v.picklist(["ready", "drain", "disabled"]),
  /** By its health checks; true where there are none. */
  healthy: v.boolean(),
  /** What the last check has found wrong. */
  check: v.nullable(v.string()),
  weight: count,
  backup: v.boolean(),
  connections_active: count,
  /** Attempts included. */
  connections_total: count,
  connections_failed: count,
  bytes_upstream: count,
  bytes_downstream: count,
  datagrams: v.nullable(DATAGRAMS),
  /** What clients that share connections to it do with them. */
  mux: v.nullable(v.object({ connections: count, requests: count, waiting: count, in_flight: count, timeouts: count })),
});

const PROXY = v.object({
  name: v.string(),
  listen: v.string(),
  state: v.picklist(["listening", "draining"]),
  /** How clients share connections; null: each has its own. */
  protocol: v.nullable(v.string()),
  connections_active: count,
  connections_total: count,
  /** Those that were refused, shut out or could not be given a target. */
  connections_failed: count,
  connections_waiting: count,
  bytes_upstream: count,
  bytes_downstream: count,
  datagrams: v.nullable(DATAGRAMS),
  targets: v.array(TARGET),
});

const END = v.object({
  direction: v.picklist(["from", "to"]),
  address: v.string(),
  datagrams: count,
  bytes: count,
  lost: count,
  connections: count,
});

const BRIDGE = v.object({
  name: v.string(),
  state: v.picklist(["bridging", "draining"]),
  ends: v.array(END),
});

export const STATUS = v.object({
  version: v.string(),
  runtime: v.string(),
  runtime_version: v.string(),
  engine: v.string(),
  /** Threads that relay; 0: the main thread does. */
  workers: count,
  /** As `/readyz` says it. */
  state: v.picklist(["ready", "draining"]),
  /** ISO 8601, UTC; another one after a restart. */
  started_at: v.string(),
  uptime_seconds: count,
  connections_active: count,
  connections_total: count,
  bytes_upstream: count,
  bytes_downstream: count,
  proxies: v.array(PROXY),
  /** Bridges of datagrams: each `[[udp]]`. */
  udp: v.array(BRIDGE),
});

export type Status = v.InferOutput<typeof STATUS>;
export type ProxyStatus = v.InferOutput<typeof PROXY>;
export type TargetStatus = v.InferOutput<typeof TARGET>;
export type BridgeStatus = v.InferOutput<typeof BRIDGE>;
export type EndStatus = v.InferOutput<typeof END>;

/** The part of `/api/connections` that is shown of each live connection. */
export const CONNECTIONS = v.object({
  total: count,
  connections: v.array(
    v.object({
      id: count,
      proxy: v.string(),
      client: v.string(),
      target: v.nullable(v.string()),
      state: v.string(),
      /** Seconds. */
      duration: count,
      bytesUpstream: count,
      bytesDownstream: count,
    }),
  ),
});

export type Connections = v.InferOutput<typeof CONNECTIONS>;
