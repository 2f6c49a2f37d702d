/** Rows and columns to aligned lines, in as much room as there is. */
import type { Column, SortKey } from "./columns.ts";
import type { Row, Tone } from "./rows.ts";
import { cut, fit, neutral, widthOf } from "./text.ts";

export type Style = Tone | "title" | "sorted" | "dim" | "bar" | "loud";

export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** Parts of one line, from left to right; their text is neutral. */
export type Line = readonly Span[];

export interface Order {
  readonly key: SortKey;
  readonly descending: boolean;
}

const GAP = 2;
/** Columns of text that are better than none. */
const HARD = 5;
const INDENT = "  ";

/** The titles and a line for each row, children under theirs; none is wider than `width`. */
export function table<R extends Row & { readonly children: readonly Row[] }>(
  all: readonly Column<R>[],
  rows: readonly R[],
  width: number,
  order: Order | null = null,
): readonly Line[] {
  const flat = ordered(all, rows, order).flatMap((row) => {
    const children = ordered(all, row.children as readonly R[], order);
    return [{ row, deep: false }, ...children.map((child) => ({ row: child, deep: true }))];
  });
  const columns = all.filter(({ optional, text }) => !optional || flat.some(({ row }) => /[^-]/.test(text(row))));
  const cells = columns.map(({ text, indents }) =>
    flat.map(({ row, deep }) => neutral(`${indents && deep ? INDENT : ""}${text(row)}`)),
  );
  const widths = share(columns, cells, width);
  const titles = columns.flatMap((column, at) => {
    const sorted = order !== null && column.sort?.key === order.key;
    const mark = sorted ? (order.descending ? "v" : "^") : "";
    return part(columns, widths, at, `${column.title}${mark}`, sorted ? "sorted" : "title");
  });
  const lines = flat.map(({ row }, index) =>
    columns.flatMap((column, at) => {
      return part(columns, widths, at, cells[at]?.[index] ?? "", column.toned ? row.tone : "plain");
    }),
  );
  return [titles, ...lines].map((line) => clipped(line, width));
}

/** Rows by what they say in a column, those without a figure last; without such a column, as they are. */
function ordered<R extends Row>(columns: readonly Column<R>[], rows: readonly R[], order: Order | null): readonly R[] {
  const sort = columns.find((column) => column.sort?.key === order?.key)?.sort;
  if (!order || !sort) return rows;
  const sign = order.descending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [sort.value(a), sort.value(b)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x === y ? 0 : x < y ? -sign : sign;
  });
}

/** Widths of the columns; 0 for those that have to go. */
function share<R extends Row>(columns: readonly Column<R>[], cells: readonly string[][], width: number): number[] {
  const natural = columns.map(({ title, least, flexible }, at) => {
    return Math.max(flexible ? 0 : least, title.length + 1, ...(cells[at] ?? []).map(widthOf));
  });
  const widths = [...natural];
  const over = () => widths.reduce((sum, each) => sum + (each > 0 ? each + GAP : 0), -GAP) - width;
  const squeeze = (hard = false) => {
    for (const [at, { flexible, least }] of [...columns.entries()].reverse()) {
      const now = widths[at] ?? 0;
      const floor = hard ? Math.min(least, HARD) : least;
      if (flexible && now > floor) widths[at] = Math.max(floor, now - Math.max(0, over()));
    }
  };
  squeeze();
  for (const goes of [...new Set(columns.map((column) => column.goes))].sort((a, b) => b - a)) {
    if (over() <= 0 || goes === 0) break;
    for (const [at, column] of columns.entries()) widths[at] = column.goes < goes ? (natural[at] ?? 0) : 0;
    squeeze();
  }
  squeeze(true);
  return widths;
}

function part<R extends Row>(
  columns: readonly Column<R>[],
  widths: readonly number[],
  at: number,
  text: string,
  style: Style,
): Span[] {
  const width = widths[at] ?? 0;
  if (width === 0) return [];
  const isLast = !widths.slice(at + 1).some((each) => each > 0);
  const align = columns[at]?.align ?? "left";
  // Nothing behind it has to be in its place.
  const cell = isLast && align === "left" ? cut(text, width) : fit(text, width, align);
  return [
    { text: cell, style },
    { text: isLast ? "" : " ".repeat(GAP), style: "plain" },
  ];
}

/** The line, in `width` columns at most. */
export function clipped(line: Line, width: number): Line {
  let left = width;
  return line.flatMap(({ text, style }) => {
    const short = cut(text, left);
    left = short === text ? left - widthOf(short) : 0;
    return short === "" ? [] : [{ text: short, style }];
  });
}

/** A line without colours, and without blanks at its end. */
export function plainText(line: Line): string {
  return line
    .map(({ text }) => text)
    .join("")
    .trimEnd();
}
