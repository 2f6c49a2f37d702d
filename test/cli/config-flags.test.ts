/** Flags as configuration: alone, and on top of a file. */
import { describe, expect, test } from "bun:test";
import { type Command, flagsOf, type Run } from "../../src/cli/command.ts";
import { logOptions, overrideConfig, tcpConfig } from "../../src/cli/config-flags.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { DEFAULTS } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { UsageError } from "../../src/net/errors.ts";

describe("weir tcp", () => {
  test("without flags is what a file with one proxy is", () => {
    const file = '[[proxy]]\nlisten = 8080\ntarget = "example.com:80"\n';
    expect(tcpConfig(line("tcp 8080 example.com:80"))).toEqual(loadConfig(file, "weir.toml"));
  });

  test("with all flags is what a file with all keys is", () => {
    const file = `[admin]
      listen = ":9000"
      [log]
      level = "warn"
      format = "json"
      summary_interval = "1m"
      connections = true
      [shutdown]
      grace = "0s"
      [[proxy]]
      name = "db"
      listen = "127.0.0.1:5000"
      target = "db.internal:5432"
      buffer = "64KiB"
      nodelay = false
      keepalive = "30s"
      source = "10.0.0.5"
      retries = 4
      allow = ["10.0.0.0/8", "fd00::/8"]
      deny = ["10.1.0.0/16"]
      refuse = "close"
      timeouts = { connect = "1s", idle = "1.5s", fin = "off", lifetime = "1d" }
      `;
    const flags = [
      "--metrics :9000 --log-level warn --log-format json --summary-interval 1m --log connections --grace 0s",
      "--name db --buffer 64KiB --no-nodelay --keepalive 30s --source 10.0.0.5 --retries 4",
      "--allow 10.0.0.0/8 --deny 10.1.0.0/16 --allow fd00::/8 --refuse close",
      "--connect-timeout 1s --idle-timeout 1.5s --fin-timeout off --lifetime 1d",
    ];
    const config = tcpConfig(line(`tcp 127.0.0.1:5000 db.internal:5432 ${flags.join(" ")}`));
    expect(config).toEqual(loadConfig(file, "weir.toml"));
  });

  test("has the defaults that its help shows", () => {
    const tcp: Command = program.commands[0];
    const shown = flagsOf(tcp).flatMap((flag) => {
      if (flag.default === undefined) return [];
      return flag.kind === "boolean" ? [`--${flag.name}`] : [`--${flag.name}=${flag.default}`];
    });
    expect(shown.length).toBeGreaterThan(12);
    const { admin, ...config } = tcpConfig(line(`tcp 8080 example.com:80 ${shown.join(" ")}`));
    const { admin: defaultAdmin, ...defaults } = tcpConfig(line("tcp 8080 example.com:80"));
    expect(config).toEqual(defaults);
    expect(admin).toEqual({ ...defaultAdmin, explicit: true });
  });

  test("serves no metrics if told so", () => {
    expect(tcpConfig(line("tcp 1 2 --metrics off")).admin).toEqual({ listen: null, explicit: true });
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
      admin: { listen: null, explicit: true },
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

function line(text: string): Run {
  const parsed = parseCommandLine(text.split(" "), program);
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
