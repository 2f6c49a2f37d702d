/** What the log says about connections: opened and closed, each read, one access record, and failures. */
import type { LogConfig } from "../config/config.ts";
import { formatBytes, type Totals } from "../metrics/totals.ts";
import type { Runtime } from "../net/runtime.ts";
import type { ProxyEvents } from "../proxy/proxy.ts";
import type { ConnectionRecord } from "../proxy/record.ts";
import type { Log } from "./log.ts";

/** A cause that repeats is printed once in this many milliseconds, with the number left out. */
const REPEAT = 1_000;

export function connectionLog(log: Log, config: LogConfig, runtime: Runtime, sum: () => Totals): ProxyEvents {
  const events: ProxyEvents = { failed: failures(log, runtime) };
  const closed: ((record: ConnectionRecord, error: Error | undefined) => void)[] = [bugs(log)];
  if (config.connections) {
    events.opened = ({ client, target, proxy, id }) => {
      const { connectionsActive: active, connectionsTotal: total } = sum();
      const text = `[METRICS] ConnectionOpened ${client} | active: ${active}, total: ${total}`;
      log.write("info", "connection_opened", text, { id, proxy, client, target, active, total });
    };
    closed.push(({ client, proxy, id }) => {
      const { connectionsActive: active } = sum();
      const text = `[METRICS] ConnectionClosed ${client} | active: ${active}`;
      log.write("info", "connection_closed", text, { id, proxy, client, active });
    });
  }
  if (config.access) {
    closed.push((record) => log.write("info", "access", accessLine(record), { ...record }));
  }
  const { failed } = events;
  events.closed = (record, error) => {
    for (const each of closed) each(record, error);
  };
  events.failed = (record, error) => {
    failed?.(record, error);
    for (const each of closed) each(record, error);
  };
  if (log.enabled("trace")) events.read = reads(log, sum);
  return events;
}

/** `127.0.0.1:54321 -> 127.0.0.1:8081 up 1.0KB down 512B in 0.532s: client_closed` */
function accessLine(record: ConnectionRecord): string {
  const { client, target, bytesUpstream, bytesDownstream, duration, reason, error } = record;
  const lost = record.undeliveredUpstream + record.undeliveredDownstream;
  return [
    `[ACCESS] ${client} -> ${target}`,
    `up ${formatBytes(bytesUpstream)} down ${formatBytes(bytesDownstream)} in ${duration.toFixed(3)}s:`,
    error ? `${reason} (${error})` : reason,
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
function bugs(log: Log): (record: ConnectionRecord, error: Error | undefined) => void {
  return ({ reason, id, client, target }, error) => {
    if (reason !== "internal_error") return;
    const cause = error?.cause instanceof Error ? error.cause : error;
    const text = `weir: a bug ended the connection of ${client}: ${cause?.stack ?? "unknown"}`;
    log.write("error", "internal_error", text, { id, client, target, stack: cause?.stack });
  };
}

/** A target that is down fails thousands of times a second; the log says so once a second. */
function failures(log: Log, runtime: Runtime): NonNullable<ProxyEvents["failed"]> {
  const recent = new Map<string, { at: number; suppressed: number }>();
  return (record, error) => {
    const { proxy, target, client, reason } = record;
    const key = `${proxy} ${target} ${reason}`;
    const before = recent.get(key);
    const now = runtime.now();
    if (before && now - before.at < REPEAT) {
      before.suppressed++;
      return;
    }
    recent.set(key, { at: now, suppressed: 0 });
    const suppressed = before?.suppressed ?? 0;
    const more = suppressed > 0 ? ` (and ${suppressed} more like it)` : "";
    const text = `weir: ${client} was reset: ${error?.message ?? reason}${more}`;
    log.write("warn", "connection_failed", text, { proxy, client, target, reason, error: record.error, suppressed });
  };
}
