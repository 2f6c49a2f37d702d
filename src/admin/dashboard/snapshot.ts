/** All that the dashboard shows of one moment. Figures are read from memory; connections are asked for. */
import type { TargetView } from "../../balance/group.ts";
import type { EndView } from "../../datagram/bridge/control.ts";
import { needsMainThread } from "../../engine/scripts.ts";
import type { FaultConfig } from "../../filter/faults/fault.ts";
import { CELL, type Counters } from "../../metrics/counters.ts";
import { DENIALS } from "../../metrics/reason.ts";
import { type Totals, totals } from "../../metrics/totals.ts";
import { type MuxView, muxView } from "../../mux/mux-view.ts";
import { formatAddress } from "../../net/address.ts";
import type { ObserverView } from "../../observe/observer-counters.ts";
import type { ProxyControl } from "../../proxy/control.ts";
import type { Connection } from "../../proxy/record.ts";
import { VERSION } from "../../version.ts";
import type { AdminSource } from "../app.ts";
import { countersOfTargets, failed, lostDatagrams } from "../figures.ts";

export interface Snapshot {
  /** Milliseconds on a clock that only goes forward: rates are made of the difference. */
  readonly at: number;
  readonly version: string;
  readonly runtime: string;
  readonly engine: "native" | "portable";
  readonly workers: number;
  readonly restarts: number;
  readonly eventsLost: number;
  readonly ready: boolean;
  readonly totals: Totals;
  readonly proxies: readonly ProxyRow[];
  readonly udp: readonly BridgeRow[];
  /** How many there are, and some of them. */
  readonly connections: { readonly total: number; readonly list: readonly ConnectionRow[] };
}

export interface ProxyRow {
  readonly name: string;
  readonly listen: string;
  readonly state: "listening" | "draining";
  readonly engine: "native" | "portable";
  readonly transport: "stream" | "datagram";
  readonly balance: string;
  readonly active: number;
  readonly total: number;
  readonly waiting: number;
  /** Clients that got no target, and those of them that a rule has shut out. */
  readonly failed: number;
  readonly denied: number;
  readonly up: number;
  readonly down: number;
  /** Of UDP proxies alone: read, both ways, and lost. */
  readonly datagrams: { readonly up: number; readonly down: number; readonly lost: number } | null;
  readonly targets: readonly TargetRow[];
  readonly observers: readonly ObserverView[];
  readonly mux: MuxView | null;
  readonly faults: readonly FaultConfig[];
}

export interface TargetRow extends TargetView {
  readonly total: number;
  readonly up: number;
  readonly down: number;
}

export interface BridgeRow {
  readonly name: string;
  readonly state: "bridging" | "draining";
  readonly ends: readonly EndView[];
}

export type ConnectionRow = Pick<Connection, "id" | "proxy" | "client" | "target" | "serverName" | "state"> & {
  /** Seconds. */
  readonly age: number;
  readonly up: number;
  readonly down: number;
};

/** Connections that a snapshot holds; one with many proxies may hold some more, so that each has its share. */
const LISTED = 200;

export async function snapshot(source: AdminSource): Promise<Snapshot> {
  const { runtime, engine, proxies, bridges, past } = source;
  const share = Math.ceil(LISTED / Math.max(1, proxies.length));
  const lists = await Promise.all(proxies.map((proxy) => proxy.connections(share)));
  return {
    at: runtime.now(),
    version: VERSION,
    runtime: `${runtime.name} ${runtime.version}`,
    engine: engine.mode,
    workers: engine.workers,
    restarts: engine.restarts,
    eventsLost: engine.eventsLost,
    ready: source.ready,
    totals: totals([...proxies.map(({ counters }) => counters), ...past]),
    proxies: proxies.map((proxy) => proxyRow(proxy, engine.mode)),
    udp: bridges.map(({ config, ends, draining }) => {
      return { name: config.name, state: draining ? "draining" : "bridging", ends };
    }),
    connections: {
      total: lists.reduce((sum, { total }) => sum + total, 0),
      list: lists.flatMap(({ connections }) => connections.map(connectionRow)),
    },
  };
}

function proxyRow(proxy: ProxyControl, mode: "native" | "portable"): ProxyRow {
  const { config, counters } = proxy;
  const { connectionsActive, connectionsTotal, bytesUpstream, bytesDownstream } = totals([counters]);
  const datagram = proxy.address.kind === "udp";
  return {
    name: config.name,
    listen: formatAddress(proxy.address),
    state: proxy.draining ? "draining" : "listening",
    engine: needsMainThread(config) ? "portable" : mode,
    transport: datagram ? "datagram" : "stream",
    balance: config.balance,
    active: connectionsActive,
    total: connectionsTotal,
    waiting: counters.get(CELL.waiting),
    failed: failed(counters),
    denied: DENIALS.reduce((sum, by) => sum + counters.deniedBy(by), 0),
    up: bytesUpstream,
    down: bytesDownstream,
    datagrams: datagram ? datagramFigures(counters) : null,
    targets: targetRows(proxy),
    observers: proxy.observers,
    mux: muxView(proxy),
    faults: config.faults,
  };
}

function datagramFigures(counters: Counters): NonNullable<ProxyRow["datagrams"]> {
  return {
    up: counters.get(CELL.datagramsUpstream),
    down: counters.get(CELL.datagramsDownstream),
    lost: lostDatagrams(counters),
  };
}

function targetRows(proxy: ProxyControl): readonly TargetRow[] {
  const countersOf = countersOfTargets(proxy);
  return proxy.targets.map((target) => {
    const sum = countersOf(target.address);
    return {
      ...target,
      total: sum.get(CELL.targetConnections),
      up: sum.get(CELL.bytesUpstream),
      down: sum.get(CELL.bytesDownstream),
    };
  });
}

function connectionRow(connection: Connection): ConnectionRow {
  const { id, proxy, client, target, serverName, state, duration, bytesUpstream, bytesDownstream } = connection;
  return { id, proxy, client, target, serverName, state, age: duration, up: bytesUpstream, down: bytesDownstream };
}
