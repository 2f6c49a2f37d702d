/** A real terminal for programs: a window of a tmux of our own, its keys, its size and what is on it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WORD = /^[\w./:=@,-]+$/;

export class TerminalWindow implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs a program in it; when that has ended, the screen says `code 0: opost isig icanon echo`, where it was left as it was found. */
  static async open(argv: readonly string[], columns = 100, rows = 20): Promise<TerminalWindow> {
    const folder = mkdtempSync(join(tmpdir(), "weir-terminal-"));
    const window = new TerminalWindow(folder);
    const quoted = argv.map((word) => (WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(" ");
    const program = `echo $$ > ${folder}/pid; exec ${quoted} 2> ${folder}/err`;
    const script = `sh -c '${program.replaceAll("'", "'\\''")}'; echo "code $?:" ${MODES}; exec cat`;
    await window.#tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), script);
    return window;
  }

  /** The lines on the screen, when this holds for them. */
  async until(wanted: (screen: string) => boolean, what: string): Promise<string> {
    for (let looks = 0; ; looks++) {
      const screen = await this.#tmux("capture-pane", "-p");
      if (wanted(screen)) return screen;
      if (looks >= LOOKS) throw new Error(`${what} was never there; the screen:\n${screen}\n${this.errors}`);
    }
  }

  shows(text: string): Promise<string> {
    return this.until((screen) => screen.includes(text), JSON.stringify(text));
  }

  /** Keys as tmux calls them: `q`, `Enter`, `C-c`, `Up`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#tmux("send-keys", ...keys);
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** What programs can change about it. */
  async state(): Promise<{ alternate: boolean; cursor: boolean; wrap: boolean }> {
    const format = "#{alternate_on} #{cursor_flag} #{wrap_flag}";
    const [alternate, cursor, wrap] = (await this.#tmux("display-message", "-p", format)).trim().split(" ");
    return { alternate: alternate === "1", cursor: cursor === "1", wrap: wrap === "1" };
  }

  signal(name: "SIGTERM" | "SIGHUP" | "SIGSTOP" | "SIGCONT"): void {
    process.kill(Number(readFileSync(join(this.#folder, "pid"), "utf8")), name);
  }

  /** What the program has written to standard error. */
  get errors(): string {
    return readFileSync(join(this.#folder, "err"), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server").catch(() => {});
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const argv = ["tmux", "-S", join(this.#folder, "tmux"), "-f", "/dev/null", "-u", ...args];
    const child = Bun.spawn(argv, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: ENVIRONMENT });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    if ((await child.exited) !== 0) throw new Error(`tmux ${args[0]}: ${err}`);
    return out;
  }
}

/** Of all that stty tells what programs in a terminal change. */
const MODES = '$(stty -a | tr " " "\\n" | grep -xE -- "-?(icanon|echo|isig|opost);?")';

/** Each takes some milliseconds. */
const LOOKS = 10_000;

const { TMUX: _, ...rest } = process.env;
const ENVIRONMENT = { ...rest, LC_ALL: "C.UTF-8", SHELL: "/bin/sh", TERM: "xterm-256color" };
