/** Flags as configuration: alone, and on top of a file. */
import { describe, expect, test } from "bun:test";
import { type Command, flagsOf, type Run } from "../../src/cli/command.ts";
import { logOptions, overrideConfig, tcpConfig } from "../../src/cli/config-flags.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { TLS_FLAGS } from "../../src/cli/tls-flag-table.ts";
import { DEFAULTS, HEALTH, type HealthConfig } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { UsageError } from "../../src/net/errors.ts";

describe("weir tcp", () => {
  test("without flags is what a file with one proxy is", () => {
    const file = '[[proxy]]\nlisten = 8080\ntarget = "example.com:80"\n';
    expect(tcpConfig(line("tcp 8080 example.com:80"))).toEqual(loadConfig(file, "weir.toml"));
  });

  test("with all flags is what a file with all keys is", () => {
    const file = `seed = 7
      [admin]
      listen = ":9000"
      token_env = "TOKEN"
      [log]
      level = "warn"
      format = "json"
      summary_interval = "1m"
      connections = true
      [engine]
      mode = "portable"
      workers = 2
      [shutdown]
      grace = "0s"
      [dns]
      servers = ["10.0.0.53:53", "[::1]:53"]
      interval = "1m"
      [[proxy]]
      name = "db"
      listen = "127.0.0.1:5000"
      targets = [
        "db.internal:5432",
        { address = "10.0.0.2:5432", weight = 2, max_connections = 10 },
        { address = "dns://spare.internal:5432", backup = true },
      ]
      balance = "least_connections"
      retries = 4
      slow_start = "30s"
      none_healthy = "try_all"
      health = { interval = "1s", http = "/healthz" }
      buffer = "64KiB"
      nodelay = false
      keepalive = "30s"
      reuse_port = true
      source = "10.0.0.5"
      allow = ["10.0.0.0/8", "fd00::/8"]
      deny = ["10.1.0.0/16"]
      allow_file = "in.txt"
      deny_file = "out.txt"
      schedule = ["Mon-Fri 08:00-18:00 UTC", "Sat UTC"]
      refuse = "close"
      max_connections = 100
      queue = { size = 5, timeout = "1s" }
      max_connections_per_source = 10
      rate = { connections_per_source = "20/s", burst = 50 }
      proxy_protocol = { accept_from = ["10.0.0.7", "::1"], send = "v2" }
      observer = [{ address = "127.0.0.1:6000", copies = "both" }, { address = "unix:/run/copy.sock" }]
      fault = [{ type = "latency", latency = "100ms", toxicity = 0.5 }]
      timeouts = { hello = "2s", connect = "1s", idle = "1.5s", fin = "off", lifetime = "1d" }
      `;
    const flags = [
      "--metrics :9000 --token-env TOKEN --log-level warn --log-format json --summary-interval 1m --log connections --grace 0s",
      "--engine portable --workers 2 --name db --buffer 64KiB --no-nodelay --keepalive 30s --reuse-port --source 10.0.0.5",
      "--balance least_connections --retries 4 --slow-start 30s --none-healthy try_all",
      "--health-interval 1s --health-http /healthz",
      "--dns-server 10.0.0.53:53 --dns-server [::1]:53 --dns-interval 1m",
      "--allow 10.0.0.0/8 --deny 10.1.0.0/16 --allow fd00::/8 --refuse close --allow-file in.txt --deny-file out.txt",
      "--max-connections 100 --queue-size 5 --queue-timeout 1s --max-connections-per-source 10 --rate 20/s --burst 50",
      "--observer 127.0.0.1:6000,copies=both --observer unix:/run/copy.sock --seed 7",
      "--fault latency:latency=100ms,toxicity=0.5",
      "--accept-proxy-from 10.0.0.7 --accept-proxy-from ::1 --send-proxy v2",
      "--hello-timeout 2s --connect-timeout 1s --idle-timeout 1.5s --fin-timeout off --lifetime 1d",
    ];
    const targets = "db.internal:5432 10.0.0.2:5432,weight=2,max_connections=10 dns://spare.internal:5432,backup";
    const windows = ["--schedule", "Mon-Fri 08:00-18:00 UTC", "--schedule", "Sat UTC"];
    const run = line(`tcp 127.0.0.1:5000 ${targets} ${flags.join(" ")}`, ...windows);
    expect(tcpConfig(run)).toEqual(loadConfig(file, "weir.toml"));
    // These take others back, or exclude them.
    const other = ["quiet", "health-send", "health-expect", ...TLS_FLAGS.flags.map(({ name }) => name as string)];
    const names = flagsOf(program.commands[0]).map(({ name }) => name);
    expect(Object.keys(run.flags).sort()).toEqual(names.filter((name) => !other.includes(name)).sort());
  });

  test("has the defaults that its help shows", () => {
    const tcp: Command = program.commands[0];
    const shown = flagsOf(tcp).flatMap((flag) => {
      // Any flag of health checks turns them on.
      if (flag.default === undefined || flag.name.startsWith("health-")) return [];
      return flag.kind === "boolean" ? [`--${flag.name}`] : [`--${flag.name}=${flag.default}`];
    });
    expect(shown.length).toBeGreaterThan(20);
    const { admin, ...config } = tcpConfig(line(`tcp 8080 example.com:80 ${shown.join(" ")}`));
    const { admin: defaultAdmin, ...defaults } = tcpConfig(line("tcp 8080 example.com:80"));
    expect(config).toEqual(defaults);
    expect(admin).toEqual({ ...defaultAdmin, explicit: true });
  });

  test.each<[string, Partial<HealthConfig> | null]>([
    ["--none-healthy try_all --slow-start 1m --dns-interval 1s", null],
    ["--health-interval 2s", {}],
    ["--health-interval 1m", { interval: 60_000 }],
    ["--health-http /healthz", { http: "/healthz" }],
    ["--health-send PING\\r\\n --health-expect +PONG", { send: "PING\r\n", expect: "+PONG" }],
    ["--health-expect SSH-", { expect: "SSH-" }],
  ])("checks the health of targets as soon as it is told how: %p", (flags, health) => {
    const [proxy] = tcpConfig(line(`tcp 1 2 ${flags}`)).proxies;
    expect(proxy?.health).toEqual(health && { ...HEALTH, ...health });
  });

  test("lets as many come at once as in a second, unless told otherwise", () => {
    const perSource = (flags: string) => tcpConfig(line(`tcp 1 2 ${flags}`)).proxies[0]?.perSource;
    expect(perSource("--rate 90/m")).toEqual({ maxConnections: 0, perSecond: 1.5, burst: 2 });
    expect(perSource("--rate 90/m --burst 1")).toEqual({ maxConnections: 0, perSecond: 1.5, burst: 1 });
    expect(complaint(() => perSource("--burst 5"))).toEqual({
      code: "EUSAGE",
      message: 'weir tcp: --burst needs --rate; write one such as "--rate 20/s"',
    });
  });

  test("serves no metrics if told so", () => {
    expect(tcpConfig(line("tcp 1 2 --metrics off")).admin).toEqual({ listen: null, explicit: true, tokenEnv: null });
  });

  test.each([
    [
      "tcp 80 localhost:80",
      "weir tcp: the target localhost:80 leads back to the proxy itself, which listens on 127.0.0.1:80; change one of them",
    ],
    [
      "tcp 80 81 --metrics 80",
      'weir tcp: 127.0.0.1:80 is taken: proxy "proxy-1" already listens on 127.0.0.1:80; use another address or port 0',
    ],
    ["tcp 1 2 3 127.0.0.1:2,weight=2", "weir tcp: the target 127.0.0.1:2 is there twice; give it a weight instead"],
    ["tcp 1 2,backup", "weir tcp: every target is a backup; leave backup out for one of them at least"],
    [
      "tcp 1 2,weight=0",
      "weir tcp: every target has the weight 0, so that none gets a connection; give one of them more",
    ],
    [
      "tcp 1 2 --health-http / --health-expect x",
      "weir tcp: health checks have either http, or send and expect; keep one of the two",
    ],
    [
      "tcp unix:/run/x 2 --allow ::1 --deny-file out.txt",
      "weir tcp: clients of a unix socket have no IP address; guard it by the rights of its directory",
    ],
    [
      "tcp unix:/run/x 2 --rate 1/s --max-connections-per-source 1",
      "weir tcp: clients of a unix socket have no IP address to count them by; limit all of them with max_connections",
    ],
  ])("refuses %p", (args, message) => {
    expect(complaint(() => tcpConfig(line(args)))).toEqual({ code: "ECONFIG", message });
  });
});

