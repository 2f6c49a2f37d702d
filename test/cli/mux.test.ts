/** `weir mux`, what belongs to it, and the command line of tcp-multiplexer: what they mean and say. */
import { describe, expect, test } from "bun:test";
import { type Command, flagsOf, type Run } from "../../src/cli/command.ts";
import { muxConfig, muxServerConfig } from "../../src/cli/mux-line.ts";
import { translated } from "../../src/cli/old-names.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { loadConfig } from "../../src/config/load.ts";
import { PROTOCOL_NAMES } from "../../src/mux/mux-config.ts";
import { formatAddress } from "../../src/net/address.ts";
import { UsageError } from "../../src/net/errors.ts";
import { VERSION } from "../../src/version.ts";
import { runCommand } from "./fake-host.ts";

const FILE = '[[mux]]\nlisten = 8000\ntarget = "127.0.0.1:1234"\n';

describe("weir mux", () => {
  test("alone is as tcp-multiplexer was, but for its address, which is this machine's", () => {
    expect(muxConfig(line("mux"))).toEqual(loadConfig(FILE, "weir.toml"));
  });

  test.each([
    "mux -p http -l :8080 -t 10.0.0.1:80 -t 10.0.0.2:80,weight=2",
    "mux --protocol http --listen=:8080 --target 10.0.0.1:80 --target=10.0.0.2:80,weight=2",
    "mux :8080 10.0.0.1:80 10.0.0.2:80,weight=2 -p http",
    "mux :8080 -p http -t 10.0.0.1:80 -t 10.0.0.2:80,weight=2",
  ])("may be written %p", (text) => {
    const targets = 'targets = ["10.0.0.1:80", { address = "10.0.0.2:80", weight = 2 }]';
    const file = `[[mux]]\nprotocol = "http"\nlisten = ":8080"\n${targets}`;
    expect(muxConfig(line(text))).toEqual(loadConfig(file, "weir.toml"));
  });

  test("with all flags of its own is what a file with all keys is", () => {
    const file = `${FILE}
      protocol = "length"
      length = { offset = 4, width = 3, byte_order = "little", adjust = -4, includes = "all" }
      max_message = "4MiB"
      connections = 5
      warm = 2
      in_flight = 16
      max_in_flight_per_client = 4
      queue_per_client = 10
      timeout = "5s"
      message_timeout = "off"
      request_retries = 3
      max_age = "1h"
      idle = "10m"
      close_with_last_client = true
      name = "plc"
      allow = ["10.0.0.0/8"]
      observer = [{ address = "127.0.0.1:6000" }]
      `;
    const flags = [
      "-p length --length offset=4,width=3,byte_order=little,adjust=-4,includes=all --max-message 4MiB --connections 5",
      "--warm 2 --in-flight 16 --max-in-flight-per-client 4 --queue-per-client 10 --timeout 5s --message-timeout off",
      "--request-retries 3 --max-age 1h --idle 10m --close-with-last-client",
      "--name plc --allow 10.0.0.0/8 --observer 127.0.0.1:6000",
    ];
    const run = line(`mux ${flags.join(" ")}`);
    expect(muxConfig(run)).toEqual(loadConfig(file, "weir.toml"));
    const [own] = MUX.flagGroups;
    const other = ["listen", "target", "delimiter", "match"];
    const names = (own?.flags ?? []).map(({ name }) => name).filter((name) => !other.includes(name));
    expect(names.filter((name) => !(name in run.flags))).toEqual([]);
    const [proxy] = muxConfig(line("mux --delimiter \\r\\x03")).proxies;
    expect(proxy?.mux?.delimiter).toBe("\r\x03");
    expect(muxConfig(line("mux -p iso8583 --match stan")).proxies[0]?.mux?.match).toBe("stan");
  });

  test("has every flag that weir tcp has", () => {
    const names = flagsOf(MUX).map(({ name }) => name);
    expect(flagsOf(commandNamed("tcp")).filter(({ name }) => !names.includes(name))).toEqual([]);
  });

  test("has the defaults that its help shows", () => {
    const shown = flagsOf(MUX).flatMap((flag) => {
      if (flag.default === undefined || flag.name.startsWith("health-")) return [];
      return flag.kind === "boolean" ? [`--${flag.name}`] : [`--${flag.name}=${flag.default}`];
    });
    expect(shown.length).toBeGreaterThan(35);
    const { admin, ...config } = muxConfig(line("mux", ...shown));
    const { admin: defaultAdmin, ...defaults } = muxConfig(line("mux"));
    expect(config).toEqual(defaults);
    expect(admin).toEqual({ ...defaultAdmin, explicit: true });
  });

  const names = '"echo", "http", "iso8583", "mpu", "modbus", "redis" or "length"';
  test.each([
    ["mux -p htpp", `weir mux: --protocol: expected ${names}, found "htpp"; did you mean "http"?`],
    ["mux --in-flight 0", 'weir mux: --in-flight: expected a whole number from 1 to 10000, found "0"'],
    ["mux --request-retries 11", 'weir mux: --request-retries: expected a whole number from 0 to 10, found "11"'],
    [
      "mux --max-message 1",
      'weir mux: --max-message: Cannot parse size "1": it is too small for a message; use 64B to 256MiB',
    ],
    [
      "mux --length width=5",
      'weir mux: --length: Cannot parse length "width=5": write width=N, with N 1, 2, 3, 4 or 8',
    ],
    ["mux lst", 'weir mux: LISTEN: Cannot parse address "lst": the port is missing; write "lst:PORT"'],
    ["mux list x", 'weir mux list: unexpected argument "x"; usage: weir mux list'],
    [
      "mux 8000 -l 8001",
      'weir mux: LISTEN is given twice, as "8000" and by --listen; with that, write targets behind --target',
    ],
    ["mux 8000 1 -t 2", 'weir mux: TARGET is given twice, as "1" and by --target; keep one of the two'],
    ["mux --burst 5", 'weir mux: --burst needs --rate; write one such as "--rate 20/s"'],
  ])("%p is explained", (text, message) => {
    expect(complaint(() => muxConfig(line(text)))).toEqual({ code: "EUSAGE", message });
  });

  test.each([
    ["mux --warm 2", "weir mux: warm is 2, more than the 1 of connections; lower it, or raise connections"],
    ["mux -p http --delimiter ;", "weir mux: delimiter is for the protocol echo alone, and this is http; leave it out"],
    [
      "mux 1 2,max_connections=5",
      "weir mux: clients share connections to the target; limit these with connections, and leave max_connections out",
    ],
    [
      "mux --send-proxy v1",
      "weir mux: clients share connections to the targets, and a PROXY header speaks for one of them alone; leave send out, or use a proxy instead",
    ],
  ])("%p is refused", (text, message) => {
    expect(complaint(() => muxConfig(line(text)))).toEqual({ code: "ECONFIG", message });
  });

  test("list tells each protocol with an example that works", async () => {
    const { code, out } = await runCommand(["mux", "list"]);
    expect(code).toBe(0);
    expect(out.filter((text) => text.startsWith("* ")).map((text) => text.split(/\s+/)[1])).toEqual([
      ...PROTOCOL_NAMES,
    ]);
    const examples = out.filter((text) => text.startsWith("  ")).map((text) => text.trim());
    expect(examples).toHaveLength(PROTOCOL_NAMES.length);
    for (const [index, text] of examples.entries()) {
      const { proxies } = muxConfig(line(text.replace(/^weir /, "")));
      expect(proxies[0]?.mux?.protocol).toBe(PROTOCOL_NAMES[index] as never);
    }
    expect(out.slice(-2)).toEqual(["", "usage for example: weir mux -p echo -l 8000 -t 127.0.0.1:1234"]);
  });

  test.each([
    ["help mux", "mux"],
    ["help mux list", "mux list"],
    ["mux list --help", "mux list"],
    ["--help mux server", "mux server"],
    ["mux server -h", "mux server"],
    ["mux -h", "mux"],
  ])("%p asks for help", (text, name) => {
    const parsed = parseCommandLine(text.split(" "), program);
    expect([parsed.kind, parsed.command?.name]).toEqual(["help", name]);
  });
});

