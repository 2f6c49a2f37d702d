/** What the log says about connections: opened and closed, each read, one access record, and failures. */
import type { LogConfig } from "../config/config.ts";
import type { Reason } from "../metrics/reason.ts";
import { andMore, Repeated } from "../metrics/repeated.ts";
import { formatBytes, type Totals } from "../metrics/totals.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { ConnectionRecord } from "../proxy/record.ts";
import type { Log } from "./log.ts";

/**
 * Connections as the lines tell of them: an event may be older than the counters. Whoever loses events sets it
 * right.
 */
export interface Tally {
  active: number;
  total: number;
}

/** `sum` are the totals of this moment; `tally` is shared by all proxies of a log. */
export function connectionLog(
  log: Log,
  config: LogConfig,
  runtime: Runtime,
  sum: () => Totals,
  tally: Tally,
): ProxyEvents {
  const line = config.connections ? closing(log, tally) : undefined;
  const access: Ended | undefined = config.access
    ? (record) => log.write("info", "access", accessLine(record), { ...record })
    : undefined;
  const ended = both(line, access);
  const failed = log.enabled("warn") ? failures(log, runtime) : undefined;
  return {
    opened: config.connections ? opening(log, tally) : undefined,
    closed: ended,
    failed: both(failed, ended),
    broken: bugs(log),
    read: log.enabled("trace") ? reads(log, sum) : undefined,
  };
}

type Ended = NonNullable<ProxyEvents["closed"]>;

function both(one: Ended | undefined, other: Ended | undefined): Ended | undefined {
  if (!one || !other) return one ?? other;
  return (record, failure) => {
    one(record, failure);
    other(record, failure);
  };
}

function opening(log: Log, tally: Tally): NonNullable<ProxyEvents["opened"]> {
  return ({ client, target, proxy, id }) => {
    tally.active++;
    tally.total++;
    const { active, total } = tally;
    const text = `[METRICS] ConnectionOpened ${client} | active: ${active}, total: ${total}`;
    log.write("info", "connection_opened", text, { id, proxy, client, target, active, total });
  };
}

function closing(log: Log, tally: Tally): Ended {
  return ({ client, proxy, id }) => {
    tally.active--;
    const { active } = tally;
    const text = `[METRICS] ConnectionClosed ${client} | active: ${active}`;
    log.write("info", "connection_closed", text, { id, proxy, client, active });
  };
}

/**
 * `127.0.0.1:54321 -> 127.0.0.1:8081 up 1.0KB down 512B in 0.532s: client_closed`; or `in 0.532s, 3 requests:`, and
 * `-> 127.0.0.1:8081 (example.com) up` where a TLS client has asked for a name.
 */
function accessLine(record: ConnectionRecord): string {
  const { client, target, serverName, bytesUpstream, bytesDownstream, duration, requests, reason, error, rule } =
    record;
  const asked = requests === null ? "" : `, ${requests} request${requests === 1 ? "" : "s"}`;
  const tls = record.tls
    ? ` ${[record.tls.version, record.tls.alpn, record.tls.serverName].filter(Boolean).join(" ")}`
    : "";
  const lost = record.undeliveredUpstream + record.undeliveredDownstream;
  return [
    `[ACCESS] ${client}${tls} -> ${target ?? "-"}${serverName === null ? "" : ` (${serverName})`}`,
    `up ${formatBytes(bytesUpstream)} down ${formatBytes(bytesDownstream)}`,
    `in ${duration.toFixed(3)}s${asked}:`,
    (error ?? rule) ? `${reason} (${error ?? rule})` : reason,
    ...(lost > 0 ? [`with ${formatBytes(lost)} undelivered`] : []),
  ].join(" ");
}

function reads(log: Log, sum: () => Totals): NonNullable<ProxyEvents["read"]> {
  return ({ client, id }, from, bytes) => {
    const { bytesUpstream, bytesDownstream } = sum();
    const up = from === "client";
    const total = up ? `total up: ${formatBytes(bytesUpstream)}` : `total down: ${formatBytes(bytesDownstream)}`;
    const text = `[METRICS] ${client} ${up ? "↑" : "↓"} ${bytes} | ${total}`;
    log.write("trace", "read", text, { id, client, direction: up ? "upstream" : "downstream", bytes });
  };
}

/** A connection that weir itself has spoilt: the log gets the stack, for a report. */
function bugs(log: Log): Ended {
  return ({ id, client, target }, failure) => {
    const text = `weir: a bug ended the connection of ${client}: ${failure?.stack ?? failure?.message ?? "unknown"}`;
    log.write("error", "internal_error", text, { id, client, target, stack: failure?.stack });
  };
}

/** Reasons that have no error behind them. */
const WORDS: Partial<Record<Reason, string>> = {
  no_target: "there is no target for it: all are unhealthy, drained, disabled or unknown to DNS",
  no_descriptors: "there are no descriptors left",
};

/** A target that is down fails thousands of times a second; the log says so once a second. */
function failures(log: Log, runtime: Runtime): Ended {
  const recent = new Map<string, Repeated>();
  return (record, failure) => {
    const { proxy, target, client, serverName, reason, rule } = record;
    // Not by the name: those are anybody's to make up.
    const key = `${proxy} ${target} ${reason} ${rule}`;
    const repeated = recent.get(key) ?? new Repeated();
    recent.set(key, repeated);
    const count = repeated.count(runtime.now());
    if (count === undefined) return;
    const fate = record.datagrams ? "gets no session" : "was reset";
    const what = rule === null ? `${fate}: ${failure?.message ?? WORDS[reason] ?? reason}` : `was not let in: ${rule}`;
    const { error } = record;
    const asked = serverName === null ? {} : { serverName };
    const fields = {
      proxy,
      client,
      target,
      ...asked,
      reason,
      ...(rule === null ? {} : { rule }),
      error,
      suppressed: count - 1,
    };
    const name = serverName === null ? "" : `, which asked for ${serverName},`;
    log.write("warn", "connection_failed", `weir: ${client}${name} ${what}${andMore(count)}`, fields);
  };
}
