/** What a command-line program needs from its process. `adapters/host.ts` gives it, tests give their own. */
export interface Host {
  /** What the program was started as, without folders: `weir`, or the name of a link to it. */
  readonly name: string;
  /** The arguments, without the program itself. */
  readonly args: readonly string[];
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
  /** The text of a file. Rejects with an error whose `code` is from errno(3). */
  readFile(path: string): Promise<string>;
  /** The bytes of a file. Rejects as `readFile` does. */
  readBytes(path: string): Promise<Uint8Array>;
  /** Calls `run` on every SIGHUP until the returned function is called; never where there is no such signal. */
  onReload(run: () => void): () => void;
  /** Calls `run` on every SIGINT and SIGTERM (Ctrl+C on Windows) until the returned function is called. */
  onSignal(run: (signal: "SIGINT" | "SIGTERM") => void): () => void;
}
