/** The program as its users start it: a process, its lines, its exit code. */
import { join } from "node:path";
import type { Subprocess } from "bun";
import { command, type RuntimeName } from "../contract/runtimes.ts";

export class Weir implements AsyncDisposable {
  readonly stdout: Lines;
  readonly stderr: Lines;
  readonly #child: Subprocess<"ignore", "pipe", "pipe">;

  private constructor(child: Subprocess<"ignore", "pipe", "pipe">) {
    this.#child = child;
    this.stdout = new Lines(child.stdout);
    this.stderr = new Lines(child.stderr);
  }

  static async start(args: readonly string[], runtime: RuntimeName = "bun", prefix: string[] = []): Promise<Weir> {
    return Weir.spawn([...prefix, ...(await command(runtime, "src/main.ts")), ...args]);
  }

  /** Any command line that ends in weir's own arguments. */
  static spawn(argv: readonly string[]): Weir {
    return new Weir(Bun.spawn([...argv], { stdin: "ignore", stdout: "pipe", stderr: "pipe", cwd: ROOT }));
  }

  /** Runs to the end: for commands that do not stay. */
  static async run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const weir = await Weir.start(args);
    const code = await weir.exit();
    return { code, out: await weir.stdout.rest(), err: await weir.stderr.rest() };
  }

  /** The port in the line `listening 127.0.0.1:PORT …`. */
  async port(): Promise<number> {
    const line = await this.stdout.next((text) => text.startsWith("listening "));
    return Number(/:(\d+)/.exec(line)?.[1]);
  }

  /** Sends a signal to this process alone. */
  signal(name: "SIGTERM" | "SIGINT" | "SIGKILL" | "SIGHUP"): void {
    this.#child.kill(name);
  }

  get pid(): number {
    return this.#child.pid;
  }

  exit(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
  }
}

const ROOT = join(import.meta.dir, "../..");

/** The lines of a stream, one after the other, each seen once. */
export class Lines {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = "";
  #done = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  /** The next line for which `wanted` holds. */
  async next(wanted: (line: string) => boolean = () => true): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end < 0) {
        if (this.#done) throw new Error(`the output ended; the last of it: ${this.#text}`);
        await this.#more();
        continue;
      }
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      if (wanted(line)) return line;
    }
  }

  async rest(): Promise<string> {
    while (!this.#done) await this.#more();
    return this.#text;
  }

  async #more(): Promise<void> {
    const { value, done } = await this.#reader.read();
    this.#done = done;
    if (value) this.#text += this.#decoder.decode(value, { stream: true });
  }
}

/** Runs another program to its end. */
export async function run(argv: string[], input?: string): Promise<{ code: number; out: string; err: string }> {
  const stdin = input === undefined ? ("ignore" as const) : new Blob([input]);
  const child = Bun.spawn([...argv], { stdin, stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { code: await child.exited, out, err };
}
