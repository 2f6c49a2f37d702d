import type { OpenTerminal } from "./terminal.ts";

/** What a supervisor is told: everything listens; the configuration is read again, then `ready` once more; the end has begun. */
export type Notice = "ready" | "reloading" | "stopping";

/** What a command-line program needs from its process. `adapters/host.ts` gives it, tests give their own. */
export interface Host {
  /** What the program was started as, without folders: `weir`, or the name of a link to it. */
  readonly name: string;
  /** The arguments, without the program itself. */
  readonly args: readonly string[];
  /** What starts this program again, in absolute paths: one word of an executable, more where a runtime runs it. */
  readonly program: readonly [string, ...string[]];
  /** Changes to folders, for who asks for them. */
  readonly folders: Folders;
  env(name: string): string | undefined;
  /** Prints one line to standard output. */
  out(line: string): void;
  /** Writes bytes to standard output, as they are. */
  outBytes(bytes: Uint8Array): void;
  /** Prints one line to standard error. */
  err(line: string): void;
  /**
   * Shows what `line` makes of the width of the terminal that standard error is, in columns, in place of what was shown
   * before; "" takes it away. Does nothing where it is no terminal.
   */
  progress(line: (columns: number) => string): void;
  /** Resolves when whoever reads standard output has taken all that was printed, or has gone. */
  printed(): Promise<void>;
  /** The text of a file. Rejects with an error whose `code` is from errno(3). */
  readFile(path: string): Promise<string>;
  /** The bytes of a file. Rejects as `readFile` does. */
  readBytes(path: string): Promise<Uint8Array>;
  /** All that comes by standard input, as text. */
  readInput(): Promise<string>;
  /**
   * Tells whoever supervises the process, if somebody does (`NOTIFY_SOCKET`, as systemd sets it); `status` is for people.
   * Never rejects: what cannot be told is printed.
   */
  notify(notice: Notice, status: string): Promise<void>;
  /** Calls `run` on every SIGHUP until the returned function is called; never where there is no such signal. */
  onReload(run: () => void): () => void;
  /** Calls `run` on every SIGINT and SIGTERM (Ctrl+C on Windows) until the returned function is called. */
  onSignal(run: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** Takes the terminal over, if standard input and output are one. */
  readonly openTerminal: OpenTerminal;
}

/** What stands at a path. */
export type Entry =
  | { readonly kind: "none" }
  | { readonly kind: "link"; readonly to: string }
  | { readonly kind: "file"; readonly text: string }
  | { readonly kind: "other" };

/** All of them reject with an error whose `code` is from errno(3). */
export interface Folders {
  /** Whether programs are started by their names there, and not by `.exe` and `.cmd` files. */
  readonly posix: boolean;
  /** The folder of this name as an absolute path. Rejects with ENOENT or ENOTDIR where it is none. */
  absolute(path: string): Promise<string>;
  /** What stands at a path; of a file no more than its first 4 KiB. */
  look(path: string): Promise<Entry>;
  /** Makes a symbolic link at `path`, where nothing may be. */
  link(path: string, to: string): Promise<void>;
  /** Writes a file that can be executed, where nothing may be. */
  script(path: string, text: string): Promise<void>;
  /** Takes away a file or a link. */
  remove(path: string): Promise<void>;
}
