/** `weir top` in a real terminal, as somebody at it sees it. */
import { afterAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { command, compile, type RuntimeName } from "../contract/runtimes.ts";
import { PROXY, STATUS } from "../overview/world.ts";
import { TerminalWindow } from "./terminal.ts";
import { haveTool } from "./tools.ts";
import { Weir } from "./weir.ts";

const there = haveTool("tmux");
const compiled = there ? compile("src/main.ts", "adapters/linux/worker.ts") : "";
afterAll(() => rmSync(dirname(compiled), { recursive: true, force: true }));

type Kind = RuntimeName | "compiled";
const argv = async (kind: Kind) => (kind === "compiled" ? [compiled] : await command(kind, "src/main.ts"));

/** A weir in front of an echo, both of them in one process, and where its admin API is. */
async function demo(): Promise<{ weir: Weir; admin: string; proxy: string }> {
  const weir = await Weir.start(["demo"]);
  const proxy = /listening (\S+)/.exec(await weir.stdout.next((line) => line.startsWith("listening ")))?.[1] ?? "";
  const admin = /http:\/\/([^/\s]+)/.exec(await weir.stdout.next((line) => line.includes("http://")))?.[1] ?? "";
  return { weir, admin, proxy };
}

async function top(kind: Kind, admin: string, ...flags: string[]): Promise<TerminalWindow> {
  return await TerminalWindow.open([...(await argv(kind)), "top", admin, "--interval", "100ms", ...flags]);
}

async function ended(window: TerminalWindow, code: number): Promise<void> {
  expect(await window.until((text) => /code .*echo/.test(text), "the end")).toContain(
    `code ${code}: opost isig icanon echo\n`,
  );
  expect(await window.state()).toEqual({ alternate: false, cursor: true, wrap: true });
}

describe.skipIf(!there).each(["bun", "deno", "node", "compiled"] as const)("under %s", (kind) => {
  test("it shows what runs, follows keys and sizes, and q ends it", async () => {
    const { weir, admin, proxy } = await demo();
    await using _ = weir;
    await using window = await top(kind, admin);
    const first = await window.until((text) => text.includes(proxy) && text.includes("B/s  down"), "the proxy");
    expect(first).toContain(`at ${admin}: ready, up `);
    expect(first).toContain("q quit  ? help  Tab connections");
    await using client = await Client.connect(proxy);
    await window.press("Tab");
    await window.shows(client.address);
    await window.press("?");
    await window.shows("Ctrl+C        end");
    await window.press("x", "Tab", "Right");
    await window.shows("order: name ^");
    await window.resize(50, 8);
    const small = await window.until((text) => text.split("\n").length <= 9 && text.includes("PROXY"), "fewer lines");
    expect(Math.max(...small.split("\n").map((line) => line.length))).toBeLessThanOrEqual(50);
    await window.press("q");
    await ended(window, 0);
  });

  test.each(["SIGTERM", "SIGHUP"] as const)("%s ends it and gives the terminal back", async (signal) => {
    const { weir, admin } = await demo();
    await using _ = weir;
    await using window = await top(kind, admin);
    await window.shows("ready, up");
    window.signal(signal);
    await ended(window, 0);
  });
});

describe.skipIf(!there)("weir top", () => {
  test("tells that weir is gone, keeps what it knew, and that it was started again", async () => {
    await using echo = await Weir.start(["echo"]);
    const target = `127.0.0.1:${await echo.port()}`;
    const first = await started(target, "127.0.0.1:0");
    await using _ = first.weir;
    await using window = await top("bun", first.admin);
    await window.shows("ready, up");
    first.weir.signal("SIGKILL");
    const lost = await window.shows("; trying again");
    expect(lost).toContain(`no weir answers at ${first.admin}: `);
    expect(lost).toContain(target);
    const second = await started(target, first.admin);
    await using __ = second.weir;
    const back = await window.shows(" weir was started again at ");
    expect(back).not.toContain("trying again");
    await window.press("C-c");
    await ended(window, 0);
  });

  test("names that would command the terminal are shown, not obeyed", async () => {
    const name = "\x1b[2J\x1b]0;owned\x07\u202e界🚀\n";
    const status = { ...STATUS, proxies: [{ ...PROXY, name, listen: "\x9b31m", targets: [] }] };
    using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json(status) });
    await using window = await top("bun", `127.0.0.1:${server.port}`);
    await window.resize(180, 20);
    const screen = await window.shows("\\u001b[2J\\u001b]0;owned\\u0007\\u202e界🚀\\u000a");
    expect(screen).toContain("\\u009b31m");
    expect(screen.split("\n")[0]).toStartWith(" weir 0.1.0 at");
    await window.press("q");
    await ended(window, 0);
  });

  test("stands still while it is paused, and finds what is typed", async () => {
    let answers = 0;
    const status = () => ({ ...STATUS, uptime_seconds: ++answers, connections_total: answers });
    using server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => Response.json(status()) });
    await using window = await top("bun", `127.0.0.1:${server.port}`);
    await window.shows("ready, up");
    await window.press("Space");
    const paused = await window.shows("paused");
    const seen = answers;
    const still = await window.until(() => answers > seen + 3, "further answers");
    expect(still).toBe(paused);
    await window.press("Space", "/", "n", "o", "n", "e");
    const found = await window.until((text) => text.includes("has: none_") && !text.includes("127.0.0.1:1000"), "none");
    expect(found).toContain("Enter keep  Esc take away");
    await window.press("Escape");
    await window.shows("127.0.0.1:1000");
  });
});

test("without a terminal it says so, and what there is instead", async () => {
  const { code, out, err } = await Weir.run("top");
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toBe(
    "weir top: there is no terminal to draw on; weir status prints the same once, --json for programs\n",
  );
});

test("an interval that is too short is refused", async () => {
  const { code, err } = await Weir.run("top", "--interval", "10ms");
  expect(code).toBe(2);
  expect(err).toContain("--interval is 10ms; use 100ms or more");
});

/** A weir whose admin API is at this address. */
async function started(target: string, metrics: string): Promise<{ weir: Weir; admin: string }> {
  const weir = await Weir.start(["tcp", "0", target, "--metrics", metrics]);
  const admin = /http:\/\/([^/\s]+)/.exec(await weir.stdout.next((line) => line.includes("http://")))?.[1] ?? "";
  return { weir, admin };
}

/** Somebody who is connected. */
class Client implements AsyncDisposable {
  readonly address: string;
  readonly #close: () => void;

  private constructor(address: string, close: () => void) {
    this.address = address;
    this.#close = close;
  }

  static async connect(to: string): Promise<Client> {
    const [hostname = "", port] = to.split(":");
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {} } });
    return new Client(`127.0.0.1:${socket.localPort}`, () => socket.end());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }
}
