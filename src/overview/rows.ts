/**
 * What the tables of `weir status` and `weir top` show: one row for each proxy with its targets under it, for each
 * bridge with its ends, for each connection. Rates are those since an earlier moment.
 */
import type { BridgeStatus, Connections, EndStatus, ProxyStatus, Status, TargetStatus } from "./status.ts";

export type Tone = "good" | "bad" | "warning" | "plain";

/** What rows of all tables have. */
export interface Row {
  /** Unique among the rows of its table, and the same as long as it is about the same. */
  readonly key: string;
  readonly tone: Tone;
  readonly children: readonly Row[];
}

/** What a proxy has in common with its targets, and a bridge with its ends. */
interface PlaceRow extends Row {
  readonly name: string;
  readonly address: string;
  readonly state: string;
  readonly active: number;
  readonly total: number;
  readonly failed: number;
  readonly bytes: number;
  /** Each second; null: not known yet. */
  readonly rate: number | null;
}

export interface ProxyRow extends PlaceRow {
  /** Of those whose clients share connections; null of others. */
  readonly requestRate: number | null;
  readonly upRate: number | null;
  readonly downRate: number | null;
  readonly note: string;
  readonly children: readonly ProxyRow[];
}

export interface BridgeRow extends PlaceRow {
  readonly byteRate: number | null;
  readonly children: readonly BridgeRow[];
}

export interface ConnectionRow extends Row {
  readonly id: number;
  readonly name: string;
  readonly client: string;
  readonly target: string;
  readonly state: string;
  readonly age: number;
  readonly up: number;
  readonly down: number;
  readonly upRate: number | null;
  readonly downRate: number | null;
  readonly children: readonly ConnectionRow[];
}

/** An earlier moment, and how many seconds ago it was; null: there is none. */
export interface Before<T> {
  readonly seconds: number;
  readonly was: T;
}

/** Nothing had been counted when weir was started. */
export function sinceStart(now: Status): Before<Status> {
  return { seconds: now.uptime_seconds, was: { ...now, proxies: [], udp: [] } };
}

/** How fast a figure grows; what was not there before has grown from 0. */
function perSecond<T>(before: Before<unknown> | null, now: T, was: T | undefined, of: (value: T) => number) {
  if (!before || before.seconds <= 0) return null;
  // A figure that has become less is another one: its proxy was replaced.
  return Math.max(0, of(now) - (was === undefined ? 0 : of(was))) / before.seconds;
}

export function proxyRows(now: Status, before: Before<Status> | null): readonly ProxyRow[] {
  const known = new Map(before?.was.proxies.map((proxy) => [keyOf(proxy), proxy]));
  return unique(now.proxies.map((proxy) => proxyRow(proxy, before, known.get(keyOf(proxy)))));
}

function keyOf({ name, listen }: ProxyStatus): string {
  return `${name}\n${listen}`;
}

function proxyRow(proxy: ProxyStatus, before: Before<Status> | null, was: ProxyStatus | undefined): ProxyRow {
  const known = new Map(was?.targets.map((target) => [target.address, target]));
  const targets = proxy.targets.map((target) => targetRow(target, before, known.get(target.address)));
  const udp = proxy.datagrams;
  return {
    ...figures(proxy, before, was),
    key: keyOf(proxy),
    name: proxy.name,
    address: proxy.listen,
    state: proxy.state,
    tone: proxy.state === "draining" ? "warning" : "good",
    requestRate: sumOf(targets.map(({ requestRate }) => requestRate)),
    note: notes([
      proxy.protocol === null ? "" : `shares connections: ${proxy.protocol}`,
      some(proxy.connections_waiting, "waiting"),
      udp ? `datagrams ${udp.upstream} up, ${udp.downstream} down, ${udp.lost} lost` : "",
    ]),
    children: unique(targets),
  };
}

function targetRow(target: TargetStatus, before: Before<Status> | null, was: TargetStatus | undefined): ProxyRow {
  const { mux, datagrams: udp } = target;
  return {
    ...figures(target, before, was),
    key: target.address,
    name: "",
    address: target.address,
    ...stateOf(target),
    requestRate: mux ? perSecond(before, target, was, (each) => each.mux?.requests ?? 0) : null,
    note: notes([
      target.check ?? "",
      target.backup ? "backup" : "",
      target.weight === 1 ? "" : `weight ${target.weight}`,
      mux ? `${mux.connections} shared, ${mux.in_flight} under way, ${mux.waiting} waiting` : "",
      some(mux?.timeouts ?? 0, "timed out"),
      some(udp?.lost ?? 0, "datagrams lost"),
    ]),
    children: [],
  };
}

