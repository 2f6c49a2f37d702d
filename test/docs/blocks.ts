/** The blocks of code in a document: those that readers type, and those that they put into files. */
import { readFileSync } from "node:fs";

export interface Block {
  readonly language: string;
  /** In the file, from 1. */
  readonly line: number;
  readonly text: string;
}

/** Of a document of Markdown. */
export function blocksOf(path: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of readFileSync(path, "utf8").split("\n").entries()) {
    const fence = /^```(\w*)\s*$/.exec(line);
    if (!fence) open?.lines.push(line);
    else if (open) {
      blocks.push({ language: open.language, line: open.line, text: open.lines.join("\n") });
      open = undefined;
    } else open = { language: fence[1] ?? "", line: index + 1, lines: [] };
  }
  return blocks;
}

/** The commands of a block as a shell gets them: without comments, and with lines that go on joined. */
export function commandsOf({ text }: Block): readonly string[] {
  return text
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.replace(/(^|\s+)#.*$/, ""))
    .filter((line) => line.trim() !== "");
}
