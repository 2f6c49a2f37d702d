/** Configuration files in weir's own format: what they mean. */
import { describe, expect, test } from "bun:test";
import { DEFAULTS } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { problems } from "./problems.ts";

/** Line 1 to 3 of most files below. */
const PROXY = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';

describe("loadConfig", () => {
  test("fills in the defaults around a listener and a target", () => {
    expect(loadConfig(PROXY, "weir.toml")).toEqual({
      admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 8998 }, explicit: false },
      log: { level: "info", format: "text", summaryInterval: 10_000, connections: false, access: false },
      engine: { mode: "auto", workers: "auto" },
      shutdown: { grace: 60_000 },
      proxies: [
        {
          name: "proxy-1",
          listen: { kind: "tcp", host: "127.0.0.1", port: 8080 },
          targets: [{ kind: "tcp", host: "10.0.0.1", port: 80 }],
          timeouts: { connect: 5_000, idle: 600_000, fin: 30_000, lifetime: 0 },
          buffer: 262_144,
          noDelay: true,
          keepAlive: 0,
          allow: [],
          deny: [],
          refuse: "reset",
          retries: 0,
          source: null,
        },
      ],
    });
  });

  test("takes every key over", () => {
    const config = loadConfig(
      `[admin]
      listen = ":9000"
      [log]
      level = "trace"
      format = "json"
      summary_interval = "1m"
      connections = true
      access = false
      [shutdown]
      grace = 0
      [[proxy]]
      name = "db"
      listen = "127.0.0.1:5000"
      target = "db.internal:5432"
      buffer = "64KiB"
      nodelay = false
      keepalive = "30s"
      allow = ["10.0.0.0/8"]
      deny = ["::1"]
      refuse = "close"
      retries = 3
      source = "10.0.0.5"
      timeouts = { connect = "1s", idle = "1.5s", fin = "off", lifetime = "1d" }
      `,
      "weir.toml",
    );
    expect(config).toEqual({
      admin: { listen: { kind: "tcp", host: "::", port: 9000 }, explicit: true },
      log: { level: "trace", format: "json", summaryInterval: 60_000, connections: true, access: false },
      engine: { mode: "auto", workers: "auto" },
      shutdown: { grace: 0 },
      proxies: [
        {
          name: "db",
          listen: { kind: "tcp", host: "127.0.0.1", port: 5000 },
          targets: [{ kind: "tcp", host: "db.internal", port: 5432 }],
          timeouts: { connect: 1_000, idle: 1_500, fin: 0, lifetime: 86_400_000 },
          buffer: 65_536,
          noDelay: false,
          keepAlive: 30_000,
          allow: [{ bits: 32, first: 0x0a00_0000n, prefix: 8 }],
          deny: [{ bits: 128, first: 1n, prefix: 128 }],
          refuse: "close",
          retries: 3,
          source: "10.0.0.5",
        },
      ],
    });
  });

  test("keeps the defaults of timeouts that are not given", () => {
    const [proxy] = loadConfig(`${PROXY}timeouts.idle = "1s"`, "weir.toml").proxies;
    expect(proxy?.timeouts).toEqual({ ...DEFAULTS.proxy.timeouts, idle: 1_000 });
  });

  test.each([
    ['level = "debug"', true, false],
    ['level = "trace"\nconnections = false', true, false],
    ['level = "warn"\nconnections = true', true, false],
    ['format = "json"', false, true],
    ['format = "json"\naccess = false', false, false],
    ["access = true", false, true],
  ])("prints as much about connections as %p asks for", (lines, connections, access) => {
    expect(loadConfig(`[log]\n${lines}\n${PROXY}`, "weir.toml").log).toMatchObject({ connections, access });
  });

  test("serves no admin page if told so", () => {
    expect(loadConfig(`admin.listen = "off"\n${PROXY}`, "weir.toml").admin).toEqual({ listen: null, explicit: true });
  });

  test.each(['target = "a:1"', 'targets = ["a:1"]', 'targets = [{ address = "a:1" }]', 'target = "tcp://a:1"'])(
    "takes %p for one target",
    (line) => {
      const [proxy] = loadConfig(`[[proxy]]\nlisten = 1\n${line}`, "weir.toml").proxies;
      expect(proxy?.targets).toEqual([{ kind: "tcp", host: "a", port: 1 }]);
    },
  );

  test("names proxies by their position", () => {
    const text = `${PROXY}[[proxy]]\nname = "b"\nlisten = 1\ntarget = 2\n[[proxy]]\nlisten = 3\ntarget = 4\n`;
    expect(loadConfig(text, "weir.toml").proxies.map(({ name }) => name)).toEqual(["proxy-1", "b", "proxy-3"]);
  });

  test("does not mind a byte order mark", () => {
    expect(loadConfig(`\ufeff${PROXY}`, "weir.toml").proxies).toHaveLength(1);
    expect(problems(`\ufeffx = 1\n${PROXY}`)).toEqual([
      '1:1: x: unknown key "x"; the keys here are admin, log, engine, shutdown, proxy',
    ]);
  });
});
