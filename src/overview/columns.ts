/** The tables of `weir status` and `weir top` as data: what each column says, how wide it may be and what goes first. */
import { age, bytes, many, pace } from "./figures.ts";
import type { BridgeRow, ConnectionRow, ProxyRow, Row } from "./rows.ts";

/** By which rows can be ordered; a table without such a column keeps its order. */
export type SortKey = "name" | "active" | "total" | "failed" | "rate" | "requests" | "bytes" | "up" | "down" | "age";

export interface Column<R extends Row> {
  readonly title: string;
  readonly align: "left" | "right";
  readonly text: (row: R) => string;
  readonly sort?: { readonly key: SortKey; readonly value: (row: R) => number | string | null };
  /** Columns of text that it has at least, so that figures do not move when they grow. */
  readonly least: number;
  /** It is as wide as what is in it, and may be cut to `least` where there is no room. */
  readonly flexible?: true;
  /** Where there still is none, columns go, the highest number first; 0 stays. */
  readonly goes: number;
  /** It is left out where no row has anything to say in it. */
  readonly optional?: true;
  /** It is in the colour of its row. */
  readonly toned?: true;
  /** It shows where rows belong to others. */
  readonly indents?: true;
}

export const PROXY_COLUMNS: readonly Column<ProxyRow>[] = [
  ...places("PROXY"),
  { title: "STATE", align: "left", text: ({ state }) => state, least: 9, goes: 2, toned: true },
  figure("ACTIVE", "active", 7, 0, ({ active }) => active, many),
  figure("TOTAL", "total", 7, 6, ({ total }) => total, many),
  figure("FAILED", "failed", 7, 4, ({ failed }) => failed, many),
  figure("CONN/S", "rate", 7, 5, ({ rate }) => rate, pace),
  {
    ...figure<ProxyRow>("REQ/S", "requests", 7, 3, ({ requestRate }) => requestRate, pace),
    optional: true,
  },
  figure("UP/S", "up", 8, 1, ({ upRate }) => upRate, bytes),
  figure("DOWN/S", "down", 8, 1, ({ downRate }) => downRate, bytes),
  figure("BYTES", "bytes", 8, 7, (row) => row.bytes, bytes),
  { title: "NOTE", align: "left", text: ({ note }) => note, least: 10, flexible: true, goes: 8, optional: true },
];

export const BRIDGE_COLUMNS: readonly Column<BridgeRow>[] = [
  ...places("UDP"),
  { title: "STATE", align: "left", text: ({ state }) => state, least: 9, goes: 1, toned: true },
  figure("ACTIVE", "active", 7, 5, ({ active }) => active, many),
  figure("DGRAMS", "total", 7, 4, ({ total }) => total, many),
  figure("LOST", "failed", 7, 3, ({ failed }) => failed, many),
  figure("DGRAM/S", "rate", 7, 2, ({ rate }) => rate, pace),
  figure("BYTES/S", "up", 8, 2, ({ byteRate }) => byteRate, bytes),
  figure("BYTES", "bytes", 8, 6, (row) => row.bytes, bytes),
];

export const CONNECTION_COLUMNS: readonly Column<ConnectionRow>[] = [
  { title: "ID", align: "right", text: ({ id }) => String(id), least: 6, goes: 6 },
  {
    title: "PROXY",
    align: "left",
    text: ({ name }) => name,
    sort: { key: "name", value: ({ name }) => name },
    least: 16,
    flexible: true,
    goes: 4,
  },
  { title: "CLIENT", align: "left", text: ({ client }) => client, least: 21, flexible: true, goes: 0 },
  { title: "TARGET", align: "left", text: ({ target }) => target, least: 21, flexible: true, goes: 3 },
  { title: "STATE", align: "left", text: ({ state }) => state, least: 11, goes: 5, toned: true },
  figure(
    "AGE",
    "age",
    6,
    2,
    (row) => row.age,
    (seconds) => age(seconds ?? 0),
  ),
  figure("UP/S", "up", 8, 1, ({ upRate }) => upRate, bytes),
  figure("DOWN/S", "down", 8, 1, ({ downRate }) => downRate, bytes),
  figure("BYTES", "bytes", 8, 7, ({ up, down }) => up + down, bytes),
];

/** What it is called, and where it is. */
function places<R extends ProxyRow | BridgeRow>(title: string): Column<R>[] {
  const common = { align: "left", flexible: true, goes: 0 } as const;
  const sort = { key: "name" as const, value: ({ name, address }: R) => name || address };
  return [
    { ...common, title, text: ({ name }) => name, sort, least: 16 },
    { ...common, title: "ADDRESS", text: ({ address }) => address, least: 21, indents: true },
  ];
}

function figure<R extends Row>(
  title: string,
  key: SortKey,
  least: number,
  goes: number,
  value: (row: R) => number | null,
  format: (value: number | null) => string,
): Column<R> {
  return { title, align: "right", text: (row) => format(value(row)), sort: { key, value }, least, goes };
}
