/** From what weir says to rows with rates. */
import { expect, test } from "bun:test";
import { bridgeRows, connectionRows, proxyRows, sinceStart } from "../../src/overview/rows.ts";
import { PROXY, STATUS, TARGET } from "./world.ts";

test("rates since the start count from nothing", () => {
  const [row] = proxyRows(STATUS, sinceStart(STATUS));
  expect(row).toMatchObject({
    rate: 1,
    upRate: 100,
    downRate: 200,
    active: 2,
    failed: 1,
    bytes: 3_000,
    state: "listening",
  });
  expect(row?.children[0]).toMatchObject({
    rate: 1,
    upRate: 100,
    address: "127.0.0.1:5432",
    state: "up",
    tone: "good",
  });
});

test("rates since an earlier moment count what came meanwhile", () => {
  const later = { ...STATUS, proxies: [{ ...PROXY, connections_total: 14, bytes_upstream: 5_000 }] };
  const [row] = proxyRows(later, { seconds: 2, was: STATUS });
  expect(row).toMatchObject({ rate: 2, upRate: 2_000, downRate: 0 });
});

test("without an earlier moment there are none, and a figure that fell has none below 0", () => {
  expect(proxyRows(STATUS, null)[0]).toMatchObject({ rate: null, upRate: null });
  const fewer = { ...STATUS, proxies: [{ ...PROXY, bytes_upstream: 10 }] };
  expect(proxyRows(fewer, { seconds: 1, was: STATUS })[0]).toMatchObject({ upRate: 0 });
});

test("targets say how they are", () => {
  const targets = [
    { ...TARGET, address: "a:1", healthy: false, check: "connection refused" },
    { ...TARGET, address: "a:2", state: "drain" as const, backup: true, weight: 3 },
    {
      ...TARGET,
      address: "a:3",
      mux: { connections: 2, requests: 9, waiting: 1, in_flight: 4, timeouts: 5 },
      datagrams: { upstream: 1, downstream: 1, lost: 7 },
    },
  ];
  const [row] = proxyRows({ ...STATUS, proxies: [{ ...PROXY, protocol: "http", targets }] }, null);
  expect(row?.note).toBe("shares connections: http");
  expect(row?.children.map(({ state, tone, note }) => [state, tone, note])).toEqual([
    ["down", "bad", "connection refused"],
    ["drain", "warning", "backup, weight 3"],
    ["up", "good", "2 shared, 4 under way, 1 waiting, 5 timed out, 7 datagrams lost"],
  ]);
});

test("requests are counted where clients share connections", () => {
  const mux = { connections: 1, requests: 50, waiting: 0, in_flight: 0, timeouts: 0 };
  const status = { ...STATUS, proxies: [{ ...PROXY, targets: [{ ...TARGET, mux }, TARGET] }] };
  const [row] = proxyRows(status, sinceStart(status));
  expect(row?.requestRate).toBe(5);
  expect(row?.children.map(({ requestRate }) => requestRate)).toEqual([5, null]);
  expect(proxyRows(STATUS, sinceStart(STATUS))[0]?.requestRate).toBeNull();
});

test("a bridge has what its sources brought, and what all ends lost", () => {
  const end = { address: "udp://127.0.0.1:1", datagrams: 10, bytes: 1_000, lost: 1, connections: 0 };
  const udp = [
    {
      name: "ais",
      state: "bridging" as const,
      ends: [
        { ...end, direction: "from" as const },
        { ...end, direction: "to" as const, address: "listen://127.0.0.1:2", datagrams: 9, lost: 3, connections: 2 },
      ],
    },
  ];
  const status = { ...STATUS, udp };
  const [row] = bridgeRows(status, sinceStart(status));
  expect(row).toMatchObject({ name: "ais", total: 10, failed: 4, active: 2, bytes: 1_000, rate: 1, byteRate: 100 });
  expect(row?.children.map(({ state, total }) => [state, total])).toEqual([
    ["from", 10],
    ["to", 9],
  ]);
});

test("connections have rates by their ids", () => {
  const one = {
    id: 7,
    proxy: "db",
    client: "127.0.0.1:1",
    target: null,
    state: "open",
    duration: 3,
    bytesUpstream: 30,
    bytesDownstream: 10,
  };
  const was = { total: 1, connections: [{ ...one, bytesUpstream: 10 }] };
  const rows = connectionRows({ total: 2, connections: [one, { ...one, id: 8 }] }, { seconds: 2, was });
  expect(rows.map(({ id, target, upRate, downRate }) => [id, target, upRate, downRate])).toEqual([
    [7, "-", 10, 0],
    [8, "-", 15, 5],
  ]);
});

test("two proxies that are called the same have keys of their own", () => {
  const rows = proxyRows({ ...STATUS, proxies: [PROXY, { ...PROXY, state: "draining" }] }, null);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(2);
});
