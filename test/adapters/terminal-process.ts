/** A program that takes the terminal over and says what it is told, until a key makes it end: for terminal.test.ts. */
import process from "node:process";
import { host } from "#host";

const terminal = host.openTerminal({ input, redraw, ended: () => process.exit(7) });
if (!terminal) {
  host.err("there is no terminal");
  process.exit(3);
}
redraw();

function input(bytes: Uint8Array): void {
  const keys = new TextDecoder().decode(bytes);
  if (keys === "t") throw new Error("thrown on purpose");
  if (keys === "r") void Promise.reject(new Error("rejected on purpose"));
  if (keys === "e") process.exit(5);
  if (keys === "z") {
    terminal?.suspend();
    return;
  }
  if (keys === "c") {
    terminal?.close();
    terminal?.close();
  }
  void terminal?.write(`\x1b[2;1Hkeys ${JSON.stringify(keys)}\x1b[K`);
}

function redraw(): void {
  if (!terminal) return;
  const { columns, rows } = terminal.size;
  void terminal.write(`\x1b[2J\x1b[1;1Hsize ${columns}x${rows}\x1b[3;1H${"x".repeat(columns + 10)}`);
}
