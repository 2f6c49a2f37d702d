/**
 * The terminal that the process was started in, over `node:process`, which Bun, Deno and Node have alike. Whatever ends
 * the process ends what was done to the terminal: a return, a signal with a handler, `exit`, an exception nobody caught.
 */
import { writeSync } from "node:fs";
import process from "node:process";
import type { Terminal, TerminalEvents } from "../src/cli/terminal.ts";

/** xterm's control sequences: a screen of our own, no cursor, and lines that are too long stay in their place. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[m\x1b[2J";
const LEAVE = "\x1b[?2026l\x1b[m\x1b[?7h\x1b[?25h\x1b[?1049l";

/** What a terminal has that does not say. */
const SIZE = { columns: 80, rows: 24 };

export function openTerminal(events: TerminalEvents): Terminal | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY || process.env["TERM"] === "dumb") return undefined;
  return new ProcessTerminal(events);
}

class ProcessTerminal implements Terminal {
  readonly #events: TerminalEvents;
  #taken = false;
  #closed = false;

  constructor(events: TerminalEvents) {
    this.#events = events;
    process.on("exit", this.#leave);
    process.on("uncaughtException", this.#crash);
    process.on("unhandledRejection", this.#crash);
    process.on("SIGCONT", this.#continue);
    process.stdout.on("resize", this.#redraw);
    process.stdout.on("error", this.#ended);
    process.stdin.on("data", this.#input);
    for (const event of ["end", "close", "error"]) process.stdin.on(event, this.#ended);
    this.#enter();
    process.stdin.resume();
  }

  get size(): { columns: number; rows: number } {
    // A terminal that was made by a program may have no size: 0.
    const { columns, rows } = process.stdout;
    return { columns: columns || SIZE.columns, rows: rows || SIZE.rows };
  }

  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    });
  }

  suspend(): void {
    if (process.platform === "win32") return;
    this.#leave();
    // All of the group, as the terminal itself does it: whoever has started us (npx) stands still as well.
    process.kill(0, "SIGTSTP");
    // Where there is no shell to come back to, the kernel stops nobody.
    setTimeout(this.#continue, UNSTOPPED);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leave();
    process.off("exit", this.#leave);
    process.off("uncaughtException", this.#crash);
    process.off("unhandledRejection", this.#crash);
    process.off("SIGCONT", this.#continue);
    // What was on its way to a terminal that is gone may still fail: its handler stays.
    process.stdout.off("resize", this.#redraw);
    process.stdin.off("data", this.#input);
    for (const event of ["end", "close"]) process.stdin.off(event, this.#ended);
    process.stdin.pause();
  }

  #enter(): void {
    if (this.#taken) return;
    this.#taken = true;
    process.stdin.setRawMode(true);
    writeNow(ENTER);
  }

  readonly #leave = () => {
    if (!this.#taken) return;
    this.#taken = false;
    writeNow(LEAVE);
    try {
      process.stdin.setRawMode(false);
    } catch {
      // The terminal is gone.
    }
  };

  /** Deno does not come to `exit` after an exception that nobody has caught. */
  readonly #crash = (error: unknown) => {
    this.close();
    writeNow(`weir: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`, 2);
    process.exit(1);
  };

  /** Somebody has stopped the process and let it go on: a shell has had the terminal meanwhile. */
  readonly #continue = () => {
    if (this.#closed) return;
    this.#leave();
    this.#enter();
    this.#events.redraw();
  };

  readonly #redraw = () => this.#events.redraw();
  readonly #ended = () => this.#events.ended();
  readonly #input = (bytes: Uint8Array) => this.#events.input(bytes);
}

/** Before the next thing happens, which may be the end of the process. */
function writeNow(text: string, fd = 1): void {
  let rest: Uint8Array = new TextEncoder().encode(text);
  for (let attempts = 0; rest.length > 0 && attempts < ATTEMPTS; attempts++) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") return;
    }
  }
}

/** Milliseconds. */
const UNSTOPPED = 200;

/** A terminal that takes nothing for so long is not there. */
const ATTEMPTS = 10_000;
