/** `weir status` for people: what it is, the sums, and a table of proxies and one of bridges, where there are any. */
import { BRIDGE_COLUMNS, PROXY_COLUMNS } from "./columns.ts";
import { age, bytes } from "./figures.ts";
import { bridgeRows, proxyRows, sinceStart } from "./rows.ts";
import type { Status } from "./status.ts";
import { plainText, table } from "./table.ts";
import { neutral } from "./text.ts";

/** Rates are those since the start of weir. `where`: its address. */
export function statusText(status: Status, where: string): readonly string[] {
  const before = sinceStart(status);
  const [proxies, bridges] = [proxyRows(status, before), bridgeRows(status, before)];
  return [
    title(status, where),
    `connections: ${status.connections_active} open, ${status.connections_total} since the start`,
    `bytes: ${bytes(status.bytes_upstream)} up, ${bytes(status.bytes_downstream)} down`,
    ...(proxies.length > 0 ? ["", ...table(PROXY_COLUMNS, proxies, WIDTH).map(plainText)] : []),
    ...(bridges.length > 0 ? ["", ...table(BRIDGE_COLUMNS, bridges, WIDTH).map(plainText)] : []),
  ];
}

/** Nothing is cut: a line may be as long as it has to be. */
const WIDTH = Number.POSITIVE_INFINITY;

/** `weir 0.1.0 at 127.0.0.1:8998: ready, up 4h05m (bun 1.4.5, native engine, 2 threads)`: what matters most first. */
export function title(status: Status, where: string): string {
  const { version, runtime, runtime_version, engine, workers, state, uptime_seconds } = status;
  const threads = workers > 0 ? `, ${workers} ${workers === 1 ? "thread" : "threads"}` : "";
  const how = `${runtime} ${runtime_version}, ${engine} engine${threads}`;
  return neutral(`weir ${version} at ${where}: ${state}, up ${age(uptime_seconds)} (${how})`);
}
