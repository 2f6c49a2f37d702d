/** What is counted where clients share connections, in the form for Prometheus. */
import { expect, test } from "bun:test";
import { CELL, Counters } from "../../src/metrics/counters.ts";
import { exposition, type ProxyFigures } from "../../src/metrics/exposition.ts";
import { muxFamilies } from "../../src/metrics/mux-families.ts";
import { MUX } from "../../src/mux/mux-config.ts";
import { haveTool } from "../e2e/tools.ts";

const NAME = 'odd "name"';
const OWNER = 'proxy="odd \\"name\\"",target="127.0.0.1:1"';
const MULTIPLEXING = new Set([NAME]);

const CELLS = [
  "requests",
  "requestsQueued",
  "requestsInFlight",
  "requestTimeouts",
  "requestRetries",
  "repliesDropped",
  "mismatches",
  "lines",
  "redials",
] as const;

function counters(target = "127.0.0.1:1"): Counters {
  const counters = new Counters(NAME, target);
  for (const [index, cell] of CELLS.entries()) counters.add(CELL[cell], index + 1);
  counters.requestSent(0.0002);
  counters.requestAnswered(0.02);
  counters.requestAnswered(20);
  return counters;
}

test("families carry proxy and target", () => {
  const page = muxFamilies([counters()], MULTIPLEXING);
  expect(page.filter((line) => !line.startsWith("#") && !line.includes("_bucket"))).toEqual([
    `weir_mux_requests_total{${OWNER}} 1`,
    `weir_mux_requests_waiting{${OWNER}} 2`,
    `weir_mux_requests_in_flight{${OWNER}} 3`,
    `weir_mux_request_timeouts_total{${OWNER}} 4`,
    `weir_mux_request_retries_total{${OWNER}} 5`,
    `weir_mux_replies_dropped_total{${OWNER}} 6`,
    `weir_mux_mismatches_total{${OWNER}} 7`,
    `weir_mux_target_connections{${OWNER}} 8`,
    `weir_mux_redials_total{${OWNER}} 9`,
    `weir_mux_queue_seconds_sum{${OWNER}} 0.0002`,
    `weir_mux_queue_seconds_count{${OWNER}} 1`,
    `weir_mux_reply_seconds_sum{${OWNER}} 20.02`,
    `weir_mux_reply_seconds_count{${OWNER}} 2`,
  ]);
  expect(page).toContain("# TYPE weir_mux_target_connections gauge");
  expect(page).toContain("# TYPE weir_mux_queue_seconds histogram");
  expect(page).toContain(`weir_mux_queue_seconds_bucket{${OWNER},le="0.0001"} 0`);
  expect(page).toContain(`weir_mux_queue_seconds_bucket{${OWNER},le="0.00025"} 1`);
  expect(page).toContain(`weir_mux_reply_seconds_bucket{${OWNER},le="10"} 1`);
  expect(page).toContain(`weir_mux_reply_seconds_bucket{${OWNER},le="30"} 2`);
});

test("a proxy that multiplexes is there before the first request, and one that does not is not", () => {
  const [web, cards] = [new Counters("web", "t"), new Counters("cards", "t")];
  const front = new Counters("cards", "");
  const page = muxFamilies([web, front, cards], new Set(["cards"]));
  expect(page).toContain('weir_mux_requests_total{proxy="cards",target="t"} 0');
  expect(page.filter((line) => line.startsWith("weir_mux_requests_total"))).toHaveLength(1);
  expect(muxFamilies([web], new Set())).toEqual([]);
});

const LOOPBACK = { kind: "tcp", host: "127.0.0.1", port: 0 } as const;

test("a proxy that is gone keeps its figures", () => {
  const web: ProxyFigures = {
    config: { name: "web", mux: null, listen: LOOPBACK },
    figures: [],
    targets: [],
    copies: [],
  };
  const build = { version: "1.2.3", runtime: "bun", runtimeVersion: "1", engine: "native" };
  const engine = { workers: 2, shares: [20, 22], restarts: 1, eventsLost: 5 };
  const mux = { ...MUX, protocol: "echo" } as const;
  const live: ProxyFigures = {
    config: { name: NAME, mux, listen: LOOPBACK },
    figures: [counters()],
    targets: [],
    copies: [],
  };
  expect(exposition([web], [counters()], build, engine)).toContain(`weir_mux_requests_total{${OWNER}} 1\n`);
  expect(exposition([web, live], [counters()], build, engine)).toContain(`weir_mux_requests_total{${OWNER}} 2\n`);
  expect(exposition([web], [], build, engine)).not.toContain("weir_mux_");
});

test("what a dead thread had under way is not counted any more", () => {
  const each = counters();
  each.abandonTarget();
  expect([CELL.requestsQueued, CELL.requestsInFlight, CELL.lines].map((cell) => each.get(cell))).toEqual([0, 0, 0]);
  expect(each.get(CELL.requests)).toBe(1);
});

test.skipIf(!haveTool("promtool"))("promtool finds nothing to complain about", async () => {
  const page = `${muxFamilies([counters(), counters("127.0.0.1:2")], MULTIPLEXING).join("\n")}\n`;
  const child = Bun.spawn(["promtool", "check", "metrics"], {
    stdin: new Blob([page]),
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  expect(said.join("")).toBe("");
  expect(await child.exited).toBe(0);
});
