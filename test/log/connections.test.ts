import { expect, test } from "bun:test";
import { runtime } from "#runtime";
import { DEFAULTS } from "../../src/config/config.ts";
import { connectionLog } from "../../src/log/connections.ts";
import { Log } from "../../src/log/log.ts";
import { SocketError } from "../../src/net/errors.ts";
import type { ConnectionRecord } from "../../src/proxy/record.ts";

const RECORD: ConnectionRecord = {
  id: 1,
  proxy: "db",
  client: "127.0.0.1:5",
  target: "127.0.0.1:6",
  state: "closed",
  openedAt: "2026-01-01T00:00:00.000Z",
  duration: 0.25,
  connectTime: 0.001,
  serverName: null,
  retries: 0,
  bytesUpstream: 1_500,
  bytesDownstream: 20,
  requests: null,
  tls: null,
  reason: "client_reset",
  rule: null,
  error: "ECONNRESET",
  undeliveredUpstream: 1_000,
  undeliveredDownstream: 0,
};

function world(config = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  let now = 0;
  const clock = { ...runtime, now: () => now };
  const log = new Log(DEFAULTS.log, { out: (line) => out.push(line), err: (line) => err.push(line) }, () => 0);
  const sum = { connectionsActive: 0, connectionsTotal: 1, bytesUpstream: 0, bytesDownstream: 0 };
  const events = connectionLog(log, { ...DEFAULTS.log, ...config }, clock, () => sum, { active: 0, total: 0 });
  return {
    out,
    err,
    events,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test("an access record says who, which target, bytes, time, why, and what was lost", () => {
  const { out, events } = world({ access: true });
  events.closed?.(RECORD, undefined);
  expect(out).toEqual([
    "[ACCESS] 127.0.0.1:5 -> 127.0.0.1:6 up 1.5KB down 20B in 0.250s: client_reset (ECONNRESET) with 1.0KB undelivered",
  ]);
});

test("an access record of a client that shares connections says how many requests it has made", () => {
  const { out, events } = world({ access: true });
  for (const requests of [0, 1, 12]) events.closed?.({ ...RECORD, requests, undeliveredUpstream: 0 }, undefined);
  const line = "[ACCESS] 127.0.0.1:5 -> 127.0.0.1:6 up 1.5KB down 20B in 0.250s";
  const why = "client_reset (ECONNRESET)";
  expect(out).toEqual([`${line}, 0 requests: ${why}`, `${line}, 1 request: ${why}`, `${line}, 12 requests: ${why}`]);
});

test("a failure that repeats is printed once a second, with the number left out", () => {
  const { err, events, pass } = world();
  const refused = { ...RECORD, reason: "connect_refused" as const, error: "ECONNREFUSED" };
  const error = new SocketError("ECONNREFUSED");
  for (let n = 0; n < 1_000; n++) events.failed?.(refused, error);
  pass(1_000);
  events.failed?.(refused, error);
  expect(err).toEqual([
    "weir: 127.0.0.1:5 was reset: connection refused (ECONNREFUSED)",
    "weir: 127.0.0.1:5 was reset: connection refused (ECONNREFUSED) (and 999 more like it)",
  ]);
});

test("a bug in weir is logged with the stack of its cause", () => {
  const { err, events } = world();
  events.broken?.({ ...RECORD, reason: "internal_error" }, new Error("the bug itself"));
  expect(err).toHaveLength(1);
  expect(err[0]).toContain("the bug itself");
  expect(err[0]).toContain("connections.test.ts");
});

test("a name that a TLS client has asked for stands beside the target, and with the failure", () => {
  const it = world({ access: true });
  it.events.closed?.({ ...RECORD, serverName: "a.example", error: null, undeliveredUpstream: 0 }, undefined);
  expect(it.out).toEqual(["[ACCESS] 127.0.0.1:5 -> 127.0.0.1:6 (a.example) up 1.5KB down 20B in 0.250s: client_reset"]);
  const rule = "no target is for its server name";
  for (const serverName of ["b.example", "c.example"]) {
    it.events.failed?.({ ...RECORD, target: null, serverName, reason: "no_route", rule, error: null }, undefined);
  }
  // One line for all names, once a second.
  expect(it.err).toEqual([`weir: 127.0.0.1:5, which asked for b.example, was not let in: ${rule}`]);
});
