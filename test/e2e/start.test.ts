/** Starting, failing to start, and what is printed: the program as scripts and new users meet it. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RUNTIMES } from "../contract/runtimes.ts";
import { run, Weir } from "./weir.ts";

const directory = mkdtempSync(join(tmpdir(), "weir-e2e-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await Bun.write(path, text);
  return path;
}

describe.each([...RUNTIMES])("under %s", (runtime) => {
  test("the demo sends traffic through itself, says so, and ends with 0", async () => {
    await using weir = await Weir.start(["demo", "--seconds", "1"], runtime);
    expect(await weir.stdout.next()).toMatch(/^dashboard http:\/\/127\.0\.0\.1:[1-9]\d*\/$/);
    await weir.stdout.next((line) => line.includes("every byte came back as it was sent"));
    expect(await weir.exit()).toBe(0);
  });

  test("relays, serves metrics, drains on SIGTERM", async () => {
    await using echo = await Weir.start(["echo"], runtime);
    const target = `127.0.0.1:${await echo.port()}`;
    const args = ["tcp", "127.0.0.1:0", target, "--metrics", "127.0.0.1:0", "--log", "connections,access"];
    await using weir = await Weir.start(args, runtime);
    const port = await weir.port();
    const url = (await weir.stdout.next((line) => line.startsWith("metrics "))).split(" ")[1] ?? "";
    expect(await talk(port, "hello")).toBe("hello");
    expect(await weir.stdout.next()).toMatch(/^\[METRICS\] ConnectionOpened 127\.0\.0\.1:\d+ \| active: 1, total: 1$/);
    expect(await weir.stdout.next()).toMatch(/^\[METRICS\] ConnectionClosed 127\.0\.0\.1:\d+ \| active: 0$/);
    expect(await weir.stdout.next()).toMatch(/^\[ACCESS\] .* up 5B down 5B in [\d.]+s: client_closed$/);
    const json = await fetch(`${url}?format=json`);
    expect(await json.json()).toMatchObject({ total_connections: 1, bytes_upstream: 5, bytes_downstream: 5 });
    expect((await fetch(url, { method: "POST" })).status).toBe(405);
    weir.signal("SIGTERM");
    expect(await weir.exit()).toBe(0);
    expect(await weir.stdout.rest()).toContain("[METRICS] active: 0 | total: 1 | up: 5B | down: 5B");
  });
});

test("with --log-format json every line is an object, the listening one has the address", async () => {
  await using weir = await Weir.start([
    "tcp",
    "127.0.0.1:0",
    "127.0.0.1:9",
    "--metrics",
    "off",
    "--log-format",
    "json",
  ]);
  const listening = JSON.parse(await weir.stdout.next());
  expect(listening).toMatchObject({ level: "info", event: "listening", targets: "127.0.0.1:9" });
  expect(JSON.parse(await weir.stdout.next())).toMatchObject({ event: "engine" });
  expect(listening.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  await talk(Number(listening.address.split(":")[1]), "x");
  expect(JSON.parse(await weir.stderr.next())).toMatchObject({ event: "connection_failed", reason: "connect_refused" });
  expect(JSON.parse(await weir.stdout.next())).toMatchObject({
    event: "access",
    reason: "connect_refused",
    bytesUpstream: 0,
  });
});

test("at trace each read is a line, and the summary comes at its interval", async () => {
  await using echo = await Weir.start(["echo"]);
  const target = `127.0.0.1:${await echo.port()}`;
  const flags = ["--metrics", "off", "--log-level", "trace", "--summary-interval", "50ms"];
  await using weir = await Weir.start(["tcp", "127.0.0.1:0", target, ...flags]);
  const port = await weir.port();
  await weir.stdout.next((line) => line === "[METRICS] active: 0 | total: 0 | up: 0B | down: 0B");
  await talk(port, "x".repeat(1_024));
  await weir.stdout.next((line) => /^\[METRICS\] ConnectionOpened /.test(line));
  await weir.stdout.next((line) => /^\[METRICS\] 127\.0\.0\.1:\d+ ↑ 1024 \| total up: 1\.0KB$/.test(line));
  await weir.stdout.next((line) => /^\[METRICS\] 127\.0\.0\.1:\d+ ↓ 1024 \| total down: 1\.0KB$/.test(line));
  await weir.stdout.next((line) => line === "[METRICS] active: 0 | total: 1 | up: 1.0KB | down: 1.0KB");
});

test("--quiet prints nothing", async () => {
  await using weir = await Weir.start(["tcp", `unix:${directory}/q`, "127.0.0.1:9", "--metrics", "off", "--quiet"]);
  while ((await run(["test", "-S", `${directory}/q`])).code !== 0);
  weir.signal("SIGTERM");
  expect(await weir.exit()).toBe(0);
  expect((await weir.stdout.rest()) + (await weir.stderr.rest())).toBe("");
});

test("a taken default metrics port is a notice, an explicit one an error", async () => {
  const taken = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const metrics = `127.0.0.1:${taken.port}`;
  const explicit = await Weir.run("tcp", "127.0.0.1:0", "127.0.0.1:9", "--metrics", metrics);
  expect(explicit.code).toBe(1);
  expect(explicit.err).toContain(`metrics: Cannot listen on ${metrics}: the address is in use (EADDRINUSE)`);
  taken.stop(true);
  await using first = await Weir.start(["tcp", "127.0.0.1:0", "127.0.0.1:9"]);
  await first.port();
  await using second = await Weir.start(["tcp", "127.0.0.1:0", "127.0.0.1:9"]);
  expect(await second.stderr.next()).toContain("weir: no metrics: Cannot listen on 127.0.0.1:8998");
  expect(await second.port()).toBeGreaterThan(0);
});

test("several proxies run from one file; when one cannot bind, none stays behind", async () => {
  const proxy = (name: string, listen: string) =>
    `[[proxy]]\nname = "${name}"\nlisten = "${listen}"\ntarget = "127.0.0.1:9"\n`;
  const admin = '[admin]\nlisten = "off"\n';
  const good = await file("good.toml", admin + proxy("one", "127.0.0.1:0") + proxy("two", "127.0.0.1:0"));
  await using weir = await Weir.start(["run", good]);
  const [one, two] = [await weir.port(), await weir.port()];
  expect(one).not.toBe(two);
  const left = join(directory, "left.sock");
  const bad = await file("bad.toml", admin + proxy("first", `unix:${left}`) + proxy("second", `127.0.0.1:${one}`));
  const failed = await Weir.run("run", bad);
  expect(failed).toMatchObject({ code: 1, out: "" });
  expect(failed.err).toBe(
    `weir: proxy "second": Cannot listen on 127.0.0.1:${one}: the address is in use (EADDRINUSE)\n`,
  );
  expect(await Bun.file(left).exists()).toBe(false);
});

test("wrong input is one line that names value and remedy, and exit code 2", async () => {
  mkdirSync(join(directory, "d"));
  const config = (name: string, text: string) => file(name, text);
  const loop = await config("loop.toml", '[[proxy]]\nlisten = "127.0.0.1:4000"\ntarget = "127.0.0.1:4000"\n');
  const twice = await config(
    "twice.toml",
    '[[proxy]]\nname = "a"\nlisten = "127.0.0.1:4000"\ntarget = "127.0.0.1:1"\n[[proxy]]\nname = "a"\nlisten = "127.0.0.1:4000"\ntarget = "127.0.0.1:1"\n',
  );
  const typo = await config("typo.toml", '[[proxy]]\nlisten = "127.0.0.1:4000"\ntraget = "127.0.0.1:1"\n');
  const broken = await config("broken.toml", "[[proxy\n");
  const table: [string[], RegExp][] = [
    [["tcp", "127.0.0.1:99999", "127.0.0.1:1"], /port 99999 is out of range/],
    [["tcp", "localhost", "127.0.0.1:1"], /the port is missing/],
    [["tcp", "127.0.0.1:0", "nowhere"], /the port is missing/],
    [["tcp", "127.0.0.1:4000", "127.0.0.1:4000"], /itself|loop|own listener/],
    [["tcp", "127.0.0.1:0"], /TARGET is missing/],
    [["tcp", `unix:${directory}/d`, "127.0.0.1:1", "--metrics", "off"], /it is a directory/],
    [["tpc", "127.0.0.1:0", "127.0.0.1:1"], /did you mean "tcp"/],
    [["tcp", "127.0.0.1:0", "127.0.0.1:1", "--idel-timeout", "5s"], /did you mean "--idle-timeout"/],
    [["run", join(directory, "none.toml")], /there is no such file/],
    [["run", directory], /it is a directory/],
    [["check", loop], /loop\.toml:\d+:\d+: /],
    [["check", twice], /twice\.toml:\d+:\d+: /],
    [["check", typo], /typo\.toml:3:1: .*did you mean "target"/],
    [["check", broken], /broken\.toml:\d+:\d+: /],
    [["run", broken], /broken\.toml:\d+:\d+: /],
  ];
  for (const [args, message] of table) {
    const { code, out, err } = await Weir.run(...args);
    expect([args.join(" "), code, out]).toEqual([args.join(" "), 2, ""]);
    expect(err).toMatch(message);
    for (const line of err.trimEnd().split("\n")) expect(line).toMatch(/^weir(: | \w+: )/);
  }
}, 60_000);

test("explain tells which rule decides, and answers 1 when somebody is shut out", async () => {
  const text = [
    '[[proxy]]\nname = "db"\nlisten = "127.0.0.1:4000"\ntarget = "127.0.0.1:1"',
    'allow = ["10.0.0.0/8"]\ndeny = ["10.0.13.0/24"]\nrefuse = "close"',
    '[[proxy]]\nname = "web"\nlisten = "127.0.0.1:4001"\ntarget = "127.0.0.1:1"\n',
  ];
  const path = await file("access.toml", text.join("\n"));
  const explain = (...args: string[]) => Weir.run("explain", path, ...args);
  expect(await explain("--from", "10.0.13.5")).toEqual({
    code: 1,
    out: [
      "db (127.0.0.1:4000): 10.0.13.5 is not let in (closed): deny 10.0.13.0/24",
      "web (127.0.0.1:4001): 10.0.13.5 is let in: there are no rules\n",
    ].join("\n"),
    err: "",
  });
  expect((await explain("--from", "::ffff:10.1.1.1", "--to", "db")).code).toBe(0);
  expect((await explain("--from", "192.168.1.1", "--to", "db")).out).toContain("no allow range holds it");
  expect(await explain("--from", "10.1.1.1", "--to", "bd")).toMatchObject({ code: 2, out: "" });
  expect((await explain()).err).toContain("write --from IP");
});

test("version and help answer 0", async () => {
  const { version } = await Bun.file(join(import.meta.dir, "../../package.json")).json();
  expect(await Weir.run("version")).toEqual({ code: 0, out: `weir ${version}\n`, err: "" });
  expect((await Weir.run("--version")).out).toBe(`weir ${version}\n`);
  expect((await Weir.run("--help")).out).toContain("weir tcp");
  expect((await Weir.run("tcp", "--help")).out).toContain("--idle-timeout");
});

/** Sends a line, half-closes and returns what comes back. */
function talk(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    Bun.connect({
      hostname: "127.0.0.1",
      port,
      allowHalfOpen: true,
      socket: {
        open(socket) {
          socket.write(text);
          socket.shutdown();
        },
        data(_, chunk) {
          answer += chunk.toString();
        },
        close: () => resolve(answer),
        error: () => resolve(answer),
      },
    }).catch(() => resolve(answer));
  });
}
