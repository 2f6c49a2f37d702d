/** What keys make of a view. */
import { expect, test } from "bun:test";
import type { Key } from "../../src/top/keys.ts";
import { FIRST_VIEW, pressed, type View, type Wish } from "../../src/top/view.ts";

function after(...keys: readonly Key[]): View | Wish {
  let view: View | Wish = FIRST_VIEW;
  for (const key of keys) if (typeof view !== "string") view = pressed(view, key);
  return view;
}

test("q and Ctrl+C end it, also from help; in a filter q is a letter", () => {
  expect(after("q")).toBe("quit");
  expect(after("ctrl-c")).toBe("quit");
  expect(after("?", "q")).toBe("quit");
  expect(after("/", "q")).toMatchObject({ typing: true, filter: "q" });
  expect(after("/", "q", "ctrl-c")).toBe("quit");
  expect(after("ctrl-z")).toBe("suspend");
  expect(after("ctrl-l")).toBe("redraw");
});

test("help goes with any key", () => {
  expect(after("?")).toMatchObject({ help: true });
  expect(after("h", "tab")).toEqual(FIRST_VIEW);
});

test("a filter is typed, corrected, kept and taken away", () => {
  expect(after("/", "d", "c", "backspace", "b")).toMatchObject({ filter: "db", typing: true });
  expect(after("/", "d", "b", "enter")).toMatchObject({ filter: "db", typing: false });
  expect(after("/", "d", "enter", "escape")).toMatchObject({ filter: "" });
  expect(after("/", "d", "escape")).toMatchObject({ filter: "", typing: false });
  expect(after("/", "up", "é")).toMatchObject({ filter: "é", scroll: 0 });
  expect(after("/", ..."x".repeat(200))).toMatchObject({ filter: "x".repeat(100) });
});

test("the columns by which rows are ordered come in turn, and the largest figures first", () => {
  expect(after("right")).toMatchObject({ order: { key: "name", descending: false } });
  expect(after(">", "right")).toMatchObject({ order: { key: "active", descending: true } });
  expect(after("right", "right", "r")).toMatchObject({ order: { key: "active", descending: false } });
  expect(after("left")).toMatchObject({ order: { key: "bytes" } });
  expect(after("right", "left")).toMatchObject({ order: null });
  expect(after("r")).toMatchObject({ order: null });
  expect(after("c", "left", "left")).toMatchObject({ page: "connections", order: { key: "down" } });
});

test("pages change and begin at their top", () => {
  expect(after("down", "down", "tab")).toMatchObject({ page: "connections", scroll: 0 });
  expect(after("c", "back-tab")).toMatchObject({ page: "proxies" });
});

test("scrolling never goes above the first line", () => {
  expect(after("up")).toMatchObject({ scroll: 0 });
  expect(after("j", "page-down", "k")).toMatchObject({ scroll: 10 });
  expect(after("end", "home")).toMatchObject({ scroll: 0 });
});

test("it stands still and goes on", () => {
  expect(after(" ")).toMatchObject({ paused: true });
  expect(after("p", " ")).toMatchObject({ paused: false });
});
