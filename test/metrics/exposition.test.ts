import { expect, test } from "bun:test";
import type { TargetView } from "../../src/balance/group.ts";
import { CELL, CONNECT_BOUNDS, Counters } from "../../src/metrics/counters.ts";
import { exposition, type ProxyFigures } from "../../src/metrics/exposition.ts";
import { formatBytes, totals, totalsJson } from "../../src/metrics/totals.ts";
import { haveTool } from "../e2e/tools.ts";

const BUILD = { version: "1.2.3", runtime: "bun", runtimeVersion: "1", engine: "native" };
const ENGINE = { workers: 2, shares: [20, 22], restarts: 1, eventsLost: 5 };

const NAME = 'odd "name"\\';

const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

function proxy(...targets: Counters[]): ProxyFigures {
  const front = new Counters(NAME, "");
  front.add(CELL.connections, 42);
  front.add(CELL.active, 3);
  front.add(CELL.waiting, 1);
  front.ended("denied", 0);
  front.denied("schedule");
  const views = targets.map(({ target }): TargetView => {
    const well = { state: "ready", healthy: true, check: null } as const;
    return { address: target, ...well, weight: 5, backup: false, maxConnections: 0, active: 2 };
  });
  return {
    config: { name: NAME, mux: null, listen: LOOPBACK },
    figures: [front, ...targets],
    targets: views,
    copies: [],
  };
}

function counters(): Counters {
  const counters = new Counters(NAME, "127.0.0.1:1");
  counters.add(CELL.targetConnections, 41);
  counters.add(CELL.bytesUpstream, 1_048_576);
  counters.add(CELL.bytesDownstream, 2_097_152);
  counters.connected(0.0007);
  counters.ended("client_closed", 12);
  counters.ended("connect_refused", 0.001);
  return counters;
}

test("the four old lines stand alone in front, readable by name and number", () => {
  const page = exposition([proxy(counters(), new Counters(NAME, "t"))], [], BUILD, ENGINE).split("\n");
  const plain = page.filter((line) => !line.startsWith("#")).slice(0, 4);
  expect(plain).toEqual([
    "connections_active 3",
    "connections_total 42",
    "bytes_upstream 1048576",
    "bytes_downstream 2097152",
  ]);
});

test("families carry proxy and target, with label values escaped", () => {
  const page = exposition([proxy(counters())], [], BUILD, ENGINE);
  const owner = 'proxy="odd \\"name\\"\\\\",target="127.0.0.1:1"';
  expect(page).toContain('weir_connections_total{proxy="odd \\"name\\"\\\\"} 42\n');
  expect(page).toContain('weir_queue_length{proxy="odd \\"name\\"\\\\"} 1\n');
  expect(page).toContain('weir_connections_failed_total{proxy="odd \\"name\\"\\\\",cause="denied"} 1\n');
  expect(page).toContain('weir_connections_denied_total{proxy="odd \\"name\\"\\\\",by="schedule"} 1\n');
  expect(page).toContain(`weir_target_connections_total{${owner}} 41\n`);
  expect(page).toContain(`weir_target_up{${owner}} 1\n`);
  expect(page).toContain(`weir_target_weight{${owner}} 5\n`);
  expect(page).toContain(`weir_bytes_total{${owner},direction="upstream"} 1048576\n`);
  expect(page).toContain(`weir_connections_failed_total{${owner},cause="refused"} 1\n`);
  expect(page).toContain(`weir_connections_ended_total{${owner},reason="client_closed"} 1\n`);
  expect(page).toContain('weir_build_info{version="1.2.3",runtime="bun",runtime_version="1",engine="native"} 1\n');
});

test("histogram buckets are cumulative and end in +Inf", () => {
  const each = counters();
  each.connected(99);
  const { buckets, count, sum } = each.connectTime;
  expect(buckets.map(({ bound }) => bound)).toEqual([...CONNECT_BOUNDS]);
  expect(buckets[0]?.count).toBe(0);
  expect(buckets[1]?.count).toBe(1);
  expect(buckets.at(-1)?.count).toBe(1);
  expect(count).toBe(2);
  expect(sum).toBeCloseTo(99.0007);
  expect(exposition([proxy(each)], [], BUILD, ENGINE)).toContain('le="+Inf"} 2\n');
});

test.skipIf(!haveTool("promtool"))("promtool finds nothing to complain about", async () => {
  const page = exposition([proxy(counters(), new Counters(NAME, "t"))], [], BUILD, ENGINE);
  const child = Bun.spawn(["promtool", "check", "metrics"], {
    stdin: new Blob([page]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(said.join("")).toBe("");
  expect(await child.exited).toBe(0);
});

test("the JSON form has the old names", () => {
  expect(totalsJson(totals(proxy(counters()).figures))).toEqual({
    active_connections: 3,
    total_connections: 42,
    bytes_upstream: 1_048_576,
    bytes_downstream: 2_097_152,
  });
});

test("bytes are printed in units of 1,000", () => {
  const table = { 0: "0B", 512: "512B", 999: "999B", 1000: "1.0KB", 1024: "1.0KB", 800000: "800.0KB", 999960: "1.0MB" };
  for (const [bytes, text] of Object.entries(table)) expect(formatBytes(Number(bytes))).toBe(text);
  expect(formatBytes(1_500_000)).toBe("1.5MB");
});
