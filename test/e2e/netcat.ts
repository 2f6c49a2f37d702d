/** netcat as a child of the test: what is typed into it, what it shows, its end. */
import type { Subprocess } from "bun";
import { pattern } from "../contract/probe.ts";
import { same } from "../observe/bytes.ts";

export class Netcat implements AsyncDisposable {
  /** All that came, as text. */
  text = "";
  /** How many bytes that were. */
  received = 0;
  /** They are those that `Probe.write` writes, from the first on. */
  exact = true;
  readonly #child: Subprocess<"pipe", "pipe", "pipe">;
  readonly #shown: Promise<unknown>;
  #said = "";
  #wake: () => void = () => {};

  /** `nc -l HOST PORT`, when it listens. */
  static async listen(host: string, port: number): Promise<Netcat> {
    const netcat = new Netcat(["-v", "-l", host, String(port)]);
    await netcat.#until(() => /Listening on|gone/.test(netcat.#said));
    if (!netcat.#said.startsWith("Listening on")) throw new Error(`nc does not listen: ${netcat.#said}`);
    return netcat;
  }

  /** `nc HOST PORT`. */
  static connect(host: string, port: number): Netcat {
    return new Netcat([host, String(port)]);
  }

  private constructor(args: readonly string[]) {
    this.#child = Bun.spawn(["nc", ...args], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
    this.#shown = Promise.all([this.#show(), this.#listen()]);
  }

  type(text: string): void {
    this.#child.stdin.write(text);
    this.#child.stdin.flush();
  }

  /** Ctrl+D. */
  async endOfInput(): Promise<void> {
    await this.#child.stdin.end();
  }

  signal(name: "SIGINT" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    this.#child.kill(name);
  }

  /** It has shown this text. */
  shows(text: string): Promise<void> {
    return this.#until(() => this.text.includes(text));
  }

  /** It has ended by itself, and everything that it showed is here. */
  async exit(): Promise<number> {
    await this.#shown;
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.exit();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What it says about itself is read to the end: it dies of what nobody reads. */
  async #listen(): Promise<void> {
    for await (const chunk of this.#child.stderr) {
      this.#said += new TextDecoder().decode(chunk);
      this.#wake();
    }
    this.#said += "; it is gone";
    this.#wake();
  }

  async #show(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      if (this.received < 65_536) this.text += decoder.decode(chunk, { stream: true });
      this.exact &&= same(chunk, pattern(this.received, chunk.length));
      this.received += chunk.length;
      this.#wake();
    }
  }
}
