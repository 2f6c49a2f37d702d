/**
 * A table that follows what it shows: rows keep their elements as long as they are there, so that focus, selections and
 * what a screen reader has found stay where they are. Rows do not change places under a pointer or the focus.
 */
import { make, setAttribute, setText } from "./dom.ts";

export interface Column<R> {
  readonly title: string;
  /** `number`, `long`, `wide` (left out on phones). */
  readonly class?: string;
  /** Either a text, which may have a tone (`good`, `bad`), or what is built once for each row. */
  readonly text?: (row: R) => string;
  readonly tone?: (row: R) => string;
  readonly build?: (latest: () => R) => Part<R>;
  /** Can be sorted by this. */
  readonly sort?: (row: R) => number | string;
}

/** What stands in one cell. */
export interface Part<R> {
  readonly node: Node;
  update(row: R): void;
}

interface Row<R> {
  latest: R;
  readonly element: HTMLTableRowElement;
  readonly update: (row: R) => void;
}

export class Table<R> {
  readonly #columns: readonly Column<R>[];
  readonly #key: (row: R) => string;
  readonly #most: number;
  readonly #rows = new Map<string, Row<R>>();
  readonly #body = make("tbody");
  readonly #region: HTMLElement;
  readonly #heads: readonly HTMLTableCellElement[];
  #sorted: { readonly column: Column<R>; readonly down: boolean } | undefined;
  #shown: readonly R[] = [];

  /** The first column is the head of its row. `most` rows are shown: the first in the order that somebody has chosen. */
  constructor(
    place: HTMLElement,
    caption: string,
    columns: readonly Column<R>[],
    key: (row: R) => string,
    most = Number.POSITIVE_INFINITY,
  ) {
    this.#most = most;
    this.#columns = columns;
    this.#key = key;
    this.#heads = columns.map((column) => this.#head(column));
    const head = make("thead", {}, make("tr", {}, ...this.#heads));
    const table = make("table", {}, make("caption", { text: caption }), head, this.#body);
    const attributes = { role: "region", tabindex: "0", "aria-label": caption };
    this.#region = make("div", { class: "scroll", attributes }, table);
    place.tabIndex = -1;
    place.append(this.#region);
  }

  update(rows: readonly R[]): void {
    this.#shown = rows;
    const wanted = this.#ordered(rows).slice(0, this.#most);
    const keys = new Set(wanted.map(this.#key));
    this.#region.hidden = wanted.length === 0;
    for (const [key, row] of this.#rows) if (!keys.has(key)) this.#remove(key, row);
    for (const row of wanted) this.#rowOf(row).update(row);
    if (this.#inUse) return;
    wanted.forEach((row, at) => {
      const element = this.#rows.get(this.#key(row))?.element;
      const there = this.#body.children[at];
      if (element && there !== element) this.#body.insertBefore(element, there ?? null);
    });
  }

  /** Somebody is about to press something in it. */
  get #inUse(): boolean {
    return this.#body.matches(":hover") || this.#body.contains(document.activeElement);
  }

  #ordered(rows: readonly R[]): readonly R[] {
    const { column, down } = this.#sorted ?? {};
    const by = column?.sort;
    if (!by) return rows;
    const sign = down ? -1 : 1;
    return rows.toSorted((one, other) => sign * compare(by(one), by(other)));
  }

  #rowOf(row: R): Row<R> {
    const key = this.#key(row);
    const known = this.#rows.get(key);
    if (known) {
      known.latest = row;
      return known;
    }
    const element = make("tr");
    const latest = () => this.#rows.get(key)?.latest ?? row;
    const updates = this.#columns.map((column, at) => cell(element, column, at === 0, latest));
    const update = (now: R) => {
      for (const each of updates) each(now);
    };
    const made = { latest: row, element, update };
    this.#rows.set(key, made);
    this.#body.append(element);
    return made;
  }

  #remove(key: string, { element }: Row<R>): void {
    const next = element.nextElementSibling ?? element.previousElementSibling;
    const focused = element.contains(document.activeElement);
    element.remove();
    this.#rows.delete(key);
    // Whoever has just closed one is likely to go on with the next.
    const heir = next?.querySelector("button") ?? this.#region.parentElement;
    if (focused) heir?.focus({ preventScroll: true });
  }

  #head(column: Column<R>): HTMLTableCellElement {
    const parts = { attributes: { scope: "col" }, ...(column.class ? { class: column.class } : {}) };
    if (!column.sort) return make("th", { ...parts, text: column.title });
    const sort = make("button", { text: column.title, attributes: { type: "button" } });
    sort.addEventListener("click", () => {
      const down = this.#sorted?.column === column ? !this.#sorted.down : true;
      this.#sorted = { column, down };
      this.#heads.forEach((head) => void head.removeAttribute("aria-sort"));
      setAttribute(made, "aria-sort", down ? "descending" : "ascending");
      this.update(this.#shown);
    });
    const made = make("th", parts, sort);
    return made;
  }
}

function cell<R>(
  row: HTMLTableRowElement,
  { text, tone, build, class: name = "" }: Column<R>,
  isHead: boolean,
  latest: () => R,
): (row: R) => void {
  const made = isHead ? make("th", { class: name, attributes: { scope: "row" } }) : make("td", { class: name });
  row.append(made);
  if (build) {
    const part = build(latest);
    made.append(part.node);
    return part.update;
  }
  return (now) => {
    setText(made, text?.(now) ?? "");
    if (tone) made.className = `${name} ${tone(now)}`.trim();
  };
}

function compare(one: number | string, other: number | string): number {
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", { numeric: true });
}
