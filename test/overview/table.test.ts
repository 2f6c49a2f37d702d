/** Tables: aligned, ordered, and as wide as there is room. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { BRIDGE_COLUMNS, CONNECTION_COLUMNS, PROXY_COLUMNS } from "../../src/overview/columns.ts";
import { bridgeRows, connectionRows, proxyRows, sinceStart } from "../../src/overview/rows.ts";
import { statusText } from "../../src/overview/status-text.ts";
import { type Line, plainText, table } from "../../src/overview/table.ts";
import { anyConnections, anyStatus, PROXY, STATUS, TARGET } from "./world.ts";

const status = {
  ...STATUS,
  proxies: [
    { ...PROXY, name: "a", connections_active: 1, targets: [] },
    {
      ...PROXY,
      name: "数据",
      connections_active: 5,
      targets: [
        { ...TARGET, address: "10.0.0.1:80", connections_active: 1 },
        { ...TARGET, address: "10.0.0.2:80", connections_active: 4 },
      ],
    },
  ],
};
const rows = proxyRows(status, sinceStart(status));
const firsts = (lines: readonly Line[]) => lines.map((line) => plainText(line).trim().split(/ {2,}/)[0]);

test("columns stand under each other, figures on the right", () => {
  expect(table(PROXY_COLUMNS, rows, 200).map(plainText)).toEqual([
    "PROXY   ADDRESS         STATE       ACTIVE    TOTAL   FAILED   CONN/S      UP/S    DOWN/S     BYTES",
    "a       127.0.0.1:1000  listening        1       10        1      1.0      100B      200B     3.0KB",
    "数据    127.0.0.1:1000  listening        5       10        1      1.0      100B      200B     3.0KB",
    "          10.0.0.1:80   up               1       10        0      1.0      100B      200B     3.0KB",
    "          10.0.0.2:80   up               4       10        0      1.0      100B      200B     3.0KB",
  ]);
});

test("where there is less room, what matters least goes first, and addresses are cut last", () => {
  const [titles = "", first] = table(PROXY_COLUMNS, rows, 72).map(plainText);
  expect(titles).toBe("PROXY   ADDRESS         STATE       ACTIVE   FAILED      UP/S    DOWN/S");
  expect(first).toContain("127.0.0.1:1000 ");
  expect(table(PROXY_COLUMNS, rows, 24).map(plainText)[1]).toBe("a       127.0.~        1");
});

test("a column that nobody has anything to say in is left out", () => {
  const mux = { connections: 1, requests: 50, waiting: 0, in_flight: 0, timeouts: 0 };
  const shared = { ...STATUS, proxies: [{ ...PROXY, targets: [{ ...TARGET, mux }] }] };
  const titles = (of: typeof STATUS) =>
    plainText(table(PROXY_COLUMNS, proxyRows(of, sinceStart(of)), 200)[0] ?? []).split(/ +/);
  expect(titles(shared)).toContain("REQ/S");
  expect(titles(shared)).toContain("NOTE");
  expect(titles(STATUS)).not.toContain("REQ/S");
  expect(titles(STATUS)).not.toContain("NOTE");
});

test("rows are ordered with their targets under them", () => {
  expect(firsts(table(PROXY_COLUMNS, rows, 200, { key: "active", descending: true }))).toEqual([
    "PROXY",
    "数据",
    "10.0.0.2:80",
    "10.0.0.1:80",
    "a",
  ]);
  const titles = plainText(table(PROXY_COLUMNS, rows, 200, { key: "active", descending: true })[0] ?? []);
  expect(titles).toContain(" ACTIVEv ");
  expect(firsts(table(PROXY_COLUMNS, rows, 200, { key: "age", descending: true }))[1]).toBe("a");
});

test("no line is wider than the room, whatever names and figures there are", () => {
  fc.assert(
    fc.property(anyStatus, anyConnections, fc.integer({ min: 1, max: 200 }), (any, connections, width) => {
      const before = sinceStart(any);
      const lines = [
        ...table(PROXY_COLUMNS, proxyRows(any, before), width),
        ...table(BRIDGE_COLUMNS, bridgeRows(any, before), width),
        ...table(CONNECTION_COLUMNS, connectionRows(connections, null), width),
      ];
      for (const line of lines) expect(Bun.stringWidth(plainText(line))).toBeLessThanOrEqual(width);
    }),
  );
});

test("weir status says all of it in lines without control characters", () => {
  fc.assert(
    fc.property(anyStatus, (any) => {
      for (const line of statusText(any, "127.0.0.1:8998")) expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }),
  );
});

test("weir status, word for word", () => {
  expect(statusText({ ...STATUS, proxies: [], uptime_seconds: 14_700 }, "127.0.0.1:8998")).toEqual([
    "weir 0.1.0 at 127.0.0.1:8998: ready, up 4h05m (bun 1.4.5, native engine, 2 threads)",
    "connections: 2 open, 10 since the start",
    "bytes: 1.0KB up, 2.0KB down",
  ]);
});
