/** Configuration files in weir's own format: what they mean. */
import { describe, expect, test } from "bun:test";
import { DEFAULTS, HEALTH, plainTarget } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { problems } from "./problems.ts";

/** Line 1 to 3 of most files below. */
const PROXY = '[[proxy]]\nlisten = 8080\ntarget = "10.0.0.1:80"\n';

describe("loadConfig", () => {
  test("fills in the defaults around a listener and a target", () => {
    expect(loadConfig(PROXY, "weir.toml")).toEqual({
      admin: { listen: { kind: "tcp", host: "127.0.0.1", port: 8998 }, explicit: false, tokenEnv: null },
      log: { level: "info", format: "text", summaryInterval: 10_000, connections: false, access: false },
      engine: { mode: "auto", workers: "auto" },
      shutdown: { grace: 60_000 },
      toxiproxy: null,
      seed: null,
      bridges: [],
      proxies: [
        {
          ...DEFAULTS.proxy,
          name: "proxy-1",
          listen: { kind: "tcp", host: "127.0.0.1", port: 8080 },
          targets: [plainTarget({ kind: "tcp", host: "10.0.0.1", port: 80 })],
          timeouts: { hello: 5_000, connect: 5_000, idle: 600_000, fin: 30_000, lifetime: 0 },
          buffer: 262_144,
          noDelay: true,
          keepAlive: 0,
          allow: [],
          deny: [],
          refuse: "reset",
          retries: 0,
          observers: [],
          inspects: [],
          filters: [],
          faults: [],
          seed: 0,
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
      [engine]
      mode = "portable"
      workers = 2
      [dns]
      servers = ["10.0.0.53:53", "[0::1]:53"]
      interval = "1m"
      timeout = "500ms"
      [[proxy]]
      name = "db"
      listen = "127.0.0.1:5000"
      targets = ["db.internal:5432", { address = "dns://db:1", weight = 2, backup = true, max_connections = 3 }]
      balance = "least_connections"
      slow_start = "30s"
      none_healthy = "try_all"
      health = { interval = "1s", timeout = "250ms", rise = 1, fall = 2, http = "/healthz", status = [200, 204] }
      buffer = "64KiB"
      nodelay = false
      keepalive = "30s"
      reuse_port = true
      allow = ["10.0.0.0/8"]
      deny = ["::1"]
      refuse = "close"
      retries = 3
      source = "10.0.0.5"
      allow_file = "in.txt"
      deny_file = "/etc/out.txt"
      schedule = ["mon-fri 08:00-18:00 UTC"]
      max_connections = 100
      max_connections_per_source = 10
      queue = { size = 5, timeout = "off" }
      rate = { connections_per_source = "90/m", burst = 4 }
      proxy_protocol = { accept_from = ["10.0.0.7"], timeout = "1s", send = "v2" }
      timeouts = { connect = "1s", idle = "1.5s", fin = "off", lifetime = "1d" }
      `,
      "weir.toml",
    );
    expect(config).toEqual({
      admin: { listen: { kind: "tcp", host: "::", port: 9000 }, explicit: true, tokenEnv: null },
      log: { level: "trace", format: "json", summaryInterval: 60_000, connections: true, access: false },
      engine: { mode: "portable", workers: 2 },
      shutdown: { grace: 0 },
      toxiproxy: null,
      seed: null,
      bridges: [],
      proxies: [
        {
          name: "db",
          tls: null,
          targetTls: null,
          listen: { kind: "tcp", host: "127.0.0.1", port: 5000 },
          targets: [
            plainTarget({ kind: "tcp", host: "db.internal", port: 5432 }),
            { address: { kind: "dns", host: "db", port: 1 }, weight: 2, backup: true, maxConnections: 3 },
          ],
          balance: "least_connections",
          slowStart: 30_000,
          noneHealthy: "try_all",
          health: {
            interval: 1_000,
            timeout: 250,
            rise: 1,
            fall: 2,
            send: null,
            expect: null,
            http: "/healthz",
            status: [200, 204],
          },
          dns: { servers: ["10.0.0.53:53", "[0::1]:53"], interval: 60_000, timeout: 500 },
          timeouts: { hello: 5_000, connect: 1_000, idle: 1_500, fin: 0, lifetime: 86_400_000 },
          buffer: 65_536,
          noDelay: false,
          keepAlive: 30_000,
          reusePort: true,
          observers: [],
          inspects: [],
          filters: [],
          faults: [],
          seed: 0,
          allow: [{ bits: 32, first: 0x0a00_0000n, prefix: 8 }],
          deny: [{ bits: 128, first: 1n, prefix: 128 }],
          allowFile: "in.txt",
          denyFile: "/etc/out.txt",
          schedule: [{ text: "Mon-Fri 08:00-18:00 UTC", days: [0, 1, 2, 3, 4], from: 480, to: 1_080, zone: "UTC" }],
          maxConnections: 100,
          queue: { size: 5, timeout: 0 },
          perSource: { maxConnections: 10, perSecond: 1.5, burst: 4 },
          proxyProtocol: {
            acceptFrom: [{ bits: 32, first: 0x0a00_0007n, prefix: 32 }],
            timeout: 1_000,
            send: "v2",
          },
          refuse: "close",
          retries: 3,
          mux: null,
          source: "10.0.0.5",
        },
      ],
    });
  });

  test("keeps the defaults of timeouts that are not given", () => {
    const [proxy] = loadConfig(`${PROXY}timeouts.idle = "1s"`, "weir.toml").proxies;
    expect(proxy?.timeouts).toEqual({ ...DEFAULTS.proxy.timeouts, idle: 1_000 });
  });

  test("keeps the defaults of queue, health, rate and PROXY protocol that are not given", () => {
    const lines = 'queue.size = 0\nhealth.send = "PING"\nproxy_protocol.send = "v1"\n';
    const [proxy] = loadConfig(PROXY + lines, "weir.toml").proxies;
    expect(proxy?.queue).toEqual({ ...DEFAULTS.proxy.queue, size: 0 });
    expect(proxy?.health).toEqual({ ...HEALTH, send: "PING" });
    expect(proxy?.proxyProtocol).toEqual({ ...DEFAULTS.proxy.proxyProtocol, send: "v1" });
    expect(loadConfig(`${PROXY}health = {}`, "weir.toml").proxies[0]?.health).toEqual(HEALTH);
  });

  test.each([
    ["20/s", 20, 20],
    ["90/m", 1.5, 2],
    ["1/h", 1 / 3_600, 1],
  ])("lets as many come at once as in a second at %p, one at least", (rate, perSecond, burst) => {
    const [proxy] = loadConfig(`${PROXY}rate.connections_per_source = "${rate}"`, "weir.toml").proxies;
    expect(proxy?.perSource).toEqual({ maxConnections: 0, perSecond, burst });
  });

  test("asks one DNS for the names of all proxies", () => {
    const { proxies } = loadConfig(`dns.interval = "1s"\n${PROXY}${PROXY.replace("8080", "8081")}`, "weir.toml");
    expect(proxies.map(({ dns }) => dns)).toEqual(Array(2).fill({ ...DEFAULTS.proxy.dns, interval: 1_000 }));
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
    expect(loadConfig(`admin.listen = "off"\n${PROXY}`, "weir.toml").admin).toEqual({
      listen: null,
      explicit: true,
      tokenEnv: null,
    });
  });

  test.each(['target = "a:1"', 'targets = ["a:1"]', 'targets = [{ address = "a:1" }]', 'target = "tcp://a:1"'])(
    "takes %p for one target",
    (line) => {
      const [proxy] = loadConfig(`[[proxy]]\nlisten = 1\n${line}`, "weir.toml").proxies;
      expect(proxy?.targets).toEqual([plainTarget({ kind: "tcp", host: "a", port: 1 })]);
    },
  );

  test("names proxies by their position", () => {
    const text = `${PROXY}[[proxy]]\nname = "b"\nlisten = 1\ntarget = 2\n[[proxy]]\nlisten = 3\ntarget = 4\n`;
    expect(loadConfig(text, "weir.toml").proxies.map(({ name }) => name)).toEqual(["proxy-1", "b", "proxy-3"]);
  });

  test("does not mind a byte order mark", () => {
    expect(loadConfig(`\ufeff${PROXY}`, "weir.toml").proxies).toHaveLength(1);
    expect(problems(`\ufeffx = 1\n${PROXY}`)).toEqual([
      '1:1: x: unknown key "x"; the keys here are admin, log, engine, shutdown, dns, toxiproxy, seed, proxy, mux, udp',
    ]);
  });
});
