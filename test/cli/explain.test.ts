/** weir explain: who is let in, when, and by which rule. */
import { describe, expect, test } from "bun:test";
import { runCommand } from "./fake-host.ts";

const FILE = `[[proxy]]
name = "db"
listen = "127.0.0.1:4000"
target = "10.0.0.1:5432"
allow = ["10.0.0.0/8"]
deny_file = "out.txt"
schedule = ["Mon-Fri 08:00-18:00 Europe/Berlin", "Sat 10:00-14:00 UTC"]

[[proxy]]
name = "web"
listen = "127.0.0.1:4001"
target = "10.0.0.1:80"
refuse = "close"
schedule = ["Mon UTC"]
`;

/** 2026-03-02 is a Monday. */
const NOON = Date.parse("2026-03-02T12:00Z");

function explain(...args: string[]) {
  return runCommand(["explain", "a.toml", ...args], { "a.toml": FILE, "out.txt": "10.0.13.0/24\n" }, NOON);
}

describe("weir explain", () => {
  test("names every rule that lets a client in now", async () => {
    expect(await explain("--from", "10.1.1.1")).toEqual({
      code: 0,
      out: [
        "db (127.0.0.1:4000): 10.1.1.1 is let in: allow 10.0.0.0/8; schedule Mon-Fri 08:00-18:00 Europe/Berlin",
        "web (127.0.0.1:4001): 10.1.1.1 is let in: there are no rules; schedule Mon 00:00-24:00 UTC",
      ],
      err: [],
    });
  });

  test("names those alone that shut it out", async () => {
    const { code, out } = await explain("--from", "10.0.13.5", "--to", "db");
    expect([code, out]).toEqual([1, ["db (127.0.0.1:4000): 10.0.13.5 is not let in (reset): deny 10.0.13.0/24"]]);
  });

  test.each([
    ["2026-03-02T07:59+01:00", "not let in (reset): schedule: no window is open"],
    ["2026-03-02T08:00+01:00", "let in: allow 10.0.0.0/8; schedule Mon-Fri 08:00-18:00 Europe/Berlin"],
    ["2026-03-02T16:59:59Z", "let in: allow 10.0.0.0/8; schedule Mon-Fri 08:00-18:00 Europe/Berlin"],
    ["2026-03-02T17:00Z", "not let in (reset): schedule: no window is open"],
    ["2026-03-07T13:00Z", "let in: allow 10.0.0.0/8; schedule Sat 10:00-14:00 UTC"],
  ])("goes by the clock of the schedule: --at %s", async (at, what) => {
    const { code, out } = await explain("--from", "10.1.1.1", "--to", "db", "--at", at);
    expect(out).toEqual([`db (127.0.0.1:4000): 10.1.1.1 is ${what}`]);
    expect(code).toBe(what.startsWith("let in") ? 0 : 1);
  });

  test("tells of all rules when address and time are both wrong", async () => {
    const { out } = await explain("--from", "10.0.13.5", "--to", "db", "--at", "2026-03-08T12:00Z");
    const rules = "deny 10.0.13.0/24; schedule: no window is open";
    expect(out).toEqual([`db (127.0.0.1:4000): 10.0.13.5 is not let in (reset): ${rules}`]);
  });

  test("answers 1 if one of several does not let it in", async () => {
    const { code, out } = await explain("--from", "10.1.1.1", "--at", "2026-03-03T12:00Z");
    expect(code).toBe(1);
    expect(out.map((line) => line.replace(/:.*(is .*?:).*/, " $1"))).toEqual([
      "db (127.0.0.1 is let in:",
      "web (127.0.0.1 is not let in (closed):",
    ]);
  });

  test("says what depends on other connections", async () => {
    const file = `[[proxy]]
listen = "127.0.0.1:4000"
target = "10.0.0.1:80"
max_connections = 100
queue.size = 5
max_connections_per_source = 3
rate = { connections_per_source = "20/m", burst = 2 }
proxy_protocol.accept_from = ["10.0.0.7"]
`;
    expect((await runCommand(["explain", "a.toml", "--from", "::1"], { "a.toml": file })).out).toEqual([
      "proxy-1 (127.0.0.1:4000): ::1 is let in: there are no rules",
      "  as long as fewer than 100 connections are open; 5 more may wait",
      "  as long as it has fewer than 3 connections",
      "  as long as it comes no faster than 20/m, 2 at once",
      "  a PROXY header of a trusted source may speak for it: --from is then the address in the header",
    ]);
  });

  test.each([
    ["20/s", "20/s, 20 at once"],
    ["90/m", "1.5/s, 2 at once"],
    ["20/m", "20/m, 1 at once"],
    ["1/h", "1/h, 1 at once"],
  ])("says %p as people would", async (rate, text) => {
    const file = `${FILE}rate.connections_per_source = "${rate}"\n`;
    const { out } = await runCommand(
      ["explain", "a.toml", "--from", "::1", "--to", "web"],
      { "a.toml": file, "out.txt": "" },
      NOON,
    );
    expect(out[1]).toBe(`  as long as it comes no faster than ${text}`);
  });

  describe("for TLS clients", () => {
    const file = `[[proxy]]
name = "front"
listen = "127.0.0.1:4000"
targets = [
  { address = "10.0.0.1:443", sni = ["example.com", "*.Example.com"] },
  { address = "10.0.0.2:443", sni = ["example.com", "*.example.com"] },
  { address = "10.0.0.3:443", alpn = ["h2", "http/1.1"] },
  { address = "10.0.0.4:443", sni = ["a.test"], alpn = ["h3"] },
]
deny = ["10.0.0.0/8"]
`;
    const ask = (...args: string[]) => runCommand(["explain", "a.toml", ...args], { "a.toml": file }, NOON);

    test.each<[string[], number, string]>([
      [
        ["--sni", "X.example.com."],
        0,
        "x.example.com goes to 10.0.0.1:443, 10.0.0.2:443 (for example.com, *.example.com)",
      ],
      [
        ["--sni", "a.test", "--alpn", "h3", "--alpn", "h2"],
        0,
        "a.test, ALPN h3, h2 goes to 10.0.0.4:443 (for a.test, ALPN h3)",
      ],
      [["--alpn", "h2"], 0, "no name, ALPN h2 goes to 10.0.0.3:443 (for any name, ALPN h2 or http/1.1)"],
      [["--sni", "b.test"], 1, "b.test is refused: no target is for its protocols (ALPN)"],
    ])("%p: %p", async (args, code, what) => {
      expect(await ask(...args)).toEqual({ code, out: [`front (127.0.0.1:4000): ${what}`], err: [] });
    });

    test("both questions at once, and 1 if either says no", async () => {
      const { code, out } = await ask("--from", "10.0.0.1", "--sni", "example.com");
      expect([code, out.length]).toEqual([1, 2]);
      expect((await explain("--sni", "example.com", "--to", "web")).out).toEqual([
        "web (127.0.0.1:4001): all targets are for everybody: 10.0.0.1:80",
      ]);
    });

    test("weir check shows for whom targets are, and how long it waits to know", async () => {
      const { out } = await runCommand(["check", "a.toml"], {
        "a.toml": `${file}timeouts.hello = "2s"
`,
      });
      const all = "10.0.0.1:443, 10.0.0.2:443, 10.0.0.3:443, 10.0.0.4:443";
      expect(out.slice(1, -1)).toEqual([
        `  front: 127.0.0.1:4000 -> ${all} (hello 2s, connect 5s, idle 10m, fin 30s, lifetime off)`,
        "    example.com, *.example.com -> 10.0.0.1:443, 10.0.0.2:443",
        "    any name, ALPN h2 or http/1.1 -> 10.0.0.3:443",
        "    a.test, ALPN h3 -> 10.0.0.4:443",
      ]);
    });
  });

  test.each([
    [[], "weir explain: --from is missing; write --from IP, or --sni NAME"],
    [["--sni", "10.0.0.1"], 'weir explain: --sni: expected a host name such as example.com, found "10.0.0.1"'],
    [["--from", "::1", "--to", "bd"], 'weir explain: there is no proxy "bd"; the file has db, web'],
    [
      ["--from", "::1", "--at", "noon"],
      'weir explain: --at: expected a time such as 2026-03-01T09:30 or 2026-03-01T09:30Z, found "noon"',
    ],
  ])("refuses %p", async (args, message) => {
    expect(await explain(...args)).toEqual({ code: 2, out: [], err: [message] });
  });
});
