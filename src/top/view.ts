/** What somebody at `weir top` has chosen to see, and what a key makes of it. */
import { CONNECTION_COLUMNS, PROXY_COLUMNS, type SortKey } from "../overview/columns.ts";
import type { Order } from "../overview/table.ts";
import type { Key } from "./keys.ts";

type Page = "proxies" | "connections";

export interface View {
  readonly page: Page;
  /** null: as weir has them. */
  readonly order: Order | null;
  /** Rows with this in their text are shown; empty: all. */
  readonly filter: string;
  /** Keys are the filter's. */
  readonly typing: boolean;
  readonly paused: boolean;
  readonly help: boolean;
  /** Lines above those that are shown. */
  readonly scroll: number;
}

export const FIRST_VIEW: View = {
  page: "proxies",
  order: null,
  filter: "",
  typing: false,
  paused: false,
  help: false,
  scroll: 0,
};

/** What is asked of the program, not of the view. */
export type Wish = "quit" | "suspend" | "redraw";

const FILTER_MAX = 100;
/** More than any page has: where it ends is known where it is drawn. */
const FAR = 1_000_000;
const PAGE = 10;

/** Every key that does something, and what, as help says it. */
export const KEYS: readonly (readonly [keys: string, does: string])[] = [
  ["q  Ctrl+C", "end"],
  ["Tab  c", "proxies or connections"],
  ["Left Right  < >", "order by another column"],
  ["r", "the other way round"],
  ["/", "show what has a text in it: Enter keeps it, Esc takes it away"],
  ["Space  p", "stand still, go on"],
  ["Up Down  k j", "scroll; PgUp PgDn Home End as well"],
  ["Ctrl+L", "draw all of it again"],
  ["Ctrl+Z", "into the background; fg brings it back"],
  ["?  h", "this"],
];

export function pressed(view: View, key: Key): View | Wish {
  if (key === "ctrl-c") return "quit";
  if (key === "ctrl-z") return "suspend";
  if (key === "ctrl-l") return "redraw";
  if (view.typing) return typed(view, key);
  if (view.help && key !== "q") return { ...view, help: false };
  switch (key) {
    case "q":
      return "quit";
    case "?":
    case "h":
      return { ...view, help: true };
    case "tab":
    case "back-tab":
    case "c":
      return { ...view, page: view.page === "proxies" ? "connections" : "proxies", order: null, scroll: 0 };
    case "left":
    case "<":
      return { ...view, order: next(view, -1) };
    case "right":
    case ">":
      return { ...view, order: next(view, 1) };
    case "r":
      return view.order ? { ...view, order: { ...view.order, descending: !view.order.descending } } : view;
    case "/":
      return { ...view, typing: true };
    case "escape":
      return { ...view, filter: "", scroll: 0 };
    case " ":
    case "p":
      return { ...view, paused: !view.paused };
    default:
      return { ...view, scroll: scrolled(view.scroll, key) };
  }
}

function typed(view: View, key: Key): View {
  if (key === "enter") return { ...view, typing: false };
  if (key === "escape") return { ...view, typing: false, filter: "", scroll: 0 };
  if (key === "backspace") return { ...view, filter: [...view.filter].slice(0, -1).join(""), scroll: 0 };
  if ([...key].length !== 1 || view.filter.length >= FILTER_MAX) return view;
  return { ...view, filter: view.filter + key, scroll: 0 };
}

function scrolled(scroll: number, key: Key): number {
  const by: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    "page-up": -PAGE,
    "page-down": PAGE,
    home: -FAR,
    end: FAR,
  };
  return Math.max(0, scroll + (by[key] ?? 0));
}

/** The column beside that by which rows are ordered, with none of them between the last and the first. */
function next({ page, order }: View, step: 1 | -1): Order | null {
  const columns = page === "proxies" ? PROXY_COLUMNS : CONNECTION_COLUMNS;
  const keys = [null, ...columns.flatMap(({ sort }) => (sort ? [sort.key] : []))];
  const at = keys.indexOf(order?.key ?? null);
  const key = keys[(at + step + keys.length) % keys.length] ?? null;
  return key === null ? null : { key, descending: isFigure(key) };
}

/** Of figures the largest are looked for. */
function isFigure(key: SortKey): boolean {
  return key !== "name";
}