describe("weir run", () => {
  const file = `[admin]
    listen = 9000
    [log]
    level = "debug"
    format = "json"
    summary_interval = "1s"
    [shutdown]
    grace = "5s"
    [[proxy]]
    listen = 8080
    target = 8081
    `;
  const config = loadConfig(file, "weir.toml");

  test("without flags leaves the file as it is", () => {
    expect(overrideConfig(config, line("run weir.toml"))).toEqual(config);
    const explicit = loadConfig(file.replace("level", "access = false\nlevel"), "weir.toml");
    expect(explicit.log.access).toBe(false);
    expect(overrideConfig(explicit, line("run weir.toml"))).toEqual(explicit);
  });

  test("has flags override the file", () => {
    const flags = "--metrics off --grace 1s --log-level info --log-format text --summary-interval off";
    expect(overrideConfig(config, line(`run weir.toml ${flags}`))).toEqual({
      ...config,
      admin: { listen: null, explicit: true, tokenEnv: null },
      log: { level: "info", format: "text", summaryInterval: 0, connections: false, access: false },
      shutdown: { grace: 1_000 },
    });
  });

  test("keeps the lines that a file wants whatever its level and format", () => {
    const text = "[log]\nconnections = true\naccess = true\n[[proxy]]\nlisten = 1\ntarget = 2\n";
    const wanting = loadConfig(text, "weir.toml");
    const { log } = overrideConfig(wanting, line("run weir.toml --log-level warn --log-format text"));
    expect(log).toMatchObject({ connections: true, access: true });
  });

  test("checks the two together", () => {
    expect(complaint(() => overrideConfig(config, line("run weir.toml --metrics 8080")))).toEqual({
      code: "ECONFIG",
      message:
        'weir run: 127.0.0.1:8080 is taken: proxy "proxy-1" already listens on 127.0.0.1:8080; use another address or port 0',
    });
  });
});

