/** weir under the names of tcp-clone, basic-tcp-proxy and tcpproxy_server, however it got them: their users' own sessions. */
import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Socket } from "bun";
import { OLD_NAMES } from "../../src/cli/old-names.ts";
import { command, compile, RUNTIMES } from "../contract/runtimes.ts";
import { Program } from "./udp-world.ts";
import { run } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-names-"));
const compiled: string[] = [];
afterAll(() => {
  for (const path of [directory, ...compiled.map((each) => dirname(each))])
    rmSync(path, { recursive: true, force: true });
});

/** One for all tests: it takes a while. */
function executable(): string {
  if (compiled.length === 0) compiled.push(compile("src/main.ts", "adapters/linux/worker.ts"));
  return compiled[0] ?? "";
}

function fresh(name: string): string {
  return mkdtempSync(join(directory, `${name}-`));
}

/** A link to what runs, of this name. */
function linked(to: string, name: string): string {
  const link = join(fresh("link"), name);
  symlinkSync(to, link);
  return link;
}

/** How weir gets a name. */
const WAYS: Readonly<Record<string, (name: string) => Promise<string[]>>> = {
  "a link to an executable": async (name) => [linked(executable(), name)],
  "an executable that is called so": async (name) => {
    const copy = join(dirname(executable()), name);
    linkSync(executable(), copy);
    chmodSync(copy, 0o755);
    return [copy];
  },
  // Deno looks for the modules of a link beside the link.
  "a link to the source under Bun": async (name) => {
    const [bun = "", source = ""] = await command("bun", "src/main.ts");
    return [bun, linked(source, name)];
  },
  "a link to a bundle under Node": async (name) => {
    const [node = "", bundle = ""] = await command("node", "src/main.ts");
    return [node, linked(bundle, name)];
  },
  ...Object.fromEntries(
    RUNTIMES.flatMap((runtime) => [
      [`weir as, under ${runtime}`, async (name: string) => [...(await command(runtime, "src/main.ts")), "as", name]],
      [
        `install-links, under ${runtime}`,
        async (name: string) => [await installed(await command(runtime, "src/main.ts"), name)],
      ],
    ]),
  ),
  "install-links of an executable": async (name) => [await installed([executable()], name)],
};

async function installed(program: readonly string[], name: string): Promise<string> {
  const folder = fresh("bin");
  const { code, err } = await run([...program, "install-links", folder]);
  expect([code, err]).toEqual([0, ""]);
  return join(folder, name);
}

/** What it hears, in pieces as they come; `answer`: what it says to each. */
function server(answer: (text: string) => string = (text) => text) {
  const heard: string[] = [];
  const ended = Promise.withResolvers<void>();
  const waiting: { text: string; resolve: () => void }[] = [];
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, chunk) {
        heard.push(chunk.toString());
        socket.write(answer(chunk.toString()));
        for (const each of waiting) if (heard.join("").includes(each.text)) each.resolve();
      },
      end(socket) {
        ended.resolve();
        socket.end();
      },
      close: () => ended.resolve(),
    },
  });
  return {
    address: `127.0.0.1:${listener.port}`,
    port: listener.port,
    /** All of it so far. */
    get text() {
      return heard.join("");
    },
    /** Somebody has left. */
    left: ended.promise,
    async hears(text: string): Promise<void> {
      if (heard.join("").includes(text)) return;
      await new Promise<void>((resolve) => waiting.push({ text, resolve }));
    },
    [Symbol.dispose]: () => listener.stop(true),
  };
}

/** A client that asks, and gets its answer. */
class Client implements Disposable {
  #socket: Socket | undefined;
  #text = "";
  #wake: () => void = () => {};

