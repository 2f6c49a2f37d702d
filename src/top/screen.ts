/** The screen of `weir top` as a pure function: what is known, what somebody wants to see and a size become lines. */
import { BRIDGE_COLUMNS, CONNECTION_COLUMNS, PROXY_COLUMNS } from "../overview/columns.ts";
import { bytes } from "../overview/figures.ts";
import {
  type Before,
  type BridgeRow,
  bridgeRows,
  type ConnectionRow,
  connectionRows,
  type ProxyRow,
  proxyRows,
} from "../overview/rows.ts";
import type { Connections, Status } from "../overview/status.ts";
import { title } from "../overview/status-text.ts";
import { clipped, type Line, type Span, type Style, table } from "../overview/table.ts";
import { fit, neutral, widthOf } from "../overview/text.ts";
import { KEYS, type View } from "./view.ts";

/** What is known of the weir that is watched. */
export interface Model {
  readonly where: string;
  /** null: it has not answered yet. */
  readonly status: Status | null;
  readonly before: Before<Status> | null;
  readonly connections: Connections | null;
  readonly connectionsBefore: Before<Connections> | null;
  /** Why it does not answer now; null: it does. */
  readonly trouble: string | null;
  /** Something that has happened. */
  readonly note: string | null;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface Drawn {
  /** As many as there are rows, none wider than there are columns. */
  readonly lines: readonly Line[];
  /** How far `View.scroll` can go. */
  readonly scrollMax: number;
}

/** Lines above the tables: what it is, sums, what is to be known. */
const HEAD = 3;

export function screen(model: Model, view: View, { columns, rows }: Size): Drawn {
  const room = Math.max(0, rows - HEAD - 1);
  const [titles = [], ...body] = view.help ? help() : content(model, view, columns);
  const scrollMax = Math.max(0, body.length - (room - 1));
  const scroll = Math.min(view.scroll, scrollMax);
  const shown = [titles, ...body.slice(scroll)].slice(0, room);
  const empty = Array.from({ length: room - shown.length }, () => []);
  const place = scrollMax > 0 ? `${scroll + 1}-${scroll + shown.length - 1} of ${body.length}` : "";
  const all = [...head(model, view, columns), ...shown, ...empty, footer(view, place, columns)];
  // Of a terminal that is too low the first lines and the keys are left.
  const lines = all.length > rows ? [...all.slice(0, rows - 1), ...all.slice(-1)] : all;
  return { lines: lines.map((line) => clipped(line, columns)), scrollMax };
}

function head(model: Model, view: View, columns: number): readonly Line[] {
  const { status } = model;
  const what = status ? title(status, model.where) : neutral(`weir at ${model.where}`);
  return [[span(fit(` ${what}`, columns), "bar")], sums(model), [message(model, view)]];
}

function sums({ status, before }: Model): Line {
  if (!status) return [];
  const { connections_active: open, connections_total: total } = status;
  const rate = (key: "bytes_upstream" | "bytes_downstream") =>
    before ? `${bytes(Math.max(0, status[key] - before.was[key]) / before.seconds)}/s` : "-";
  return [
    span(` ${open} open  ${total} connections since the start  `),
    span(`up ${rate("bytes_upstream")}  down ${rate("bytes_downstream")}`),
  ];
}

/** What matters most. */
function message({ trouble, note, status }: Model, { typing, filter, paused }: View): Span {
  if (typing) return span(` show what has: ${neutral(filter)}_`, "loud");
  if (trouble !== null) return span(` ${neutral(trouble)}; trying again`, "bad");
  if (paused) return span(" paused: Space goes on", "loud");
  if (filter !== "") return span(` shown is what has "${neutral(filter)}"; Esc shows all`, "loud");
  if (note !== null) return span(` ${neutral(note)}`, "warning");
  if (status?.state === "draining") return span(" draining: no new connections are taken", "warning");
  return span("");
}

function content(model: Model, view: View, columns: number): readonly Line[] {
  const { status, before, connections, connectionsBefore } = model;
  const { order, filter } = view;
  if (!status) return [];
  if (view.page === "connections") {
    const rows = connections ? connectionRows(connections, connectionsBefore) : [];
    const shown = rows.filter(matching<ConnectionRow>(filter, (row) => [row.name, row.client, row.target, row.state]));
    const missing = (connections?.total ?? 0) - rows.length;
    const more = missing > 0 ? [[span(` and ${missing} more that are not shown`, "dim")]] : [];
    return [...table(CONNECTION_COLUMNS, shown, columns, order), ...more];
  }
  const text = ({ name, address, note }: ProxyRow) => [name, address, note];
  const proxies = families(proxyRows(status, before), matching<ProxyRow>(filter, text));
  const bridges = families(
    bridgeRows(status, before),
    matching<BridgeRow>(filter, ({ name, address }) => [name, address]),
  );
  const second = bridges.length > 0 ? table(BRIDGE_COLUMNS, bridges, columns, order) : [];
  const first = proxies.length > 0 || second.length === 0 ? table(PROXY_COLUMNS, proxies, columns, order) : [];
  return [...first, ...(first.length > 0 && second.length > 0 ? [[]] : []), ...second];
}

function matching<R>(filter: string, texts: (row: R) => readonly string[]): (row: R) => boolean {
  const wanted = filter.toLowerCase();
  return (row) => texts(row).some((text) => text.toLowerCase().includes(wanted));
}

/** Those that match, with all that is theirs, and others with what matches of theirs. */
function families<R extends { readonly children: readonly R[] }>(
  rows: readonly R[],
  matches: (row: R) => boolean,
): readonly R[] {
  return rows.flatMap((row) => {
    if (matches(row)) return [row];
    const children = row.children.filter(matches);
    return children.length > 0 ? [{ ...row, children }] : [];
  });
}

function help(): readonly Line[] {
  const width = Math.max(...KEYS.map(([keys]) => keys.length));
  return [[span(" Keys", "title")], ...KEYS.map(([keys, does]) => [span(` ${keys.padEnd(width + 2)}${does}`)])];
}

function footer(view: View, place: string, columns: number): Line {
  const { order, page } = view;
  const by = order ? `${order.key} ${order.descending ? "v" : "^"}` : "as they are";
  const other = page === "proxies" ? "connections" : "proxies";
  const keys = view.typing
    ? "Enter keep  Esc take away"
    : `q quit  ? help  Tab ${other}  <> order: ${by}  r reverse  / filter  Space pause`;
  const right = place === "" ? "" : ` ${place} `;
  const left = fit(` ${keys}`, Math.max(0, columns - widthOf(right)));
  return [span(left + right, "bar")];
}

function span(text: string, style: Style = "plain"): Span {
  return { text, style };
}
