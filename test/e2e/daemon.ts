/** Somebody else's server as a child of the test: on ports that were free, used when it answers, gone with the test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";

export interface Setup {
  /** How many ports it needs. */
  readonly ports: number;
  /** Writes its configuration into `directory` and says how it is started. */
  prepare(ports: readonly number[], directory: string): Promise<readonly string[]>;
  /** Whether it answers, so that everything it listens on is its own. Asked again and again. */
  ready(ports: readonly number[], directory: string): Promise<boolean>;
}

type Child = Subprocess<"ignore", "ignore", "pipe">;

export class Daemon implements AsyncDisposable {
  readonly ports: readonly number[];
  readonly directory: string;
  readonly #child: Child;

  /** Starts it, on other ports if somebody was faster on these. Rejects with what it said if it does not stay. */
  static async start({ ports: count, prepare, ready }: Setup): Promise<Daemon> {
    for (;;) {
      const ports = freePorts(count);
      const directory = mkdtempSync(join(tmpdir(), "weir-"));
      const argv = await prepare(ports, directory);
      const child = Bun.spawn([...argv], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
      const said = new Response(child.stderr).text();
      const daemon = new Daemon(ports, directory, child);
      while (child.exitCode === null && child.signalCode === null) {
        if (await ready(ports, directory)) return daemon;
        // What fails at once must not keep the news of an exit from coming.
        await new Promise((resolve) => setImmediate(resolve));
      }
      await daemon[Symbol.asyncDispose]();
      if (!/address (already )?in use/i.test(await said)) throw new Error(`${argv.join(" ")}: ${await said}`);
    }
  }

  private constructor(ports: readonly number[], directory: string, child: Child) {
    this.ports = ports;
    this.directory = directory;
    this.#child = child;
  }

  signal(name: "SIGHUP" | "SIGKILL"): void {
    this.#child.kill(name);
  }

  exit(): Promise<number> {
    return this.#child.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Ports of 127.0.0.1 that were free a moment ago. */
function freePorts(count: number): number[] {
  const listening = Array.from({ length: count }, () =>
    Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }),
  );
  return listening.map((each) => {
    each.stop(true);
    return each.port;
  });
}

/** Whether somebody listens on a unix socket and says anything after a request for a page. */
export async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = {
    open: (client: Bun.Socket) => void client.write("GET / HTTP/1.0\r\n\r\n"),
    data: () => resolve(true),
    close: () => resolve(false),
    error: () => resolve(false),
  };
  const client = await Bun.connect({ unix: path, socket }).catch(() => undefined);
  const answered = client ? await promise : false;
  client?.terminate();
  return answered;
}