  static async to(port: number): Promise<Client> {
    const client = new Client();
    client.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        data(_, chunk) {
          client.#text += chunk.toString();
          client.#wake();
        },
      },
    });
    return client;
  }

  async ask(text: string): Promise<string> {
    this.#text = "";
    this.#socket?.write(text);
    while (this.#text.length < text.length) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#text;
  }

  leave(): void {
    this.#socket?.end();
  }

  [Symbol.dispose](): void {
    this.#socket?.terminate();
  }
}

async function listening(program: Program): Promise<number> {
  const line = await program.stdout.next((text) => text.startsWith("listening "));
  return Number(/:(\d+) ->/.exec(line)?.[1]);
}

async function start(way: string, name: string, args: readonly string[], cwd = directory): Promise<Program> {
  const argv = (await WAYS[way]?.(name)) ?? [];
  return new Program([...argv, ...args], { cwd });
}

describe.each(Object.keys(WAYS))("%s", (way) => {
  test("tcpproxy_server LOCAL_IP LOCAL_PORT FORWARD_HOST FORWARD_PORT", async () => {
    using target = server();
    await using proxy = await start(way, "tcpproxy_server", ["127.0.0.1", "0", "127.0.0.1", String(target.port)]);
    using client = await Client.to(await listening(proxy));
    expect(await client.ask("hello\n")).toBe("hello\n");
    client.leave();
    await target.left;
    expect(await proxy.stop()).toBe(0);
  });
});

/** One for each runtime. */
const SESSIONS = [
  "a link to an executable",
  "a link to the source under Bun",
  "a link to a bundle under Node",
  "install-links, under deno",
];

describe.each(SESSIONS)("%s", (way) => {
  test("tcp-clone CONFIG.toml: the target answers, observers hear what the client says, and all are let go", async () => {
    using target = server();
    using sent = server(() => "nobody hears that");
    using received = server();
    const folder = fresh("clone");
    writeFileSync(
      join(folder, "abovecfg.toml"),
      `[[tcp_clone]]
  [tcp_clone.server]
  listen_addr = "127.0.0.1:0"
  [tcp_clone.target]
  addr = "${target.address}"
  [[tcp_clone.observer]]
  addr = "${sent.address}"
  [[tcp_clone.client_rx_observer]]
  addr = "${received.address}"
`,
    );
    await using clone = await start(way, "tcp-clone", ["abovecfg.toml"], folder);
    using client = await Client.to(await listening(clone));
    expect(await client.ask("hello\n")).toBe("hello\n");
    await Promise.all([sent.hears("hello\n"), received.hears("hello\n")]);
    client.leave();
    await Promise.all([target.left, sent.left, received.left]);
    expect([target.text, sent.text, received.text]).toEqual(["hello\n", "hello\n", "hello\n"]);
    expect(await clone.stop()).toBe(0);
  });

  test("basic-tcp-proxy: proxy.toml, its lines and its pages, and an orderly end", async () => {
    using target = server();
    const folder = fresh("basic");
    const file = ['listen_addr = "127.0.0.1:0"', `target_addr = "${target.address}"`, "metrics_log_interval_secs = 1"];
    writeFileSync(join(folder, "proxy.toml"), file.join("\n"));
    await using proxy = await start(way, "basic-tcp-proxy", ["--log-level", "trace"], folder);
    const port = await listening(proxy);
    const metrics = (await proxy.stdout.next((line) => line.startsWith("metrics "))).slice("metrics ".length);
    using client = await Client.to(port);
    expect(await client.ask("x".repeat(1_024))).toHaveLength(1_024);
    const next = (form: RegExp) => proxy.stdout.next((line) => form.test(line));
    await next(/^\[METRICS\] ConnectionOpened 127\.0\.0\.1:\d+ \| active: 1, total: 1$/);
    await next(/^\[METRICS\] 127\.0\.0\.1:\d+ ↑ 1024 \| total up: 1\.0KB$/);
    await next(/^\[METRICS\] 127\.0\.0\.1:\d+ ↓ 1024 \| total down: 1\.0KB$/);
    await next(/^\[METRICS\] active: 1 \| total: 1 \| up: 1\.0KB \| down: 1\.0KB$/);
    const lines = (await (await fetch(metrics)).text()).split("\n");
    for (const line of [
      "connections_active 1",
      "connections_total 1",
      "bytes_upstream 1024",
      "bytes_downstream 1024",
    ]) {
      expect(lines).toContain(line);
    }
    expect(await (await fetch(`${metrics}?format=json`)).json()).toEqual({
      ...{ active_connections: 1, total_connections: 1, bytes_upstream: 1_024, bytes_downstream: 1_024 },
    });
    expect((await fetch(metrics.replace("/metrics", "/"))).status).toBe(200);
    expect((await fetch(metrics.replace("/metrics", "/nothing"))).status).toBe(404);
    const stopped = proxy.stop();
    await proxy.stdout.next((line) => line.includes("1 connections may finish within 60 s"));
    // Who is there may go on.
    expect(await client.ask("y".repeat(512))).toHaveLength(512);
    client.leave();
    expect(await stopped).toBe(0);
    const end = await proxy.stdout.rest();
    expect(end).toMatch(/^\[METRICS\] ConnectionClosed 127\.0\.0\.1:\d+ \| active: 0$/m);
    expect(end).toEndWith("[METRICS] active: 0 | total: 1 | up: 1.5KB | down: 1.5KB\n");
  });
});

