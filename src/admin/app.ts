/** The admin server: metrics, health, a look at what runs, and changes to it. Plain Hono, so it runs anywhere. */
import { type Context, Hono } from "hono";
import { targetsOf } from "../config/config.ts";
import { formatDuration } from "../config/units.ts";
import { addressesOf, type BridgeControl } from "../datagram/bridge/control.ts";
import type { Engine } from "../engine/engine.ts";
import { needsMainThread } from "../engine/scripts.ts";
import { CELL } from "../metrics/counters.ts";
import { CONTENT_TYPE, exposition } from "../metrics/exposition.ts";
import { totals, totalsJson } from "../metrics/totals.ts";
import { muxView } from "../mux/mux-view.ts";
import { formatAddress } from "../net/address.ts";
import { formatCidr } from "../net/cidr.ts";
import type { Fetch } from "../net/runtime.ts";
import type { ProxyControl } from "../proxy/control.ts";
import type { Connection } from "../proxy/record.ts";
import { VERSION } from "../version.ts";
import { addChanges, type Changeable } from "./changes.ts";
import type { Dashboard } from "./dashboard/dashboard.ts";
import { type GuardRules, guard } from "./guard.ts";
import { type StatusSource, statusOf } from "./status.ts";

export interface AdminSource extends Changeable, StatusSource {}

/** Connections that one answer holds unless `?limit=` asks for another number. */
const LIMIT = 1_000;
const LIMIT_MAX = 10_000;

/** `dashboard`: of this server alone; whoever closes the one closes the other. */
export function adminApp(source: AdminSource, rules: GuardRules, dashboard?: Dashboard): Fetch {
  const app = new Hono();
  const counters = () => [...source.proxies.map((proxy) => proxy.counters), ...source.past];
  const { runtime } = source;
  const { engine } = source;
  const build = { version: VERSION, runtime: runtime.name, runtimeVersion: runtime.version, engine: engine.mode };

  app.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return await next();
    if (c.req.method !== "POST" || !c.req.path.startsWith("/api/")) {
      c.res = refuseMethod(c);
      return;
    }
    const refusal = guard(c.req.raw, rules);
    if (!refusal) return await next();
    c.res = c.json({ error: refusal.error }, refusal.status);
  });
  app.get("/", async (c) => (await dashboard?.page(c)) ?? c.text(index(source), 200, { vary: "accept" }));
  app.get("/metrics", (c) => {
    const format = c.req.query("format") ?? "text";
    if (format === "json") return c.json(totalsJson(totals(counters())));
    if (format !== "text") return c.json({ error: `unknown format "${format}"; use text or json` }, 400);
    return c.body(exposition(source.proxies, source.past, build, engine, source.bridges), 200, {
      "content-type": CONTENT_TYPE,
    });
  });
  app.get("/healthz", (c) => c.text("ok\n"));
  app.get("/readyz", (c) => (source.ready ? c.text("ready\n") : c.text("draining\n", 503)));
  app.get("/api/status", (c) => c.json(statusOf(source)));
  app.get("/api/proxies", (c) =>
    c.json({
      engine: { mode: engine.mode, workers: engine.workers },
      proxies: source.proxies.map((proxy) => describe(proxy, engine)),
    }),
  );
  app.get("/api/udp", (c) => c.json({ udp: source.bridges.map(describeBridge) }));
  app.get("/api/connections", async (c) => {
    const limit = Number(c.req.query("limit") ?? LIMIT);
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      return c.json({ error: `limit is a whole number from 1 to ${LIMIT_MAX}` }, 400);
    }
    const find = c.req.query("find")?.toLowerCase() ?? "";
    const lists = await Promise.all(source.proxies.map((proxy) => proxy.connections(find ? LIMIT_MAX : limit)));
    const total = lists.reduce((sum, list) => sum + list.total, 0);
    const found = lists.flatMap((list) => list.connections).filter((connection) => mentions(connection, find));
    return c.json({ total, ...(find ? { found: found.length } : {}), connections: found.slice(0, limit) });
  });
  addChanges(app, source);
  dashboard?.addTo(app);
  app.notFound((c) => c.json({ error: `nothing at ${c.req.path}; GET / lists what there is` }, 404));
  return (request) => app.fetch(request);
}