/** Of those that are known; null: of none. */
function sumOf(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  return known.length === 0 ? null : known.reduce((sum, figure) => sum + figure, 0);
}

/** What proxies and targets have alike. */
type Counted = Pick<
  TargetStatus,
  "connections_active" | "connections_total" | "connections_failed" | "bytes_upstream" | "bytes_downstream"
>;

function figures(now: Counted, before: Before<Status> | null, was: Counted | undefined) {
  return {
    active: now.connections_active,
    total: now.connections_total,
    failed: now.connections_failed,
    bytes: now.bytes_upstream + now.bytes_downstream,
    rate: perSecond(before, now, was, (each) => each.connections_total),
    upRate: perSecond(before, now, was, (each) => each.bytes_upstream),
    downRate: perSecond(before, now, was, (each) => each.bytes_downstream),
  };
}

function stateOf({ state, healthy }: TargetStatus): { state: string; tone: Tone } {
  if (state !== "ready") return { state, tone: "warning" };
  return healthy ? { state: "up", tone: "good" } : { state: "down", tone: "bad" };
}

function some(count: number, what: string): string {
  return count > 0 ? `${count} ${what}` : "";
}

function notes(all: readonly string[]): string {
  return all.filter((note) => note !== "").join(", ");
}

export function bridgeRows(now: Status, before: Before<Status> | null): readonly BridgeRow[] {
  const known = new Map(before?.was.udp.map((bridge) => [bridge.name, bridge]));
  return unique(now.udp.map((bridge) => bridgeRow(bridge, before, known.get(bridge.name))));
}

function bridgeRow(bridge: BridgeStatus, before: Before<Status> | null, was: BridgeStatus | undefined): BridgeRow {
  const ends = bridge.ends.map((end, index) => endRow(end, before, was?.ends[index]));
  const sources = ends.filter((_, index) => bridge.ends[index]?.direction === "from");
  const sum = (of: (row: BridgeRow) => number, rows = ends) => rows.reduce((all, row) => all + of(row), 0);
  const rates = (of: (row: BridgeRow) => number | null) =>
    sources.some((row) => of(row) === null) ? null : sum((row) => of(row) ?? 0, sources);
  return {
    key: bridge.name,
    name: bridge.name,
    address: "",
    state: bridge.state,
    tone: bridge.state === "draining" ? "warning" : "good",
    active: sum((row) => row.active),
    total: sum((row) => row.total, sources),
    failed: sum((row) => row.failed),
    bytes: sum((row) => row.bytes, sources),
    rate: rates((row) => row.rate),
    byteRate: rates((row) => row.byteRate),
    children: unique(ends),
  };
}

function endRow(end: EndStatus, before: Before<Status> | null, was: EndStatus | undefined): BridgeRow {
  return {
    key: `${end.direction} ${end.address}`,
    name: "",
    address: end.address,
    state: end.direction,
    tone: "plain",
    active: end.connections,
    total: end.datagrams,
    failed: end.lost,
    bytes: end.bytes,
    rate: perSecond(before, end, was, (each) => each.datagrams),
    byteRate: perSecond(before, end, was, (each) => each.bytes),
    children: [],
  };
}

export function connectionRows(now: Connections, before: Before<Connections> | null): readonly ConnectionRow[] {
  const known = new Map(before?.was.connections.map((each) => [each.id, each]));
  return now.connections.map((each) => {
    const was = known.get(each.id);
    // A connection that came meanwhile has had less time, but what it did in that is all that can be told.
    return {
      key: String(each.id),
      tone: each.state === "open" ? ("good" as const) : ("plain" as const),
      id: each.id,
      name: each.proxy,
      client: each.client,
      target: each.target ?? "-",
      state: each.state,
      age: each.duration,
      up: each.bytesUpstream,
      down: each.bytesDownstream,
      upRate: perSecond(before, each, was, ({ bytesUpstream }) => bytesUpstream),
      downRate: perSecond(before, each, was, ({ bytesDownstream }) => bytesDownstream),
      children: [],
    };
  });
}

/** A proxy that was replaced is there twice for a while. */
function unique<R extends Row>(rows: readonly R[]): readonly R[] {
  const seen = new Map<string, number>();
  return rows.map((row) => {
    const times = (seen.get(row.key) ?? 0) + 1;
    seen.set(row.key, times);
    return times === 1 ? row : { ...row, key: `${row.key}\n${times}` };
  });
}
