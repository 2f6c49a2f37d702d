/** Frames: whole at first, then what has changed, and nothing that moves the screen. */
import { expect, test } from "bun:test";
import type { Line } from "../../src/overview/table.ts";
import { Painter } from "../../src/top/painter.ts";

const SIZE = { columns: 10, rows: 2 };
const line = (text: string, style: "plain" | "bad" = "plain"): Line => [{ text, style }];

test("the first frame is a whole one, in one piece", () => {
  expect(new Painter(true).frame([line("one"), line("two", "bad")], SIZE)).toBe(
    "\x1b[?2026h\x1b[m\x1b[2J\x1b[1;1Hone\x1b[K\x1b[2;1H\x1b[1;31mtwo\x1b[m\x1b[K\x1b[?2026l",
  );
});

test("then lines come that have changed, and nothing when none has", () => {
  const painter = new Painter(true);
  painter.frame([line("one"), line("two")], SIZE);
  expect(painter.frame([line("one"), line("2")], SIZE)).toBe("\x1b[?2026h\x1b[2;1H2\x1b[K\x1b[?2026l");
  expect(painter.frame([line("one"), line("2")], SIZE)).toBe("");
});

test("another size, and a screen that was somebody else's, are drawn from the start", () => {
  const painter = new Painter(true);
  const lines = [line("one"), line("two")];
  painter.frame(lines, SIZE);
  expect(painter.frame(lines, { columns: 11, rows: 2 })).toContain("\x1b[2J");
  painter.forget();
  expect(painter.frame(lines, { columns: 11, rows: 2 })).toContain("\x1b[2J");
});

test("a line as wide as the screen erases nothing behind itself, which would be its last character", () => {
  expect(new Painter(true).frame([line("1234567890")], { columns: 10, rows: 1 })).toEndWith("1234567890\x1b[?2026l");
});

test("without colours what is bad is bold", () => {
  expect(new Painter(false).frame([line("x", "bad")], { columns: 10, rows: 1 })).toContain("\x1b[1mx\x1b[m");
});