test("basic-tcp-proxy without flags tells of connections, and not of each read", async () => {
  using target = server();
  const folder = fresh("basic");
  writeFileSync(join(folder, "proxy.toml"), `target_addr = "${target.address}"\nmetrics_log_interval_secs = 0\n`);
  const argv = [...(await command("bun", "src/main.ts")), "as", "basic-tcp-proxy"];
  await using proxy = new Program(argv, { cwd: folder });
  using client = await Client.to(await listening(proxy));
  await client.ask("hello");
  client.leave();
  await proxy.stdout.next((line) => line.startsWith("[METRICS] ConnectionOpened "));
  expect(await proxy.stdout.next()).toStartWith("[METRICS] ConnectionClosed ");
  expect(await proxy.stop()).toBe(0);
});

test("weir install-links of an executable makes all names, beside it and elsewhere, and says so", async () => {
  const beside = fresh("beside");
  const weir = join(beside, "weir");
  linkSync(executable(), weir);
  const { code, out } = await run([weir, "install-links", beside]);
  expect(code).toBe(0);
  expect(out.trim().split("\n")).toEqual(OLD_NAMES.map((name) => `${join(beside, name)} -> weir`));
  for (const name of OLD_NAMES) {
    const help = await run([join(beside, name), "--help"]);
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain("Usage: weir ");
  }
  expect((await run([weir, "install-links", beside])).out).toContain("tcp-clone -> weir, as it was\n");
  const elsewhere = fresh("elsewhere");
  writeFileSync(join(elsewhere, "mproxy-client"), "not ours");
  mkdirSync(join(elsewhere, "tcp-clone"));
  const refused = await run([weir, "install-links", elsewhere, "--force"]);
  expect(refused.code).toBe(1);
  expect(refused.err).toContain("tcp-clone is a folder or a device, not weir's; take it away first\n");
  rmSync(join(elsewhere, "tcp-clone"), { recursive: true });
  expect((await run([weir, "install-links", elsewhere])).err).toContain("mproxy-client is a file, not weir's; --force");
  expect((await run([weir, "install-links", elsewhere, "--force"])).code).toBe(0);
  expect((await run([join(elsewhere, "tcp-multiplexer"), "list"])).out).toStartWith("* echo");
  const nowhere = await run([weir, "install-links", join(elsewhere, "nowhere")]);
  expect([nowhere.code, nowhere.err]).toEqual([
    1,
    `weir: Cannot use "${join(elsewhere, "nowhere")}": there is no such folder; make it first\n`,
  ]);
});
