/** Command lines: what they mean, and every word of what is said about bad ones. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { flagsOf } from "../../src/cli/command.ts";
import { translated } from "../../src/cli/old-names.ts";
import { parseCommandLine } from "../../src/cli/parse.ts";
import { program } from "../../src/cli/program.ts";
import { UsageError } from "../../src/net/errors.ts";

describe("a command line", () => {
  test("names a command and its arguments", () => {
    expect(brief("tcp 8080 example.com:80")).toEqual(["tcp", ["8080", "example.com:80"], {}]);
  });

  test("has flags anywhere after the command, their values parsed", () => {
    expect(brief("tcp --idle-timeout 1h 8080 --buffer=64KiB example.com:80 --metrics :9000 -q")).toEqual([
      "tcp",
      ["8080", "example.com:80"],
      { "idle-timeout": 3_600_000, buffer: 65_536, metrics: { kind: "tcp", host: "::", port: 9000 }, quiet: true },
    ]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["--nodelay", { nodelay: true }],
    ["--no-nodelay", { nodelay: false }],
    ["--metrics off", { metrics: null }],
    ["--keepalive off", { keepalive: 0 }],
    ["--lifetime 0", { lifetime: 0 }],
    ["--name=-x", { name: "-x" }],
    ["--name=a=b", { name: "a=b" }],
    ["--name -", { name: "-" }],
    ["--log connections", { log: ["connections"] }],
    ["--log access,connections", { log: ["access", "connections"] }],
    ["--log access --log=connections --log access", { log: ["access", "connections"] }],
    ["--log-level trace --log-format json", { "log-level": "trace", "log-format": "json" }],
    ["--health-send a\\r\\n\\t\\\\n\\x --health-expect \\n", { "health-send": "a\r\n\t\\n\\x", "health-expect": "\n" }],
    ["--dns-server 10.0.0.1:53 --dns-server [::1]:53", { "dns-server": ["10.0.0.1:53", "[::1]:53"] }],
    ["--rate 90/m --burst 1", { rate: { text: "90/m", perSecond: 1.5 }, burst: 1 }],
  ])("reads %p", (flags, values) => {
    expect(brief(`tcp 1 2 ${flags}`)).toEqual(["tcp", ["1", "2"], values]);
  });

  test("has one target or several, with flags between them", () => {
    expect(brief("tcp 8080 a:1 b:2,weight=2 --quiet dns://c:3")).toEqual([
      "tcp",
      ["8080", "a:1", "b:2,weight=2", "dns://c:3"],
      { quiet: true },
    ]);
  });

  test("takes all after -- for arguments", () => {
    expect(brief("check -q -- --help")).toEqual(["check", ["--help"], { quiet: true }]);
  });

  test("may leave out an argument that has a default", () => {
    expect(brief("echo")).toEqual(["echo", ["127.0.0.1:0"], {}]);
    expect(brief("echo :7000")).toEqual(["echo", [":7000"], {}]);
  });

  test.each(["--version", "-V", "--version tcp", "version"])("asks for the version: %p", (line) => {
    expect(brief(line)).toEqual(["version", [], {}]);
  });

  test.each<[string, string | undefined]>([
    ["", undefined],
    ["--help", undefined],
    ["-h", undefined],
    ["help", undefined],
    ["help tcp", "tcp"],
    ["--help tcp", "tcp"],
    ["tcp --help", "tcp"],
    ["tcp -h", "tcp"],
    ["tcp 1 -qh", "tcp"],
    ["tcp --bogus --help", "tcp"],
    ["tcp -idle-timeout -h", "tcp"],
    ["tcp --name -h", "tcp"],
    ["help --help", "help"],
  ])("asks for help: %p", (line, command) => {
    const parsed = parse(line);
    expect([parsed.kind, parsed.command?.name]).toEqual(["help", command]);
  });

  test.each(examples())("of the examples works: %s", (line) => {
    // What follows is the shell's; within it, quotes as a shell would take them, as far as examples go.
    const [own = ""] = line.split(/ [|>] /);
    const [name, ...args] = (own.match(/'[^']*'|[^ ]+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, "$1"));
    expect(name).toBe("weir");
    expect(() => parseCommandLine(translated("weir", args), program)).not.toThrow();
  });
});

describe("a bad command line", () => {
  const levels = '"error", "warn", "info", "debug" or "trace"';
  test.each<[string, string]>([
    // commands
    ["tpc", 'Unknown command "tpc"; did you mean "tcp"? "weir --help" lists them.'],
    ["TCP", 'Unknown command "TCP"; did you mean "tcp"? "weir --help" lists them.'],
    ["8080 example.com:80", 'Unknown command "8080"; "weir --help" lists them.'],
    ["constructor", 'Unknown command "constructor"; "weir --help" lists them.'],
    ["help tpc", 'Unknown command "tpc"; did you mean "tcp"? "weir --help" lists them.'],
    ["--help tpc", 'Unknown command "tpc"; did you mean "tcp"? "weir --help" lists them.'],
    ["-", 'Unknown command "-"; "weir --help" lists them.'],
    // before the command
    ["--hlep", 'weir: unknown flag "--hlep"; did you mean "--help"?'],
    ["-x tcp 1 2", 'weir: unknown flag "-x"; "weir --help" lists them'],
    ["--quiet tcp 1 2", "weir: --quiet is a flag of commands; write it after one of them"],
    ["--log=access tcp 1 2", "weir: --log=access is a flag of commands; write it after one of them"],
    ["--help=tcp", "weir: --help takes no value; write --help"],
    // flags
    ["tcp 1 2 --idel-timeout 5s", 'weir tcp: unknown flag "--idel-timeout"; did you mean "--idle-timeout"?'],
    ["tcp 1 2 --idel-timeout=5s", 'weir tcp: unknown flag "--idel-timeout"; did you mean "--idle-timeout"?'],
    ["tcp 1 2 -idle-timeout 5s", 'weir tcp: unknown flag "-idle-timeout"; did you mean "--idle-timeout"?'],
    ["tcp 1 2 --idle 5s", 'weir tcp: unknown flag "--idle"; did you mean "--idle-timeout"?'],
    ["tcp 1 2 -idle", 'weir tcp: unknown flag "-idle"; did you mean "--idle-timeout"?'],
    ["tcp 1 2 -q-x", 'weir tcp: unknown flag "-q-x"; "weir tcp --help" lists them'],
    ["tcp 1 2 --no-nodealy", 'weir tcp: unknown flag "--no-nodealy"; did you mean "--no-nodelay"?'],
    ["tcp 1 2 --no-quiet", 'weir tcp: unknown flag "--no-quiet"; did you mean "--quiet"?'],
    ["tcp 1 2 --__proto__=1", 'weir tcp: unknown flag "--__proto__"; "weir tcp --help" lists them'],
    ["tcp 1 2 --constructor", 'weir tcp: unknown flag "--constructor"; "weir tcp --help" lists them'],
    ["tcp 1 2 -qx", 'weir tcp: unknown flag "-qx"; "weir tcp --help" lists them'],
    ["tcp -1 2", 'weir tcp: unknown flag "-1"; "weir tcp --help" lists them'],
    ["check a.toml --verbose", 'weir check: unknown flag "--verbose"; "weir check --help" lists them'],
    // how often, and with what
    ["tcp 1 2 --name a --name b", "weir tcp: --name is given twice; keep one"],
    ["tcp 1 2 -q --quiet", "weir tcp: --quiet is given twice; keep one"],
    ["tcp 1 2 --nodelay --no-nodelay", "weir tcp: --nodelay is given twice; keep one"],
    ["tcp 1 2 --nodelay=yes", "weir tcp: --nodelay takes no value; write --nodelay or --no-nodelay"],
    ["tcp 1 2 --quiet=", "weir tcp: --quiet takes no value; write --quiet"],
    ["tcp 1 2 --name", "weir tcp: --name needs a value; write --name NAME"],
    ["tcp 1 2 --log", "weir tcp: --log needs a value; write --log WHAT"],
    [
      "tcp --idle-timeout --quiet 1 2",
      'weir tcp: --idle-timeout needs a value, and "--quiet" looks like a flag; if you mean it, write --idle-timeout=--quiet',
    ],
    [
      "tcp 1 2 --name -- x",
      'weir tcp: --name needs a value, and "--" looks like a flag; if you mean it, write --name=--',
    ],
    // values
    [
      "tcp 1 2 --idle-timeout 5",
      'weir tcp: --idle-timeout: Cannot parse duration "5": the unit is missing; write "5s" or "5ms"',
    ],
    ["tcp 1 2 --idle-timeout=-5s", 'weir tcp: --idle-timeout: Cannot parse duration "-5s": it is negative'],
    [
      "run a.toml --grace off",
      'weir run: --grace: Cannot parse duration "off": write a number and a unit (ms, s, m, h, d), such as "5s" or "1.5h"',
    ],
    ["tcp 1 2 --buffer 1", 'weir tcp: --buffer: Cannot parse size "1": it is too small for a buffer; use 1KiB to 1GiB'],
    [
      "tcp 1 2 --metrics localhost",
      'weir tcp: --metrics: Cannot parse address "localhost": the port is missing; write "localhost:PORT"',
    ],
    ["tcp 1 2 --name=", "weir tcp: --name: a name has 1 to 100 characters, none of them a control character"],
    ["tcp 1 2 --log-level debgu", `weir tcp: --log-level: expected ${levels}, found "debgu"; did you mean "debug"?`],
    ["tcp 1 2 --log-level loud", `weir tcp: --log-level: expected ${levels}, found "loud"`],
    [
      "tcp 1 2 --log access,conections",
      'weir tcp: --log: expected "connections" or "access", found "conections"; did you mean "connections"?',
    ],
    ["tcp 1 2 --log access,", 'weir tcp: --log: expected "connections" or "access", found ""'],
    [
      "tcp 1 2 --health-interval 0s",
      'weir tcp: --health-interval: Cannot parse duration "0s": it is zero; write more, such as "1s"',
    ],
    [
      "tcp 1 2 --dns-interval 0",
      'weir tcp: --dns-interval: Cannot parse duration "0": it is zero; write more, such as "1s"',
    ],
    [
      "tcp 1 2 --dns-server 8.8.8.8",
      'weir tcp: --dns-server: Cannot parse address "8.8.8.8": the port is missing; write "8.8.8.8:PORT"',
    ],
    [
      "tcp 1 2 --max-connections many",
      'weir tcp: --max-connections: expected a whole number from 0 to 1000000, found "many"',
    ],
    ["tcp 1 2 --rate 1/s --burst 0", 'weir tcp: --burst: expected a whole number from 1 to 1000000, found "0"'],
    [
      "tcp 1 2 --rate 20",
      'weir tcp: --rate: Cannot parse rate "20": the unit is missing; write "20/s", "20/m" or "20/h"',
    ],
    ["tcp 1 2 --health-http healthz", 'weir tcp: --health-http: it is no path; write one such as "/healthz"'],
    ["tcp 1 2 --health-send=", "weir tcp: --health-send: it is empty; leave it out"],
    [
      "tcp 1 2 --schedule Mo",
      'weir tcp: --schedule: Cannot parse schedule "Mo": the day "Mo" is unknown; use Mon, Tue, Wed, Thu, Fri, Sat or Sun',
    ],
    [
      "tcp 1 2 --accept-proxy-from 10.0.0.1/8",
      'weir tcp: --accept-proxy-from: Cannot parse address range "10.0.0.1/8": it does not begin there; write "10.0.0.0/8"',
    ],
    [
      "tcp 1 2 --balance leastconn",
      'weir tcp: --balance: expected "round_robin", "least_connections", "random_two", "source_hash" or "first", found "leastconn"',
    ],
    ["demo --seconds 1.5", 'weir demo: --seconds: expected a whole number of seconds from 1 to 2147483, found "1.5"'],
    ["demo --seconds 0", 'weir demo: --seconds: expected a whole number of seconds from 1 to 2147483, found "0"'],
    // arguments
    ["tcp", "weir tcp: LISTEN is missing; usage: weir tcp LISTEN TARGET…"],
    ["tcp 8080", "weir tcp: TARGET is missing; usage: weir tcp LISTEN TARGET…"],
    ["run a.toml b.toml", 'weir run: unexpected argument "b.toml"; usage: weir run [CONFIG]'],
    ["echo 1 2", 'weir echo: unexpected argument "2"; usage: weir echo [LISTEN]'],
    ["demo 1", 'weir demo: unexpected argument "1"; usage: weir demo'],
    ["help tcp run", 'Unknown command "tcp run"; "weir --help" lists them.'],
    [
      "tcp localhost 2",
      'weir tcp: LISTEN: Cannot parse address "localhost": the port is missing; write "localhost:PORT"',
    ],
    ["tcp 1 0", 'weir tcp: TARGET: Cannot parse address "0": port 0 cannot be connected to; use 1 to 65535'],
    ["tcp 1 2 3 0", 'weir tcp: TARGET: Cannot parse address "0": port 0 cannot be connected to; use 1 to 65535'],
    [
      "tcp 1 2,wieght=2",
      'weir tcp: TARGET: Cannot parse target "2,wieght=2": unknown option "wieght"; did you mean "weight"?',
    ],
    [
      "tcp 1 dns://db",
      'weir tcp: TARGET: Cannot parse address "dns://db": write a name and a port, such as dns://db.internal:5432',
    ],
  ])("is explained: %p", (line, message) => {
    expect(complaint(line.split(" "))).toBe(message);
  });

  test("is explained in one line that cannot reach the terminal's controls", () => {
    expect(complaint(["a\n\u001b[2J"])).toBe('Unknown command "a\\u000a\\u001b[2J"; "weir --help" lists them.');
    expect(complaint(["run", ""])).toBe(
      'weir run: CONFIG: the name is empty; write that of a file, such as "weir.toml"',
    );
  });

  test("is never anything but a UsageError of one line", () => {
    const known = program.commands.flatMap((command) => [
      command.name,
      ...flagsOf(command).flatMap(({ name }) => [`--${name}`, `--no-${name}`, `--${name}=`, `-${name}`]),
    ]);
    const word = fc.oneof(
      fc.constantFrom(...known, "-h", "-q", "-V", "-", "--", "---", "-qh", "--__proto__", "off", "5s", "8080", "json"),
      fc.string(),
      fc.string({ unit: "binary" }).map((text) => `-${text}`),
    );
    const line = fc.oneof(
      fc.array(word),
      fc.tuple(fc.constantFrom(...known), fc.array(word)).map(([first, rest]) => [first, ...rest]),
    );
    fc.assert(
      fc.property(line, (args) => {
        try {
          parseCommandLine(args, program);
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          expect(error.code).toBe("EUSAGE");
          expect(error.message).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

function parse(line: string) {
  return parseCommandLine(line === "" ? [] : line.split(" "), program);
}

/** The name of the command, its arguments and its flags. */
function brief(line: string): unknown[] {
  const parsed = parse(line);
  if (parsed.kind !== "run") throw new Error("it asks for help");
  return [parsed.command.name, parsed.positionals, parsed.flags];
}

function complaint(args: readonly string[]): string {
  try {
    parseCommandLine(args, program);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("nothing was wrong with it");
}

function examples(): string[] {
  const all = [program, ...program.commands].flatMap((each) => [...each.examples]);
  return [...new Set(all.map(({ line }) => line))];
}
