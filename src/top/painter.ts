/** Lines to what a terminal understands: only those that have changed, all in one piece, so that nothing flickers. */
import { clipped, type Line, type Style } from "../overview/table.ts";
import { widthOf } from "../overview/text.ts";
import type { Size } from "./screen.ts";

/** SGR (ECMA-48 section 8.3.117). Without colours what matters is still bold or reversed. */
const COLOURED: Readonly<Record<Style, string>> = {
  plain: "",
  good: "32",
  bad: "1;31",
  warning: "33",
  title: "1",
  sorted: "1;4",
  dim: "2",
  bar: "7",
  loud: "1",
};
const COLOURLESS: Readonly<Record<Style, string>> = { ...COLOURED, good: "", bad: "1", warning: "1" };

/** Terminals that know it show a frame when it is whole; others take no notice. */
const BEGIN = "\x1b[?2026h";
const END = "\x1b[?2026l";

export class Painter {
  readonly #styles: Readonly<Record<Style, string>>;
  #shown: readonly string[] = [];
  #columns = 0;

  constructor(colours: boolean) {
    this.#styles = colours ? COLOURED : COLOURLESS;
  }

  /** What is on the screen is unknown: the next frame is a whole one. */
  forget(): void {
    this.#columns = 0;
  }

  /** What has to be written so that the screen shows these lines; empty: it does. */
  frame(lines: readonly Line[], { columns, rows }: Size): string {
    const whole = columns !== this.#columns || rows !== this.#shown.length;
    const texts = lines.map((line) => this.#text(line, columns));
    const changed = texts.flatMap((text, row) => {
      return whole || text !== this.#shown[row] ? [`\x1b[${row + 1};1H${text}`] : [];
    });
    this.#shown = texts;
    this.#columns = columns;
    if (changed.length === 0) return "";
    return `${BEGIN}${whole ? "\x1b[m\x1b[2J" : ""}${changed.join("")}${END}`;
  }

  #text(line: Line, columns: number): string {
    const parts = clipped(line, columns).map(({ text, style }) => {
      const sgr = this.#styles[style];
      return sgr === "" ? text : `\x1b[${sgr}m${text}\x1b[m`;
    });
    // Behind the last column there is nothing to erase, and a terminal that has just filled it would erase that.
    const full = lineWidth(line) >= columns;
    return parts.join("") + (full ? "" : "\x1b[K");
  }
}

function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}