describe("the command line of tcp-multiplexer", () => {
  test.each([
    ["server", "echo", "[::]:8000", "127.0.0.1:1234"],
    ["server -p iso8583 -l 8001 -t switch.internal:5000", "iso8583", "[::]:8001", "switch.internal:5000"],
    ["server --applicationProtocol http --listen 80 --targetServer a:1", "http", "[::]:80", "a:1"],
    ["server --applicationProtocol=mpu --listen=80 --targetServer=a:1", "mpu", "[::]:80", "a:1"],
    ["server -phttp -l8001 -ta:1", "http", "[::]:8001", "a:1"],
    ["server -p=http -l=8001 -t=a:1", "http", "[::]:8001", "a:1"],
    ["server -l 127.0.0.1:8001", "echo", "127.0.0.1:8001", "127.0.0.1:1234"],
  ])("%p runs", (text, protocol, listen, target) => {
    const { proxies, log } = muxServerConfig(old(text));
    const [proxy] = proxies;
    expect(proxy?.mux?.protocol).toBe(protocol as never);
    expect(proxy && formatAddress(proxy.listen)).toBe(listen);
    expect(proxy?.targets.map(({ address }) => formatAddress(address as never))).toEqual([target]);
    expect(log).toMatchObject({ level: "info", connections: true, summaryInterval: 0 });
  });

  test.each(["server -v", "server --verbose", "-v server", "--verbose server -p echo"])("%p prints more", (text) => {
    expect(muxServerConfig(old(text)).log.level).toBe("debug");
  });

  test.each([
    ["list", "* echo"],
    ["version", `weir ${VERSION}`],
  ])("%p prints what it did", async (text, first) => {
    const { code, out } = await runCommand(text.split(" "), {}, 0, "tcp-multiplexer");
    expect([code, out[0]?.slice(0, first.length)]).toEqual([0, first]);
  });

  test.each(["", "-h", "--help", "help", "help server", "server -h"])("%p explains it", async (text) => {
    const { code, out } = await runCommand(text === "" ? [] : text.split(" "), {}, 0, "tcp-multiplexer");
    expect(code).toBe(0);
    expect(out.join("\n")).toContain("-p, --applicationProtocol PROTO");
  });

  test.each([
    ["serve", 'tcp-multiplexer: unknown command "serve"; use list, server or version'],
    ["-x server", 'tcp-multiplexer: unknown flag "-x"; write it behind a command'],
  ])("%p is explained", (text, message) => {
    expect(complaint(() => translated("tcp-multiplexer", text.split(" ")))).toEqual({ code: "EUSAGE", message });
  });

  test("is that of no other name", () => {
    for (const name of ["weir", "main.ts", "constructor", ""]) expect(translated(name, ["list"])).toEqual(["list"]);
  });
});

const MUX = commandNamed("mux");

function commandNamed(name: string): Command {
  const command = program.commands.find((each) => each.name === name);
  if (!command) throw new Error(`there is no command ${name}`);
  return command;
}

/** `more`: words with spaces in them. */
function line(text: string, ...more: string[]): Run {
  const parsed = parseCommandLine([...text.split(" "), ...more], program);
  if (parsed.kind !== "run") throw new Error("it asks for help");
  return parsed;
}

function old(text: string): Run {
  return line(translated("tcp-multiplexer", text.split(" ")).join(" "));
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
