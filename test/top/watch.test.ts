/** `weir top` against an API and a terminal of the test: when it asks, when it draws, and how it ends. */
import { afterEach, expect, test } from "bun:test";
import { runtime } from "#runtime";
import type { TerminalEvents } from "../../src/cli/terminal.ts";
import { parseAddress } from "../../src/net/address.ts";
import { AdminClient } from "../../src/overview/client.ts";
import { Watch } from "../../src/top/watch.ts";
import { Watch as Changes } from "../contract/watch.ts";
import { STATUS } from "../overview/world.ts";

const CONNECTION = {
  id: 7,
  proxy: "db",
  client: "127.0.0.1:5555",
  target: null,
  state: "open",
  duration: 3,
  bytesUpstream: 30,
  bytesDownstream: 10,
};

/** A terminal that takes what is written when it is told to. */
class FakeTerminal extends Changes {
  readonly size = { columns: 100, rows: 10 };
  readonly frames: string[] = [];
  readonly #waiting: PromiseWithResolvers<void>[] = [];
  /** Takes everything at once. */
  quick = true;
  suspended = 0;
  closed = 0;
  events: TerminalEvents | undefined;

  write(text: string): Promise<void> {
    this.frames.push(text);
    this.wake();
    if (this.quick) return Promise.resolve();
    const waiting = Promise.withResolvers<void>();
    this.#waiting.push(waiting);
    return waiting.promise;
  }

  take(error?: Error): void {
    const waiting = this.#waiting.shift();
    if (error) waiting?.reject(error);
    else waiting?.resolve();
  }

  suspend(): void {
    this.suspended++;
  }

  close(): void {
    this.closed++;
  }

  press(keys: string): void {
    this.events?.input(new TextEncoder().encode(keys));
  }
}

const servers: { stop(force: boolean): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true);
});

function watching(terminal: FakeTerminal, interval = 10) {
  const asked: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      if (pathname === "/api/connections") return Response.json({ total: 1, connections: [CONNECTION] });
      return Response.json({ ...STATUS, uptime_seconds: asked.length });
    },
  });
  servers.push(server);
  const client = new AdminClient(runtime, parseAddress(`127.0.0.1:${server.port}`, "target"), 20_000);
  const open = (events: TerminalEvents) => {
    terminal.events = events;
    return terminal;
  };
  const watch = Watch.open(runtime, client, open, { interval, colours: false });
  if (!watch) throw new Error("there is a terminal");
  return { watch, asked };
}

test("a terminal that is slow gets one frame at a time, and the latest", async () => {
  const terminal = new FakeTerminal();
  terminal.quick = false;
  const { watch, asked } = watching(terminal);
  while (asked.length < 5) await new Promise((resolve) => setImmediate(resolve));
  expect(terminal.frames).toHaveLength(1);
  terminal.take();
  await terminal.until(() => terminal.frames.length === 2, "the next frame");
  expect(terminal.frames[1]).toContain("ready, up ");
  watch.end();
  await watch.over;
});

test("who changes to connections while it stands still gets them at once", async () => {
  const terminal = new FakeTerminal();
  // It would be an hour until the next look.
  const { watch } = watching(terminal, 3_600_000);
  await terminal.until(() => terminal.frames.some((frame) => frame.includes("ready, up ")), "the first answer");
  terminal.press(" \t");
  await terminal.until(() => terminal.frames.some((frame) => frame.includes("127.0.0.1:5555")), "the connection");
  terminal.press("q");
  await watch.over;
  expect(terminal.closed).toBe(1);
});

test("a terminal that takes no more is an error, and is given back", async () => {
  const terminal = new FakeTerminal();
  terminal.quick = false;
  const { watch } = watching(terminal);
  terminal.take(new Error("EIO"));
  await expect(watch.over).rejects.toThrow("EIO");
  expect(terminal.closed).toBe(1);
});

test("a terminal that nobody is at any more ends it; one that is lent is not drawn on", async () => {
  const terminal = new FakeTerminal();
  const { watch } = watching(terminal, 3_600_000);
  await terminal.until(() => terminal.frames.some((frame) => frame.includes("ready, up ")), "the first answer");
  const before = terminal.frames.length;
  terminal.press("\x1a");
  expect({ suspended: terminal.suspended, frames: terminal.frames.length }).toEqual({ suspended: 1, frames: before });
  terminal.events?.redraw();
  expect(terminal.frames).toHaveLength(before + 1);
  terminal.events?.ended();
  await watch.over;
});
