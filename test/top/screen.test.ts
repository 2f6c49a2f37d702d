/** The screen as lines: all that is known, in any size, and never more than there is room for. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { plainText } from "../../src/overview/table.ts";
import { type Model, screen } from "../../src/top/screen.ts";
import { FIRST_VIEW } from "../../src/top/view.ts";
import { anyConnections, anyStatus, anyText, PROXY, STATUS, TARGET } from "../overview/world.ts";

const MODEL: Model = {
  where: "127.0.0.1:8998",
  status: STATUS,
  before: { was: { ...STATUS, uptime_seconds: 8, bytes_upstream: 0 }, seconds: 2 },
  connections: null,
  connectionsBefore: null,
  trouble: null,
  note: null,
};
const SIZE = { columns: 100, rows: 10 };
const drawn = (model: Partial<Model> = {}, view = {}, size = SIZE) =>
  screen({ ...MODEL, ...model }, { ...FIRST_VIEW, ...view }, size).lines.map(plainText);

const anyView = fc.record({
  page: fc.constantFrom("proxies" as const, "connections" as const),
  order: fc.option(
    fc.record({
      key: fc.constantFrom("name", "active", "total", "failed", "rate", "requests", "bytes", "up", "down", "age"),
      descending: fc.boolean(),
    }),
  ),
  filter: fc.oneof(fc.constant(""), anyText),
  typing: fc.boolean(),
  paused: fc.boolean(),
  help: fc.boolean(),
  scroll: fc.nat(50),
});

const anyModel = fc.record({
  where: anyText,
  status: fc.option(anyStatus),
  before: fc.option(fc.record({ seconds: fc.double({ min: 0.001, max: 100, noNaN: true }), was: anyStatus })),
  connections: fc.option(anyConnections),
  connectionsBefore: fc.constant(null),
  trouble: fc.option(anyText),
  note: fc.option(anyText),
});

test("it fills every size exactly, with nothing in it that a terminal would obey", () => {
  const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
  fc.assert(
    fc.property(anyModel, anyView, size, (model, view, { columns, rows }) => {
      const { lines, scrollMax } = screen(model, view, { columns, rows });
      expect(lines).toHaveLength(rows);
      expect(scrollMax).toBeGreaterThanOrEqual(0);
      for (const line of lines) {
        const text = line.map((span) => span.text).join("");
        expect(Bun.stringWidth(text)).toBeLessThanOrEqual(columns);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      }
    }),
    { numRuns: 300 },
  );
});

test("the first look, word for word", () => {
  expect(drawn()).toEqual([
    " weir 0.1.0 at 127.0.0.1:8998: ready, up 10s (bun 1.4.5, native engine, 2 threads)",
    " 2 open  10 connections since the start  up 500B/s  down 0B/s",
    "",
    "PROXY   ADDRESS           STATE       ACTIVE    TOTAL   FAILED   CONN/S      UP/S    DOWN/S",
    "db      127.0.0.1:1000    listening        2       10        1        0        0B        0B",
    "          127.0.0.1:5432  up               2       10        0        0        0B        0B",
    "",
    "",
    "",
    " q quit  ? help  Tab connections  <> order: as they are  r reverse  / filter  Space pause",
  ]);
});

test("what matters most is said: no answer, before a pause, before a restart", () => {
  const all = { trouble: "no weir answers", note: "started again" };
  expect(drawn(all, { paused: true })[2]).toBe(" no weir answers; trying again");
  expect(drawn({ note: "started again" }, { paused: true })[2]).toBe(" paused: Space goes on");
  expect(drawn({ note: "started again" })[2]).toBe(" started again");
  expect(drawn({ status: { ...STATUS, state: "draining" } })[2]).toBe(" draining: no new connections are taken");
  expect(drawn({ status: null, trouble: "x" }).slice(0, 4)).toEqual([
    " weir at 127.0.0.1:8998",
    "",
    " x; trying again",
    "",
  ]);
});

test("a filter leaves proxies with all their targets, and targets with their proxy", () => {
  const status = {
    ...STATUS,
    proxies: [
      { ...PROXY, name: "web", targets: [TARGET, { ...TARGET, address: "10.0.0.9:80" }] },
      { ...PROXY, name: "db", targets: [TARGET] },
    ],
  };
  const names = (filter: string) =>
    drawn({ status }, { filter })
      .slice(4, 9)
      .map((line) => line.trim().split(" ")[0]);
  expect(names("WEB")).toEqual(["web", "127.0.0.1:5432", "10.0.0.9:80", "", ""]);
  expect(names("10.0.0.9")).toEqual(["web", "10.0.0.9:80", "", "", ""]);
  expect(names("nothing")).toEqual(["", "", "", "", ""]);
});

test("titles stay when rows scroll, and the last row can be reached", () => {
  const proxies = Array.from({ length: 20 }, (_, at) => ({ ...PROXY, name: `proxy-${at}`, targets: [] }));
  const status = { ...STATUS, proxies };
  const { lines, scrollMax } = screen({ ...MODEL, status }, { ...FIRST_VIEW, scroll: 1_000 }, SIZE);
  expect(scrollMax).toBe(15);
  expect(plainText(lines[3] ?? [])).toStartWith("PROXY");
  expect(plainText(lines[8] ?? [])).toStartWith("proxy-19");
  expect(plainText(lines[9] ?? [])).toEndWith(" 16-20 of 20");
});

test("help lists the keys, in place of the tables", () => {
  expect(drawn({}, { help: true })[4]).toBe(" q  Ctrl+C        end");
});
