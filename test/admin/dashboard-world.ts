/** An admin server with a dashboard and a clock that tests move, and pages that look on over real sockets. */
import { connect, type Socket } from "node:net";
import { runtime } from "#runtime";
import { type AdminSource, adminApp } from "../../src/admin/app.ts";
import { Dashboard } from "../../src/admin/dashboard/dashboard.ts";
import { PortableEngine } from "../../src/engine/portable.ts";
import { LogTail } from "../../src/log/tail.ts";
import type { Runtime } from "../../src/net/runtime.ts";
import type { ProxyControl } from "../../src/proxy/control.ts";
import { LOOPBACK } from "../contract/kit.ts";

export function sourceOf(on: Runtime, proxies: readonly ProxyControl[] = []): AdminSource {
  const engine = new PortableEngine(on);
  const told = { reload: async () => undefined, drain() {} };
  const started = { at: on.now(), wallClock: on.wallClock() };
  return { runtime: on, engine, proxies, bridges: [], past: [], ready: true, started, ...told };
}

/** Real sockets, and time that passes when a test says so. */
export class Clock {
  #now = 1_000;
  #timers: { at: number; run: () => void }[] = [];

  readonly runtime: Runtime = {
    ...runtime,
    now: () => this.#now,
    after: (ms, run) => {
      const timer = { at: this.#now + ms, run };
      this.#timers.push(timer);
      const cancel = () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      };
      return { cancel };
    },
  };

  get timers(): number {
    return this.#timers.length;
  }

  pass(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { run } of due) run();
  }
}

export async function watched(source: AdminSource) {
  const tail = new LogTail();
  const dashboard = new Dashboard(source, tail);
  const bound = await runtime.serve(LOOPBACK, adminApp(source, { listen: LOOPBACK, token: undefined }, dashboard));
  const port = bound.address.kind === "tcp" ? bound.address.port : 0;
  const pages: Page[] = [];
  return {
    tail,
    dashboard,
    bound,
    url: `http://127.0.0.1:${port}/api/events`,
    page: (reads = true) => {
      const page = new Page(port, reads);
      pages.push(page);
      return page;
    },
    async [Symbol.asyncDispose]() {
      void dashboard.close();
      for (const page of pages) page.leave();
      await bound.close();
    },
  };
}

interface Told {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** A browser's part of a stream of events, on a plain socket: it can stop reading. */
class Page {
  readonly events: Told[] = [];
  bytes = 0;
  closed = false;
  readonly #socket: Socket;
  #text = "";
  #waiting: (() => void)[] = [];

  constructor(port: number, reads: boolean) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.closed = true;
      this.#tell();
    });
    if (reads) this.read();
    this.#socket.write("GET /api/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
  }

  read(): void {
    this.#socket.on("data", (chunk) => {
      this.bytes += chunk.length;
      this.#text += chunk.toString();
      // Headers and the sizes of chunks are no events.
      for (const [whole, event = "", data = ""] of this.#text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)) {
        this.events.push({ event, data: JSON.parse(data) });
        this.#text = this.#text.slice(this.#text.indexOf(whole) + whole.length);
      }
      this.#tell();
    });
  }

  leave(): void {
    this.#socket.destroy();
  }

  of(event: string): readonly Told[] {
    return this.events.filter((each) => each.event === event);
  }

  /** Resolves when it holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
