/** The command lines of tcp-clone, basic-tcp-proxy and tcpproxy_server; and those of all old names behind `weir as`. */
import { describe, expect, test } from "bun:test";
import { OLD_NAMES, translated } from "../../src/cli/old-names.ts";
import { runCommand } from "./fake-host.ts";

test.each<[string, string, string]>([
  ["tcp-clone", "a.toml", "run a.toml"],
  ["tcp-clone", "a.toml --metrics off", "run a.toml --metrics off"],
  ["basic-tcp-proxy", "", "run proxy.toml --log connections"],
  ["basic-tcp-proxy", "--log-level trace", "run proxy.toml --log connections --log-level trace"],
  ["tcpproxy_server", "127.0.0.1 8080 10.0.0.1 80", "tcp 127.0.0.1:8080 10.0.0.1:80"],
  ["tcpproxy_server", "0.0.0.0 0 db.internal 80", "tcp 0.0.0.0:0 db.internal:80"],
  ["tcpproxy_server", "::1 8080 [fd00::5] 80", "tcp [::1]:8080 [fd00::5]:80"],
  [
    "tcpproxy_server",
    "127.0.0.1 1 10.0.0.1 2 --max-connections 50 --allow 10.0.0.0/8",
    "tcp 127.0.0.1:1 10.0.0.1:2 --max-connections 50 --allow 10.0.0.0/8",
  ],
  ["tcp-multiplexer", "server -l=8000", "mux server -l8000"],
  ["mproxy-client", "--path - --server-addr a:1", "udp send --path - --server-addr a:1"],
])("%s %s", (name, args, meant) => {
  const words = args === "" ? [] : args.split(" ");
  expect(translated(name, words).join(" ")).toBe(meant);
  expect(translated("weir", ["as", name, ...words]).join(" ")).toBe(meant);
  expect(translated("weir", ["as", "--", name, ...words]).join(" ")).toBe(meant);
});

test("what weir itself is told is nobody else's", () => {
  for (const args of [[], ["run", "tcp-clone"], ["as"], ["as", "weir"], ["--help", "as", "tcp-clone"]]) {
    expect(translated("weir", args)).toEqual(args);
  }
});

test.each([...OLD_NAMES])("%s explains itself", async (name) => {
  const { code, out } = await runCommand(["--help"], {}, 0, name);
  expect(code).toBe(0);
  expect(out.join("\n")).toContain("Usage: weir ");
});

test.each(["tcp-clone", "basic-tcp-proxy", "tcpproxy_server"])("%s tells its version", async (name) => {
  const { code, out } = await runCommand(["--version"], {}, 0, name);
  expect([code, out.length]).toEqual([0, 1]);
  expect(out[0]).toStartWith("weir ");
});

describe("a wrong command line", () => {
  const usage = "usage: tcpproxy_server LOCAL_IP LOCAL_PORT FORWARD_HOST FORWARD_PORT";
  test.each<[string, string[], string]>([
    ["tcp-clone", [], "weir: tcp-clone: the configuration file is missing; usage: tcp-clone CONFIG.toml"],
    ["tcp-clone", ["a.toml"], 'weir: Cannot read configuration "a.toml": there is no such file'],
    ["basic-tcp-proxy", [], 'weir: Cannot read configuration "proxy.toml": there is no such file'],
    ["basic-tcp-proxy", ["b.toml"], 'weir run: unexpected argument "b.toml"; usage: weir run [CONFIG]'],
    ["tcpproxy_server", [], `weir: tcpproxy_server: expected four arguments, found 0; ${usage}`],
    ["tcpproxy_server", ["1", "2", "3"], `weir: tcpproxy_server: expected four arguments, found 3; ${usage}`],
    [
      "tcpproxy_server",
      ["127.0.0.1", "http", "127.0.0.1", "80"],
      'weir tcp: LISTEN: Cannot parse address "127.0.0.1:http": the port "http" is not a number',
    ],
    ["tcpproxy_server", ["127.0.0.1", "80", "127.0.0.1", "80"], ""],
    ["weir", ["as"], "weir as: NAME is missing; usage: weir as NAME [ARGUMENT]…"],
    [
      "weir",
      ["as", "tcp-cloen", "a.toml"],
      '"mproxy-forward" or "mproxy-reverse", found "tcp-cloen"; did you mean "tcp-clone"?',
    ],
  ])("%s %p", async (name, args, message) => {
    const { code, out, err } = await runCommand(args, {}, 0, name);
    expect([code, out]).toEqual([2, []]);
    expect(err[0]).toContain(message);
  });
});