/** Whether one of its words has `text`, in lower case, in it. */
function mentions({ id, proxy, client, target, serverName, state }: Connection, text: string): boolean {
  if (text === "") return true;
  return [String(id), proxy, client, target, serverName, state].some((word) => word?.toLowerCase().includes(text));
}

function refuseMethod(c: Context): Response {
  return c.json({ error: `${c.req.method} is not allowed here` }, 405, { allow: "GET, HEAD" });
}

function index({ proxies, bridges }: AdminSource): string {
  const relays = proxies.map(({ address, config }) => `  ${formatAddress(address)} -> ${targetsOf(config)}`);
  return [
    `weir ${VERSION}`,
    "",
    ...relays,
    ...bridges.map((bridge) => `  ${bridgeLine(bridge)}`),
    "",
    "/                     in a browser: the dashboard",
    "/metrics              for Prometheus; ?format=json for the totals alone",
    "/api/status           all that runs, with its figures, for weir status and weir top",
    "/api/proxies          what listens, with its settings and figures",
    "/api/udp              bridges of datagrams, with the figures of each end",
    "/api/connections      live connections, bytes so far and age; ?limit=N&find=TEXT",
    "/api/events           all of it, once a second, as server-sent events",
    "/healthz  /readyz     alive; listening and not draining",
    "",
    "POST /api/reload                  read the configuration again",
    'POST /api/targets/PROXY/ADDRESS   {"state": "drain", "weight": 2}; states: ready, drain, disabled',
    "POST /api/connections/ID/close    reset one connection",
    'POST /api/faults/PROXY            {"type": "latency", "latency": "100ms"}, as in files; GET shows them',
    "POST /api/faults/PROXY/NAME/remove",
    "POST /api/drain                   stop listening; end when the connections have",
    "",
  ].join("\n");
}

function describeBridge({ config, ends, draining }: BridgeControl): unknown {
  return { name: config.name, state: draining ? "draining" : "bridging", ends };
}

function bridgeLine(bridge: BridgeControl): string {
  return `${addressesOf(bridge, "from").join(", ")} -> ${addressesOf(bridge, "to").join(", ")}`;
}

function describe(proxy: ProxyControl, { mode }: Engine): unknown {
  const { config, counters } = proxy;
  const sum = totals([counters]);
  const timeouts = Object.entries(config.timeouts).map(([name, ms]) => [name, formatDuration(ms)]);
  return {
    name: config.name,
    listen: formatAddress(proxy.address),
    targets: proxy.targets,
    state: proxy.draining ? "draining" : "listening",
    engine: needsMainThread(config) ? "portable" : mode,
    connections_active: sum.connectionsActive,
    connections_total: sum.connectionsTotal,
    bytes_upstream: sum.bytesUpstream,
    bytes_downstream: sum.bytesDownstream,
    timeouts: Object.fromEntries(timeouts),
    buffer: config.buffer,
    nodelay: config.noDelay,
    keepalive: formatDuration(config.keepAlive),
    allow: config.allow.map(formatCidr),
    deny: config.deny.map(formatCidr),
    schedule: config.schedule.map(({ text }) => text),
    max_connections: config.maxConnections,
    queue: { size: config.queue.size, timeout: formatDuration(config.queue.timeout) },
    queue_length: counters.get(CELL.waiting),
    balance: config.balance,
    refuse: config.refuse,
    retries: config.retries,
    mux: muxView(proxy),
    observers: proxy.observers,
    filters: config.filters.map(({ type, direction }) => ({ type, direction })),
    faults: config.faults,
    source: config.source,
    certificates: (proxy.certificates ?? []).map(({ file, names, notAfter, daysLeft }) => {
      return { file, names, expires: new Date(notAfter).toISOString(), days_left: daysLeft };
    }),
  };
}