describe("log flags", () => {
  const silent = { level: "error", summaryInterval: 0, connections: false, access: false };

  test.each<[string, Record<string, unknown>]>([
    ["", {}],
    ["--log connections", { connections: true }],
    ["--log access,connections", { connections: true, access: true }],
    ["--log-level warn --log access", { level: "warn", access: true }],
    ["--log-level debug", { level: "debug", connections: true }],
    ["--log-level trace", { level: "trace", connections: true }],
    ["--log-format json", { format: "json", access: true }],
    ["--summary-interval off", { summaryInterval: 0 }],
    ["--quiet", silent],
    ["-q --log access --log-level trace --summary-interval 1s", silent],
    ["-q --log-format json", { ...silent, format: "json" }],
  ])("%p", (flags, expected) => {
    const options = logOptions(line(`demo ${flags}`.trim()));
    expect(options).toEqual({ ...DEFAULTS.log, ...expected });
  });

  test("silence a file that wants everything", () => {
    const text = '[log]\nlevel = "trace"\nformat = "json"\n[[proxy]]\nlisten = 1\ntarget = 2\n';
    const { log } = overrideConfig(loadConfig(text, "weir.toml"), line("run weir.toml -q"));
    expect(log).toMatchObject({ ...silent, format: "json" });
  });
});

/** `more`: words with spaces in them. */
function line(text: string, ...more: string[]): Run {
  const parsed = parseCommandLine([...text.split(" "), ...more], program);
  if (parsed.kind !== "run") throw new Error("it asks for help");
  return parsed;
}

function complaint(run: () => unknown): { code: string; message: string } {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("nothing was wrong with it");
}
