/** A program that was started by somebody who knows nothing of it: no environment, a folder that is not its own. */
import type { Subprocess } from "bun";

export class Stranger implements AsyncDisposable {
  readonly #child: Subprocess<"ignore", "pipe", "pipe">;
  readonly #err: Promise<string>;
  readonly #out: Promise<void>;
  #text = "";
  #grown = Promise.withResolvers<void>();

  constructor(argv: readonly string[], cwd: string) {
    this.#child = Bun.spawn([...argv], { cwd, env: {}, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    this.#err = new Response(this.#child.stderr).text();
    this.#out = this.#read();
  }

  /** The first line that looks like `wanted`, with its groups. Rejects when the program ends without one. */
  async line(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      for (const line of this.#text.split("\n").slice(0, -1)) {
        const found = wanted.exec(line);
        if (found) return found;
      }
      const over = await Promise.race([this.#grown.promise.then(() => false), this.#out.then(() => true)]);
      if (over) throw new Error(`it ended without a line like ${wanted}: ${this.#text}${await this.#err}`);
    }
  }

  /** The port in the line `listening 127.0.0.1:PORT …`. */
  async port(): Promise<number> {
    const [, port] = await this.line(/^listening \S*:(\d+)/);
    return Number(port);
  }

  /** Asks it to end. */
  stop(): void {
    this.#child.kill("SIGTERM");
  }

  async end(): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    const code = await this.#child.exited;
    await this.#out;
    return { code, out: this.#text, err: await this.#err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      this.#text += decoder.decode(chunk, { stream: true });
      this.#grown.resolve();
      this.#grown = Promise.withResolvers();
    }
  }
}
